import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.practice.gaps import Gap, GappedPath, Gaps
from app.practice.instruments import INSTRUMENTS
from app.practice.market import INTERVALS, Market
from app.practice.path import SPANS, Path, merge
from tests.practice.floor import ME, START

BTC = INSTRUMENTS["BTCUSDT"]
SECOND = START // 1000
PATH = Path(7, BTC.symbol, BTC.anchor, BTC.daily_volume)


def gapped(*gaps):
    path = GappedPath(PATH, BTC.anchor)
    path.add(*gaps)
    return path


MOMENTS = st.integers(SECOND - 50_000, SECOND + 50_000)
SHIFTS = st.integers(-BTC.anchor // 10, BTC.anchor // 10)


@settings(max_examples=15, deadline=None)
@given(gaps=st.lists(st.builds(Gap, MOMENTS, SHIFTS), min_size=1, max_size=4))
def test_candles_around_gaps_aggregate_exactly(gaps):
    path = gapped(*gaps)
    for level in range(len(SPANS) - 1):
        index = gaps[0].at // SPANS[level]
        inner = SPANS[level] // SPANS[level + 1]
        parts = [path.candle(level + 1, index * inner + k) for k in range(inner)]
        assert merge(parts) == path.candle(level, index)


@settings(max_examples=15, deadline=None)
@given(at=MOMENTS, shift=SHIFTS)
def test_the_tape_and_the_seconds_tell_the_same_gap(at, shift):
    path = gapped(Gap(at, shift))
    for second in (at - 1, at, at + 1):
        prices = [trade.price for trade in path.trades(second)]
        candle = path.second(second)
        assert (prices[0], max(prices)) == (candle.open, candle.high)
        assert (min(prices), prices[-1]) == (candle.low, candle.close)
        plain = PATH.second(second)
        moved = shift if second >= at else 0
        assert candle.close - plain.close == moved
        # What was traded in it cost so much more, or average prices would deny the gap.
        assert candle.bought_value - plain.bought_value == moved * candle.bought
        assert candle.sold_value - plain.sold_value == moved * candle.sold


def test_a_gap_opens_with_the_next_second_and_may_close_again(floor):
    market = floor.markets["BTCUSDT"]
    before = market.last(floor.ms).price
    plain = Market(BTC, 7)
    Gaps(floor.store, floor.markets).open(["BTCUSDT"], -10, 3, floor.ms)
    shift = round(before * -0.1)
    assert market.last(floor.ms).price == before
    for later, moved in ((1000, shift), (3900, shift), (4000, 0)):
        ms = (floor.ms // 1000) * 1000 + later
        second = ms // 1000
        assert market.path.second(second).close == plain.path.second(second).close + moved


def test_gaps_and_the_mark_price_survive_a_restart(floor):
    Gaps(floor.store, floor.markets).open(["BTCUSDT"], 8, None, floor.ms)
    later = floor.ms + 60_000
    fresh = {"BTCUSDT": Market(BTC, 7)}
    assert fresh["BTCUSDT"].mark(later) != floor.markets["BTCUSDT"].mark(later)
    Gaps(floor.store, fresh)
    assert fresh["BTCUSDT"].mark(later) == floor.markets["BTCUSDT"].mark(later)
    for interval, span in INTERVALS.items():
        opened = SECOND // span * span
        assert fresh["BTCUSDT"].candle(interval, opened, later) == floor.markets["BTCUSDT"].candle(
            interval, opened, later
        )


def test_prices_cannot_be_gapped_to_zero(floor):
    gaps = Gaps(floor.store, floor.markets)
    gaps.open(["BTCUSDT"], -40, None, floor.ms)
    kept = floor.store.meta("gaps")
    with pytest.raises(ValueError, match="smaller fall"):
        gaps.open(["BTCUSDT"], -60, None, floor.ms)
    assert floor.store.meta("gaps") == kept


def test_a_gap_liquidates_and_leaves_whole_sums(floor):
    bought = floor.order("BUY", "2")
    Gaps(floor.store, floor.markets).open(["BTCUSDT"], -20, None, floor.ms)
    for _ in range(10):
        floor.wait(1000)
    assert floor.me.position("BTCUSDT").qty == 0
    fills = floor.store.fills(ME)
    assert sum(one.side.sign * one.qty for one in fills) == 0
    assert all(one.price < bought.average * 9 / 10 for one in fills if one.order_id != bought.id)
    assert floor.me.wallet == sum(one.amount for one in floor.store.incomes(ME)) >= 0
