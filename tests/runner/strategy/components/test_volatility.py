"""Volatility components and guards on numbers worked by hand."""

import pytest

from tests.runner.strategy.hand import answers, bars, closes, last_words

N = None
CALM = (101, 99, 100)  # a true range of 2 % around 100

CASES = [
    # ATR 0.4, then (0.4 + 6) / 2
    (
        "min_volatility",
        {"period": 2, "percent": 1},
        bars(*[(100.2, 99.8, 100)] * 3, (103, 97, 100)),
        [N, N, 0, 1],
    ),
    # ATR 2, then (2 + 10) / 2
    (
        "max_volatility",
        {"period": 2, "percent": 3},
        bars(*[CALM] * 3, (105, 95, 100)),
        [N, N, 1, 0],
    ),
    # five returns of ±0.995 %: deviation 0.975 %; with one of 8.5 %: 3.53 %
    (
        "historical_volatility",
        {"period": 5, "lower": 0.5, "upper": 2},
        closes(100, 101, 100, 101, 100, 101, 110),
        [N, N, N, N, N, 1, 0],
    ),
    # one jump r among 5 is 0.4 r, among 10 it is 0.3 r: ratio 1.33 until it leaves the 5
    (
        "volatility_regime",
        {"short": 5, "long": 10, "lower": 0.5, "upper": 1.5},
        closes(*[100] * 11, *[110] * 6),
        [N] * 10 + [1, 1, 1, 1, 1, 1, 0],
    ),
    (
        "volatility_regime",
        {"short": 5, "long": 10, "lower": 0.5, "upper": 1.3},
        closes(*[100] * 11, *[110] * 6),
        [N] * 10 + [1, 0, 0, 0, 0, 0, 0],
    ),
    # bands 100 ± 0 in 100 ± 3; then 102 ± 8 against 103.3 ± 5.7
    (
        "squeeze",
        {"period": 5, "width": 2, "multiple": 1.5},
        bars(*[CALM] * 6, (111, 109, 110)),
        [N, N, N, N, N, 1, 0],
    ),
    # bandwidth five times 0, then growing to the 14th candle, where nine of ten lie below;
    # 80 %, 60 %, 40 % on its way down, and none below once the closes stand still
    (
        "bandwidth_rank",
        {"period": 5, "past": 10, "percent": 25},
        closes(*[100] * 9, 101, 103, 106, 110, 115, 115, 115, 115, 115),
        [N] * 13 + [0, 0, 0, 0, 1],
    ),
    # log 3 of 3/2, 3/1, 5/4: 36.9, 100, 20.3
    ("choppiness", {"period": 3, "level": 50}, closes(1, 2, 3, 4, 3, 0), [N, N, N, 1, 0, 1]),
    # ATR before the candle 1, 1.5, 1.75; times 1.5 against +2, -2, -3
    (
        "volatility_breakout",
        {"period": 2, "multiple": 1.5},
        closes(10, 11, 10, 12, 10, 7),
        [N, N, N, 1, 0, -1],
    ),
    # 2 · ATR 2 = 4 %, then 2 · ATR 1 = 2 %
    (
        "minimum_move",
        {"period": 2, "horizon": 4, "percent": 3.5},
        bars(*[CALM] * 3, (100, 100, 100)),
        [N, N, 1, 0],
    ),
    # two equal candles: 2 (h/l - 1) / (h/l + 1) = 0.995 %; a pair that moved on counts 0
    (
        "spread_estimate",
        {"period": 2, "percent": 0.6},
        bars(*[(101, 100, 100.5)] * 3, (103, 102, 102.5)),
        [N, N, 0, 1],
    ),
    # ATR before the candle 1, then (1 + 2.1) / 2: 2.1 against 2, 3 against 3.1
    (
        "candle_range",
        {"period": 2, "multiple": 2},
        [*closes(10, 11, 10), *bars((12, 9.9, 11), (12.5, 9.5, 11))],
        [N, N, N, 0, 1],
    ),
]


@pytest.mark.parametrize(("kind", "params", "candles", "expected"), CASES)
def test_worked_by_hand(kind, params, candles, expected):
    assert answers(kind, params, candles) == expected


def test_a_sleepy_market_in_words():
    words = last_words(
        "min_volatility", {"period": 2, "percent": 1}, bars(*[(100.2, 99.8, 100)] * 3)
    )
    assert words == "ATR is 0.400 % of the price, below 1 %"
