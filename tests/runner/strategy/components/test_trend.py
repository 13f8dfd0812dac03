"""Trend components on numbers worked by hand."""

import pytest

from tests.runner.strategy.hand import answers, bar, bars, closes, last_words

N = None
ZIGZAG = closes(3, 2, 1, 5, 6, 1, 0)
# EMA 2 (2/3): 2.5, 1.5, 3.83, 5.28, 2.43, 0.81 · EMA 3 (1/2): 2, 3.5, 4.75, 2.88, 1.44
# SMA 2: 2.5, 1.5, 3, 5.5, 3.5, 0.5 · SMA 3: 2, 2.67, 4, 4, 2.33
STAIRS = bars((2, 1, 1.5), (3, 2, 2.5), (4, 3, 3.5), (5, 4, 4.5), (4, 2, 3))
# Up by 1 thrice, then down by 2. Smoothed over 2: +DM 1, 1.5, 1.75, 0.875; -DM 0, 0, 0, 2;
# true ranges 1.5, 1.5, 1.5, 2.5 make 1.5, 2.25, 2.625, 3.8125.
# DI: 66.7 and 0, 66.7 and 0, 23.0 and 52.5. DX: 100, 100, 100, 39.1. ADX: 100, 69.6.
CLIMB = [bar(t, t + 0.5, t - 0.5) for t in range(1, 8)]
# Ichimoku 2, 3, 4 on a straight climb: lines t - 0.5 and t - 1, edges t - 0.75 and t - 1.5.
TURN = bars((7.5, 1.5, 2), (2.5, 0.5, 1), (1.5, 0.5, 1))

