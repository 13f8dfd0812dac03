from hypothesis import given, settings
from hypothesis import strategies as st

from app.practice.path import SPANS, Path, merge, share

PATH = Path(7, "BTCUSDT", 640_000, 120_000_000)
SECONDS = st.integers(1_577_836_800, 1_900_000_000)


@settings(max_examples=40, deadline=None)
@given(SECONDS, st.integers(1, len(SPANS) - 1))
def test_every_candle_is_the_sum_of_its_parts(second, level):
    parts = SPANS[level - 1] // SPANS[level]
    index = second // SPANS[level - 1]
    inner = [PATH.candle(level, index * parts + k) for k in range(parts)]
    assert merge(inner) == PATH.candle(level - 1, index)


@settings(max_examples=40, deadline=None)
@given(SECONDS)
def test_the_tape_of_a_second_adds_up_to_its_candle(second):
    candle, tape = PATH.second(second), PATH.trades(second)
    prices = [trade.price for trade in tape]
    assert (prices[0], max(prices), min(prices), prices[-1]) == candle[:4]
    assert sum(trade.qty for trade in tape if not trade.seller) == candle.bought
    assert sum(trade.qty for trade in tape if trade.seller) == candle.sold
    assert len(tape) == candle.trades
    assert all(trade.qty > 0 and trade.time // 1000 == second for trade in tape)
    assert [trade.time for trade in tape] == sorted(trade.time for trade in tape)


@settings(max_examples=40, deadline=None)
@given(SECONDS)
def test_a_candle_closes_where_the_next_one_opens(second):
    assert PATH.second(second).close == PATH.second(second + 1).open


@settings(max_examples=40, deadline=None)
@given(SECONDS)
def test_prices_are_positive_and_in_order(second):
    candle = PATH.second(second)
    assert 0 < candle.low <= min(candle.open, candle.close)
    assert max(candle.open, candle.close) <= candle.high


def test_the_path_depends_on_seed_and_symbol_alone():
    again = Path(7, "BTCUSDT", 640_000, 120_000_000)
    assert again.second(1_790_000_000) == PATH.second(1_790_000_000)
    assert Path(8, "BTCUSDT", 640_000, 120_000_000).second(1_790_000_000) != PATH.second(
        1_790_000_000
    )
    assert Path(7, "ETHUSDT", 640_000, 120_000_000).second(1_790_000_000) != PATH.second(
        1_790_000_000
    )


def test_the_path_is_the_one_written_down():
    """A change of the drawing would move prices under everybody's open positions."""
    minute = PATH.candle(5, 1_790_000_000 // 60)
    assert minute[:4] == (633_779, 634_145, 633_705, 633_709)


def test_short_averages_cross_several_times_a_minute():
    """A demo on one-second candles should trade, not wait."""
    fast = slow = float(PATH.second(1_790_000_000).close)
    crossings, above = 0, None
    for second in range(1_790_000_000, 1_790_003_600):
        close = PATH.second(second).close
        fast += (close - fast) * 2 / 6
        slow += (close - slow) * 2 / 21
        crossings += above is not None and above != (fast > slow)
        above = fast > slow
    assert 60 <= crossings <= 240


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**18), st.lists(st.floats(0.01, 1e6), min_size=1, max_size=70))
def test_shares_add_up_and_none_is_negative(total, weights):
    parts = share(total, weights)
    assert sum(parts) == total
    assert min(parts) >= 0
