from hypothesis import given, settings
from hypothesis import strategies as st

from app.practice.book import REFILL_MS, Book
from app.practice.instruments import INSTRUMENTS
from app.practice.market import Market
from tests.practice.floor import START

BTC = INSTRUMENTS["BTCUSDT"]
LAST = Market(BTC, 7).last(START)


def test_bids_lie_below_asks_and_both_go_away_from_the_price():
    book = Book(7, BTC)
    bids = list(book.levels(LAST, START, asks=False, count=25))
    asks = list(book.levels(LAST, START, asks=True, count=25))
    assert len(bids) == len(asks) == 25
    assert asks[0].price - bids[0].price == 1
    assert LAST.price in (bids[0].price, asks[0].price)
    assert [level.price for level in bids] == sorted({x.price for x in bids}, reverse=True)
    assert [level.price for level in asks] == sorted({x.price for x in asks})
    assert all(level.qty > 0 for level in bids + asks)


TAKES = st.lists(
    st.tuples(st.booleans(), st.integers(1, 60_000), st.integers(0, 2 * REFILL_MS)), max_size=8
)


@settings(max_examples=25, deadline=None)
@given(TAKES)
def test_takers_get_what_is_there_and_never_more(takes):
    book, ms = Book(7, BTC), START
    for asks, qty, pause in takes:
        ms += pause
        before = {level.price: level.qty for level in book.levels(LAST, ms, asks=asks)}
        fills = book.walk(LAST, ms, qty, asks=asks, limit=None)
        assert sum(level.qty for level in fills) == min(qty, sum(before.values()))
        for level in fills:
            assert 0 < level.qty <= before[level.price]
            book.take(level.price, level.qty, ms, asks=asks)
            left = book.on_offer(level.price, LAST, ms, asks=asks)
            assert left == before[level.price] - level.qty


def test_depth_comes_back():
    book = Book(7, BTC)
    best = next(book.levels(LAST, START, asks=True))
    book.take(best.price, best.qty, START, asks=True)
    assert book.on_offer(best.price, LAST, START, asks=True) == 0
    assert book.on_offer(best.price, LAST, START + REFILL_MS, asks=True) > 0


def test_a_limit_ends_the_walk():
    book = Book(7, BTC)
    levels = list(book.levels(LAST, START, asks=True, count=3))
    fills = book.walk(LAST, START, 10**9, asks=True, limit=levels[1].price)
    assert [level.price for level in fills] == [level.price for level in levels[:2]]
