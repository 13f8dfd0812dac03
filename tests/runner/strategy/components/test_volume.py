"""Volume components on numbers worked by hand."""

import pytest

from tests.runner.strategy.hand import answers, bar, volumes

N = None
TOP, BOTTOM = (10, 10, 8), (8, 10, 8)  # close, high, low

CASES = [
    # OBV 5, 8, 2, 2; EMA 2: 6.5, 3.5, 2.5
    ("obv_trend", {"period": 2}, volumes((10, 5), (11, 3), (10, 6), (10, 9)), [N, 1, -1, -1]),
    # 4 against 2 · 2, 6 against 2 · 3.5
    (
        "volume_spike",
        {"period": 2, "multiple": 2},
        volumes((10, 1), (10, 3), (10, 4), (10, 6)),
        [N, N, 1, 0],
    ),
    # means of 50, 150, 10: 100, 80
    (
        "min_turnover",
        {"period": 2, "turnover": 100},
        volumes((10, 5), (10, 15), (10, 1)),
        [N, 1, 0],
    ),
    # flows up and down 0 : 170, 120 : 80, 250 : 0, 130 : 100: 0, 60, 100, 56.5
    (
        "mfi_reversion",
        {"period": 2},
        volumes((10, 10), (9, 10), (8, 10), (12, 10), (13, 10), (10, 10)),
        [N, N, N, 1, 0, -1],
    ),
    # flows 1 and 0 over a volume of 2; 0 and -2 over 3; -2 and 2 over 4
    (
        "chaikin_money_flow",
        {"period": 2, "level": 0.5},
        [bar(*TOP), bar(9, 10, 8), bar(*BOTTOM, volume=2), bar(*TOP, volume=2)],
        [N, 1, -1, 0],
    ),
    # line 1, 2, 3, -2, 8; fast 2.56, -0.48, 5.17; slow 2.25, 0.13, 4.06
    (
        "chaikin_oscillator",
        {"fast": 2, "slow": 3},
        [*[bar(*TOP)] * 3, bar(*BOTTOM, volume=5), bar(*TOP, volume=10)],
        [N, N, 0, -1, 1],
    ),
    # 4 and -3 make 0.5; two thirds of the way to -4 make -2.5
    ("force_index", {"period": 2}, volumes((10, 1), (12, 2), (11, 3), (10, 4)), [N, N, 1, -1]),
    # two minutes of a day begun unseen; then 10 at 10, 12 above 11, 8 below 9.5
    (
        "vwap_side",
        {},
        [
            bar(9, at=-2),
            bar(9, at=-1),
            bar(10, at=0),
            bar(12, at=1),
            bar(8, volume=2, at=2),
        ],
        [N, N, 0, 1, -1],
    ),
]


@pytest.mark.parametrize(("kind", "params", "candles", "expected"), CASES)
def test_worked_by_hand(kind, params, candles, expected):
    assert answers(kind, params, candles) == expected


def test_no_volume_is_no_spike():
    assert answers("volume_spike", {"period": 2}, volumes(*[(10, 0)] * 4)) == [N, N, 0, 0]
