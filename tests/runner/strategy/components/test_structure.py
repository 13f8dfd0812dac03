"""Structure and candle shapes on numbers worked by hand."""

import pytest

from tests.runner.strategy.hand import answers, bar, bars, closes

N = None
DAY = 1440
YESTERDAY = [bar(10, 12, 8, at=0), bar(10, 11, 9, at=720)]  # P 10, R1 12, S1 8, R2 14, S2 6
TODAY = [bar(price, at=DAY + n) for n, price in enumerate((11, 9, 10, 13, 7, 15, 5))]
SESSION = [
    bar(10, 11, 9, at=0),
    bar(11, 12, 10, at=1),
    bar(12.5, at=2),
    bar(13, at=3),
    bar(8, at=4),
    bar(7, at=5),
]
NEXT_SESSION = [bar(20, 20, 19, at=DAY), bar(20, at=DAY + 1), bar(21, at=DAY + 2)]

CASES = [
    # channels 11 to 9, 11 to 9, 13 to 9, 13 to 10
    (
        "donchian_breakout",
        {"period": 2},
        bars((11, 9, 10), (11, 9, 10), (13, 11, 12), (12, 10, 11), (10, 8, 9)),
        [N, N, 1, 0, -1],
    ),
    # the high of 12 is known with the third candle, the low of 8 with the fourth
    (
        "swing_break",
        {"width": 1},
        bars((10, 8, 9), (12, 9, 11), (11, 8, 10), (14, 10, 13), (11, 6, 7)),
        [N, N, 0, 1, -1],
    ),
    # highs 3, 4, 5, 2 known at the 3rd, 5th, 7th, 9th candle; lows 2, 3, 1 at the 4th, 6th, 8th
    (
        "swing_trend",
        {"width": 1},
        closes(1, 3, 2, 4, 3, 5, 1, 2, 0),
        [N, N, 0, 0, 0, 1, 1, 0, -1],
    ),
    ("previous_day_break", {}, YESTERDAY + TODAY, [N, N, 0, 0, 0, 1, -1, 1, -1]),
    ("pivot_points", {}, YESTERDAY + TODAY, [N, N, 1, -1, 0, 1, -1, 1, -1]),
    ("pivot_points", {"level": "first"}, YESTERDAY + TODAY, [N, N, 0, 0, 0, 1, -1, 1, -1]),
    ("pivot_points", {"level": "second"}, YESTERDAY + TODAY, [N, N, 0, 0, 0, 0, 0, 1, -1]),
    # range 9 to 12, each side once; the next day 19 to 20
    (
        "opening_range",
        {"minutes": 2},
        SESSION + NEXT_SESSION,
        [N, N, 1, 0, -1, 0, 0, 0, 1],
    ),
    # seen from its third minute on, the first session's range is not known
    (
        "opening_range",
        {"minutes": 2},
        SESSION[2:] + NEXT_SESSION,
        [N, N, N, N, N, N, 1],
    ),
    # 12.5 leaves 8 to 12; then 9 to 13 is kept for two candles and given up; 6 leaves 7 to 15
    (
        "inside_bar",
        {"within": 2},
        bars(
            (12, 8, 10),
            (11, 9, 10),
            (13, 9, 12.5),
            (13, 9, 10),
            (14, 8, 12),
            (15, 8, 12),
            (15, 7, 8.5),
            (14, 8, 9),
            (9, 5, 6),
        ),
        [N, 0, 1, 0, 0, 0, 0, 0, -1],
    ),
    # bodies -1, +2, -3, +1
    (
        "engulfing",
        {},
        [bar(9, opened=10), bar(10.5, opened=8.5), bar(8, opened=11), bar(9, opened=8)],
        [N, 1, -1, 0],
    ),
    # twice the body before is asked for: 2 against 1, 3 against 2
    (
        "engulfing",
        {"multiple": 2},
        [bar(9, opened=10), bar(10.5, opened=8.5), bar(8, opened=11)],
        [N, 1, 0],
    ),
    # lower wick 3 of 3.5, upper 2.9 of 3.2, one half each, no range
    (
        "pin_bar",
        {"percent": 66},
        [bar(10.2, 10.5, 7, 10), bar(10.1, 13, 9.8, 10), bar(10, 11, 9, 10), bar(10)],
        [1, -1, 0, 0],
    ),
]


@pytest.mark.parametrize(("kind", "params", "candles", "expected"), CASES)
def test_worked_by_hand(kind, params, candles, expected):
    assert answers(kind, params, candles) == expected


def test_the_opening_range_may_open_at_any_minute():
    params = {"hour": 9, "minute": 30, "minutes": 2}
    candles = [
        bar(price, at=9 * 60 + 28 + n) for n, price in enumerate((10, 10, 10, 12, 13, 9, 11))
    ]
    # the range is that of 9:30 and 9:31, so 10 to 12
    assert answers("opening_range", params, candles) == [N, N, N, N, 1, -1, 0]
