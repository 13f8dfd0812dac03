"""Funding and open interest on numbers worked by hand."""

import pytest

from tests.runner.strategy.hand import answers, bar

N = None


def rates(*percents):
    return [bar(100, funding=percent / 100) for percent in percents]


def interests(*pairs):
    return [bar(close, interest=interest) for close, interest in pairs]


CASES = [
    ("funding_gate", {"percent": 0.05}, rates(0.04, 0.06, -0.06, -0.04), [1, 0, 0, 1]),
    ("funding_fade", {"percent": 0.03}, rates(0.04, -0.04, 0.01), [-1, 1, 0]),
    # the first side is no flip, 0.001 % is no side
    (
        "funding_flip",
        {"percent": 0.005},
        rates(0.01, 0.001, -0.01, -0.02, 0.01),
        [0, 0, -1, 0, 1],
    ),
    # +6 %, +4 %
    (
        "open_interest_change",
        {"period": 2, "percent": 5},
        interests((1, 100), (1, 100), (1, 106), (1, 104)),
        [N, N, 1, 0],
    ),
    # interest +2 %, +2 %, 0, +5.8 %; price +1 %, -2 %, +2 %, +0.1 %
    (
        "open_interest_trend",
        {"period": 1, "interest": 1, "price": 0.5},
        interests((100, 100), (101, 102), (99, 104), (101, 104), (101.1, 110)),
        [N, 1, -1, 0, 0],
    ),
]


@pytest.mark.parametrize(("kind", "params", "candles", "expected"), CASES)
def test_worked_by_hand(kind, params, candles, expected):
    assert answers(kind, params, candles) == expected
