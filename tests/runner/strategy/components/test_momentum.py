"""Momentum components on numbers worked by hand."""

import pytest

from tests.runner.strategy.hand import answers, closes

N = None
SWAY = closes(10, 12, 11, 13, 10, 8)
# rises 1, 1.5, 0.75, 0.375 against falls 0.5, 0.25, 1.625, 1.8125, each smoothed over 2

CASES = [
    # +11 %, +5 %, -18.9 %
    (
        "rate_of_change",
        {"period": 2, "percent": 10},
        closes(100, 100, 111, 105, 90),
        [N, N, 1, 0, -1],
    ),
    # (20 + 20 + 20) / 3; (-8.3 + 10 + 10) / 3 = 3.9; (-45.5 - 50 - 40) / 3 = -45
    (
        "momentum_rotation",
        {"short": 1, "middle": 2, "long": 3, "percent": 10},
        closes(100, 100, 100, 120, 110, 60),
        [N, N, N, 1, 0, -1],
    ),
    # 66.7, 85.7, 31.6, 17.1
    ("rsi_momentum", {"period": 2, "margin": 20}, SWAY, [N, N, 0, 1, 0, -1]),
    # 33.3, 71.4, -36.8, -65.7
    ("chande_momentum", {"period": 2, "level": 50}, SWAY, [N, N, 0, 1, 0, -1]),
    # TSI 100, 100, -20, 48.3, -14.7; its signal 100, 20, 38.9, 3.2: level, below, above, below
    (
        "tsi_cross",
        {"slow": 3, "fast": 2, "signal": 2},
        closes(1, 2, 3, 4, 5, 6, 3, 9, 3),
        [N, N, N, N, N, 0, 0, 1, -1],
    ),
    # means of two 1.5, 3, 5.5, 3.5, 0.5 against means of three 2, 2.67, 4, 4, 2.33
    (
        "awesome_cross",
        {"fast": 2, "slow": 3},
        closes(3, 2, 1, 5, 6, 1, 0),
        [N, N, 0, 1, 0, -1, 0],
    ),
]


@pytest.mark.parametrize(("kind", "params", "candles", "expected"), CASES)
def test_worked_by_hand(kind, params, candles, expected):
    assert answers(kind, params, candles) == expected


@pytest.mark.parametrize("kind", ["rsi_momentum", "chande_momentum", "rate_of_change"])
def test_a_market_that_never_moved_has_no_momentum(kind):
    assert set(answers(kind, {}, closes(*[100] * 60))) == {None, 0}