CASES = [
    ("ema_cross", {"fast": 2, "slow": 3}, ZIGZAG, [N, N, 0, 1, 0, -1, 0]),
    ("sma_cross", {"fast": 2, "slow": 3}, ZIGZAG, [N, N, 0, 1, 0, -1, 0]),
    ("ema_trend", {"fast": 2, "slow": 3}, ZIGZAG, [N, N, -1, 1, 1, -1, -1]),
    # means 10, 11.67, 11, 11: +10 %, +20 %, -27 %, 0
    (
        "price_vs_average",
        {"period": 3, "margin": 10},
        closes(9, 10, 11, 14, 8, 11),
        [N, N, 1, 1, -1, 0],
    ),
    # EMA 2: 3.5, 3.83, 1.28, 2.09 · EMA 3: 3, 3.5, 1.75, 2.13 · EMA 4: 2.5, 3.1, 1.86, 2.12
    (
        "average_ribbon",
        {"short": 2, "middle": 3, "long": 4},
        closes(1, 2, 3, 4, 4, 0, 2.5),
        [N, N, N, 1, 1, -1, 0],
    ),
    # line -0.5, 0.33, 0.53, -0.45, -0.63, 0.22 · signal -0.08, 0.32, -0.19, -0.48, -0.02
    (
        "macd_cross",
        {"fast": 2, "slow": 3, "signal": 2},
        [*ZIGZAG, bar(4)],
        [N, N, N, 0, 0, -1, 0, 1],
    ),
    # their difference 0.42, 0.20, -0.26, -0.15, 0.23
    (
        "macd_histogram",
        {"fast": 2, "slow": 3, "signal": 2},
        [*ZIGZAG, bar(4)],
        [N, N, N, N, 0, -1, 0, 1],
    ),
    # straight: 4/9 of the way, 11 -> 11.44 -> 12.14 (+6 %); there and back: 0.4 % of the way;
    # straight down: 12.135 -> 11.63 (-4.2 %)
    (
        "kama_trend",
        {"period": 2, "slope": 1},
        closes(10, 11, 12, 13, 12, 11),
        [N, N, N, 1, 0, -1],
    ),
    # on a straight line the average is the price: 5, 6; then (2 · 3.6 + 6.33) / 3 = 4.51
    ("hull_trend", {"period": 4}, closes(1, 2, 3, 4, 5, 6, 3), [N, N, N, N, N, 1, -1]),
    # slope of three is half the way from first to last: 1, -1, 0
    (
        "linear_slope",
        {"period": 3, "slope": 0.5},
        closes(100, 101, 102, 99, 102),
        [N, N, 1, -1, 0],
    ),
    # third average 2.5, 3.5, 2.72, 1.65, 3.54
    (
        "trix_cross",
        {"period": 2},
        closes(1, 2, 3, 4, 5, 0, 0, 9),
        [N, N, N, N, 0, -1, 0, 1],
    ),
    # ATR 2, 2, 3.5, 4.25; stop below 10, 11; 9 closes under 11, stop above 13.5; 13.8 over it
    (
        "supertrend",
        {"period": 2, "multiple": 1},
        bars((11, 9, 10), (12, 10, 11), (13, 11, 12), (14, 12, 13), (12, 8, 9), (14, 12, 13.8)),
        [N, N, 1, 1, -1, 1],
    ),
    # level 9, 9.04, then 9.158 is hit: 12 above; 12 is hit again
    (
        "parabolic_sar",
        {"step": 0.02, "most": 0.2},
        bars((10, 9, 9), (11, 10, 10), (12, 11, 11), (10, 8, 9), (13, 9, 12)),
        [N, 1, 1, -1, 1],
    ),
    ("adx_strength", {"period": 2, "level": 70}, STAIRS, [N, N, N, 1, 0]),
    ("dmi_direction", {"period": 2, "margin": 20}, STAIRS, [N, N, 1, 1, -1]),
    ("dmi_direction", {"period": 2, "margin": 50}, STAIRS, [N, N, 1, 1, 0]),
    # cloud 2.5 to 3.25 at t = 7; then lines meet at 4.5 and at 4; then 1.5 under 4, cloud 5.5
    (
        "ichimoku",
        {"fast": 2, "slow": 3, "span": 4},
        [*CLIMB, *TURN],
        [N, N, N, N, N, N, 1, 0, 0, -1],
    ),
    # ages of high and low: 0 and 2, 1 and 2, 2 and 0, 0 and 0
    (
        "aroon_trend",
        {"period": 2, "level": 50},
        bars((3, 2, 2), (4, 3, 3), (5, 4, 4), (4.5, 3.5, 4), (4, 1, 2), (6, 0.5, 1)),
        [N, N, 1, 1, -1, 0],
    ),
    # movements 6 and 2 over ranges of 4; 3 and 5 over 5; 4 and 4 over 5
    (
        "vortex",
        {"period": 2, "margin": 0.05},
        bars((10, 8, 9), (11, 9, 10), (12, 10, 11), (10, 8, 9), (12, 10, 11)),
        [N, N, 1, -1, 0],
    ),
    # open and close 11 11, 11 13, 12 15, 13.5 12, 12.75 6
    (
        "heikin_ashi",
        {"count": 2},
        [
            bar(12, 12, 10, 10),
            bar(14, 14, 12, 12),
            bar(16, 16, 14, 14),
            bar(8, 16, 8, 16),
            bar(4, 8, 4, 8),
        ],
        [N, 0, 1, 0, -1],
    ),
    # EMA 2: 10, 11.33, 11.78: 0 %, 5.9 %, 1.9 % away
    ("average_distance", {"period": 2, "percent": 5}, closes(10, 10, 12, 12), [N, 1, 0, 1]),
]


@pytest.mark.parametrize(("kind", "params", "candles", "expected"), CASES)
def test_worked_by_hand(kind, params, candles, expected):
    assert answers(kind, params, candles) == expected


def test_averages_that_meet_have_not_crossed():
    # Both end at 7 after a fall from above; only the fall to 6 puts the fast one below.
    told = answers("ema_cross", {"fast": 2, "slow": 3}, closes(5, 6, 8, *[7] * 120, 6, 6))
    assert told == [None, None, 0, *[0] * 120, -1, 0]


def test_the_cross_in_words():
    words = last_words("ema_cross", {"fast": 2, "slow": 3}, ZIGZAG[:4])
    assert words == "fast EMA crossed above slow EMA (3.83333 and 3.5)"
