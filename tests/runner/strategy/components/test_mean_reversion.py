"""Components that bet on a return, on numbers worked by hand."""

import pytest

from tests.runner.strategy.hand import answers, bar, closes, last_words, volumes

N = None
DIP = closes(10, 9, 8, 7, 9, 12, 9)  # RSI 2: 0, 0, 66.7, 88.9, 38.1
PLACES = closes(5, 4, 3, 5, 7, 6)  # place in the range of two: 0, 0, 100, 100, 0
BAND = closes(10, 10, 10, 10, 6, 9, 14, 10)
# of four: 10 ± 0, 9 ± 1.73, 8.75 ± 1.64, 9.75 ± 2.86, 9.75 ± 2.86
CHANNEL = closes(10, 10, 10, 13, 12, 8, 9)
# EMA 10, 12, 12, 9.33, 9.11; half an ATR 0, 0.75, 0.625, 1.31, 0.91

CASES = [
    ("rsi_reversion", {"period": 2, "lower": 30, "upper": 70}, DIP, [N, N, N, 0, 1, 0, -1]),
    # %K over two: 0, 50, 100, 50
    (
        "stochastic_reversion",
        {"period": 2, "smooth_k": 2, "smooth_d": 1},
        PLACES,
        [N, N, N, 1, 0, -1],
    ),
    # place of RSI among two: 0 (no range), 100, 100, 0
    ("stoch_rsi_reversion", {"rsi": 2, "period": 2}, DIP, [N, N, N, N, 1, 0, -1]),
    ("williams_reversion", {"period": 2}, PLACES, [N, N, 0, 1, 0, -1]),
    # -2 / 0.02 = -100, 1 / 0.02 = 50, 3 / 0.03 = 100, -1 / 0.02 = -50
    (
        "cci_reversion",
        {"period": 3, "level": 90},
        closes(10, 10, 7, 10, 13, 10),
        [N, N, N, 1, 0, -1],
    ),
    # 0; (4 · 2/3 + 2 · 2/4 + 2/5) / 7 = 58.1; (4 + 2 · 5/6 + 5/7) / 7 = 91.2;
    # (4 · 3/6 + 2 · 5/8 + 5/9) / 7 = 54.4
    (
        "ultimate_reversion",
        {"short": 2, "middle": 3, "long": 4},
        closes(10, 9, 8, 7, 6, 8, 11, 8),
        [N, N, N, N, N, 1, 0, -1],
    ),
    ("bollinger_reversion", {"period": 4, "width": 1}, BAND, [N, N, N, 0, 0, 1, 0, -1]),
    ("bollinger_breakout", {"period": 4, "width": 1}, BAND, [N, N, N, 0, -1, 0, 1, 0]),
    (
        "keltner_reversion",
        {"period": 2, "atr": 2, "width": 0.5},
        CHANNEL,
        [N, N, 0, 0, -1, 0, 1],
    ),
    (
        "keltner_breakout",
        {"period": 2, "atr": 2, "width": 0.5},
        CHANNEL,
        [N, N, 0, 1, 0, -1, 0],
    ),
    # 0, -3 / 1.73, 0.25 / 1.64, 5 / 3.24
    (
        "z_score",
        {"period": 4, "level": 1.5},
        closes(10, 10, 10, 10, 6, 9, 15),
        [N, N, N, 0, 1, 0, -1],
    ),
    # VWAP 11.5, 12.5, 12: +4.3 %, +12 %, -16.7 %
    (
        "vwap_distance",
        {"period": 2, "percent": 5},
        volumes((10, 1), (12, 3), (14, 1), (10, 1)),
        [N, 0, -1, 1],
    ),
    # up, up, down, still, down, down
    ("streak_fade", {"count": 2}, closes(1, 2, 3, 2, 2, 1, 0), [N, N, -1, 0, 0, 0, 1]),
]


@pytest.mark.parametrize(("kind", "params", "candles", "expected"), CASES)
def test_worked_by_hand(kind, params, candles, expected):
    assert answers(kind, params, candles) == expected


def test_a_range_without_height_is_no_zone():
    # %R of a still market is neither at its top nor at its bottom.
    still = [bar(5) for _ in range(5)]
    assert answers("williams_reversion", {"period": 2}, still) == [N, N, 0, 0, 0]


def test_the_return_in_words():
    params = {"period": 2, "lower": 30, "upper": 70}
    words = [last_words("rsi_reversion", params, DIP[:end]) for end in (5, 6, 7)]
    assert words == [
        "RSI 66.7 rose back above 30",
        "RSI 88.9, no return through 30 or 70",
        "RSI 38.1 fell back below 70",
    ]
