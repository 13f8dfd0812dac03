"""Candles kept for charts: few, true, and with their gaps."""

from runner.backtest import drawing
from runner.history.columns import of_candles
from tests.runner.backtest.hand_history import START, steps, walk

FIRST = int(START.timestamp())


def test_few_candles_stay_as_they_are_and_only_those_of_the_period():
    columns = of_candles(steps((1, 4, 1, 3), (3, 5, 2, 2), (2, 2, 1, 1)))
    told = drawing.drawn({"X": columns}, (FIRST + 60, FIRST + 180), 60)
    assert told["X"] == {"span": 60, "rows": [[FIRST + 60, 3, 5, 2, 2], [FIRST + 120, 2, 2, 1, 1]]}


def test_many_become_fewer_with_their_extremes():
    candles = walk(1000)
    columns = of_candles(candles)
    told = drawing._merged(columns, 60, 100)
    assert told["span"] == 600
    assert len(told["rows"]) == 100
    for place, (at, opened, high, low, closed) in enumerate(told["rows"]):
        part = candles[10 * place : 10 * place + 10]
        assert at == int(part[0].opened_at.timestamp())
        assert (opened, closed) == (float(part[0].open), float(part[-1].close))
        assert high == float(max(it.high for it in part))
        assert low == float(min(it.low for it in part))


def test_nothing_is_drawn_where_candles_are_missing():
    candles = [one for number, one in enumerate(walk(300)) if not 100 <= number < 200]
    rows = drawing._merged(of_candles(candles), 60, 30)["rows"]
    assert [at for at, *_ in rows if FIRST + 6000 <= at < FIRST + 12_000] == []
