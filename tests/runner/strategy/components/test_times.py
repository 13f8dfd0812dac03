"""The clock's components: candles count when they close."""

import pytest

from tests.runner.strategy.hand import answers, bar, last_words

N = None
NIGHT = {"from_hour": 22, "until_hour": 2}
WEEKEND = {"first": "Saturday", "last": "Sunday"}
OPEN = {"hour": 9, "minute": 30, "wait": 5, "minutes": 30}


def opened(*minutes):
    return [bar(100, at=minute) for minute in minutes]


CASES = [
    # closes at 22, 23, 24, 1, 2 o'clock
    ("trading_hours", NIGHT, opened(*(60 * h for h in range(20, 26))), [N, 1, 1, 1, 1, 0]),
    # the first midnight is a Thursday's; the candles close on Saturday, Sunday, Monday
    ("weekdays", WEEKEND, opened(0, 1440, 2880, 4320), [N, 1, 1, 0]),
    # closes 0, 10, 20, 30 minutes after the open
    ("after_open", OPEN, opened(550, 560, 570, 580, 590), [N, 0, 1, 1, 0]),
    # closes at 7:45, 7:50, 7:55, 8:00, 8:05
    (
        "away_from_funding",
        {"interval": 8, "before": 10, "after": 5},
        opened(455, 460, 465, 470, 475, 480),
        [N, 1, 0, 0, 0, 1],
    ),
]


@pytest.mark.parametrize(("kind", "params", "candles", "expected"), CASES)
def test_worked_by_hand(kind, params, candles, expected):
    assert answers(kind, params, candles) == expected


def test_an_interval_that_does_not_divide_the_day_begins_anew_at_midnight():
    # Every 7 hours: 0, 7, 14, 21, and then midnight, 3 hours later.
    params = {"interval": 7, "before": 10, "after": 0}
    closes_at = answers("away_from_funding", params, opened(*range(1400, 1445, 5)))
    assert closes_at == [N, 1, 1, 1, 1, 0, 0, 1, 1]


def test_the_time_in_words():
    words = last_words("trading_hours", NIGHT, opened(60 * 20, 60 * 21))
    assert words == "it is Thursday 22:00 UTC, 22:00 to 02:00 passes"
