"""When an entry is allowed, and the words when it is not."""

from datetime import UTC, datetime, timedelta

import pytest

from runner.entries import Standing, within
from runner.protocol import Window

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
OPEN = (Window(NOW - timedelta(hours=1), NOW + timedelta(hours=1)),)


def standing(**changes):
    known = {"windows": OPEN, "lease_deadline": 100.0, "grace_seconds": 60.0}
    return Standing(**{**known, "preflight_passed": True, **changes})


def test_nothing_blocks_a_healthy_bot():
    assert standing().blocked(NOW, 99.0) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"paused": True}, "paused"),
        ({"hold": "the exchange is away"}, "held: the exchange is away"),
        ({"draining": True}, "draining"),
        ({"flattening": True}, "flattening"),
        ({"stopping": True}, "the runner is stopping"),
        ({"preflight_passed": False}, "the preflight has not passed"),
        ({"foreign": "a foreign order"}, "a foreign order"),
        ({"windows": ()}, "outside trading window"),
    ],
)
def test_each_block_has_its_words(changes, words):
    assert standing(**changes).blocked(NOW, 99.0) == words


def test_a_window_is_half_open():
    window = OPEN[0]
    assert within(OPEN, window.opens)
    assert not within(OPEN, window.closes)
    assert not within(OPEN, window.opens - timedelta(microseconds=1))


def test_a_lost_platform_allows_entries_for_the_grace_time_only():
    assert standing().blocked(NOW, 160.0) is None
    assert "out of reach" in standing().blocked(NOW, 160.1)
    assert "out of reach" in standing(grace_seconds=0).blocked(NOW, 100.1)


def test_nothing_is_entered_in_the_last_minutes_of_a_window():
    late = OPEN[0].closes - timedelta(minutes=10)
    assert standing(quiet_minutes=10).blocked(late - timedelta(seconds=1), 99.0) is None
    assert "last 10 minutes" in standing(quiet_minutes=10).blocked(late, 99.0)
    following = Window(OPEN[0].closes + timedelta(minutes=1), NOW + timedelta(hours=9))
    both = standing(quiet_minutes=10, windows=(*OPEN, following))
    assert "last 10 minutes" in both.blocked(late, 99.0)


def test_a_position_must_go_when_its_window_has_ended_and_only_if_asked():
    end = OPEN[0].closes
    assert standing().way_out(end) is None
    flat = standing(end_policy="flatten")
    assert flat.way_out(end - timedelta(microseconds=1)) is None
    assert flat.way_out(end) == "the trading window has ended"
    assert standing(flattening=True).way_out(NOW) == "asked to flatten"
