"""What of a wait is charged to the platform, and what to the places that were taken."""

from datetime import UTC, datetime, timedelta

from tests.bench.rush import own_delays

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def at(*seconds):
    return [START + timedelta(seconds=it) for it in seconds]


def delays(dues, began, freed, places):
    names = [f"bot_{number}" for number in range(len(dues))]
    moments = (dict(zip(names, at(*it), strict=True)) for it in (dues, began))
    return own_delays(*moments, at(*freed), places)


def test_without_want_of_places_every_second_is_the_platforms():
    assert delays([0, 1], [2, 1.5], [9, 9], places=2) == [2, 0.5]


def test_what_was_waited_for_a_place_is_not():
    assert delays([0, 0, 0], [1, 21, 32], [20, 30, 40], places=1) == [1, 1, 2]


def test_whoever_was_due_before_a_place_was_free_counts_from_the_place_and_else_from_due():
    assert delays([0, 50], [0, 53], [20, 60], places=1) == [0, 3]


def test_who_was_overtaken_is_charged_in_full():
    assert delays([0, 1, 2], [0, 31, 21], [20, 30, 40], places=1) == [0, 11, 0]
