"""Sessions become windows in UTC, through every clock change there is."""

import itertools
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import schedule, schedule_text
from app.domain.errors import Invalid
from app.domain.schedule import ALWAYS, Schedule, Session

EVERY_DAY = tuple(range(7))
ZONES = sorted(zone for zone in available_timezones() if "/" in zone)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opened(plan, start, end):
    return [(w.opens, w.closes) for w in schedule.windows(plan, utc(start), utc(end))]


def test_a_session_in_a_zone_is_expanded_to_utc():
    plan = Schedule("Europe/Berlin", (Session((0,), time(9), time(17, 30)),))
    assert opened(plan, "2026-11-23", "2026-11-24") == [
        (utc("2026-11-23T08:00"), utc("2026-11-23T16:30"))
    ]


def test_a_session_across_midnight_ends_the_next_day():
    plan = Schedule("UTC", (Session((4,), time(22), time(2)),))
    assert opened(plan, "2026-11-27", "2026-11-29") == [
        (utc("2026-11-27T22:00"), utc("2026-11-28T02:00"))
    ]


def test_equal_times_mean_a_whole_day():
    plan = Schedule("UTC", (Session(EVERY_DAY, time(6), time(6)),))
    assert schedule.is_open(plan, utc("2026-11-27T05:59:59"))
    assert schedule.closing(plan, utc("2026-11-27T05:59:59")) is None


def test_overlapping_and_touching_sessions_become_one_window():
    plan = Schedule(
        "UTC",
        (
            Session(EVERY_DAY, time(8), time(12)),
            Session(EVERY_DAY, time(11), time(15)),
            Session(EVERY_DAY, time(15), time(16)),
        ),
    )
    assert opened(plan, "2026-11-27T09:00", "2026-11-27T10:00") == [
        (utc("2026-11-27T08:00"), utc("2026-11-27T16:00"))
    ]


def test_a_session_inside_another_does_not_end_it():
    plan = Schedule(
        "UTC",
        (Session(EVERY_DAY, time(8), time(16)), Session(EVERY_DAY, time(9), time(10))),
    )
    assert opened(plan, "2026-11-27T09:00", "2026-11-27T11:00") == [
        (utc("2026-11-27T08:00"), utc("2026-11-27T16:00"))
    ]


def test_windows_are_half_open():
    plan = Schedule("UTC", (Session(EVERY_DAY, time(8), time(9)),))
    assert schedule.is_open(plan, utc("2026-11-27T08:00"))
    assert not schedule.is_open(plan, utc("2026-11-27T09:00"))


def test_a_skipped_wall_time_opens_with_the_clock_change():
    # Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC.
    plan = Schedule("Europe/Berlin", (Session((6,), time(2, 30), time(5)),))
    assert opened(plan, "2026-03-29", "2026-03-30") == [
        (utc("2026-03-29T01:00"), utc("2026-03-29T03:00"))
    ]


def test_a_wall_time_that_happens_twice_opens_early_and_closes_late():
    # Berlin, 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC.
    plan = Schedule("Europe/Berlin", (Session((6,), time(2, 15), time(2, 45)),))
    assert opened(plan, "2026-10-25", "2026-10-26") == [
        (utc("2026-10-25T00:15"), utc("2026-10-25T01:45"))
    ]


def test_next_opening_and_closing():
    plan = Schedule("UTC", (Session((0,), time(8, 30, 15), time(9)),))
    now = utc("2026-11-27T12:00")
    assert schedule.next_opening(plan, now) == utc("2026-11-30T08:30:15")
    assert schedule.closing(plan, utc("2026-11-30T08:45")) == utc("2026-11-30T09:00")
    assert schedule.next_opening(ALWAYS, now) is None


def test_stored_and_read_back():
    plan = Schedule("Asia/Tokyo", (Session((0, 2), time(9, 0, 30), time(1)),))
    assert schedule.from_plain(plan.to_plain()) == plan


def test_described_as_a_person_would():
    plan = schedule.schedule("UTC", [schedule.session([0, 1, 2, 3, 4], "09:00", "17:30")])
    assert schedule_text.describe(plan) == "Mon–Fri 09:00–17:30 (UTC)"
    assert schedule_text.describe(ALWAYS) == "Around the clock"


@pytest.mark.parametrize(
    ("days", "opens", "closes", "field"),
    [
        ([], "09:00", "17:00", "days"),
        ([7], "09:00", "17:00", "days"),
        ([0], "9", "17:00", "opens"),
        ([0], "09:00", "24:00", "closes"),
    ],
)
def test_bad_input_names_the_field(days, opens, closes, field):
    with pytest.raises(Invalid) as refusal:
        schedule.session(days, opens, closes)
    assert refusal.value.field == field


def test_an_unknown_zone_is_refused():
    with pytest.raises(Invalid, match="IANA"):
        schedule.schedule("Middle/Earth", [])


wall = st.builds(time, st.integers(0, 23), st.integers(0, 59), st.sampled_from([0, 15]))
sessions = st.builds(
    Session,
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    wall,
    wall,
)
plans = st.builds(
    Schedule, st.sampled_from(ZONES), st.lists(sessions, min_size=1, max_size=4).map(tuple)
)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2035, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


@settings(max_examples=150, deadline=None)
@given(plans, moments)
def test_windows_are_sorted_apart_and_forward(plan, now):
    found = schedule.windows(plan, now, now + timedelta(days=8))
    assert all(w.opens < w.closes for w in found)
    assert all(a.closes < b.opens for a, b in itertools.pairwise(found))


@settings(max_examples=150, deadline=None)
@given(plans, moments)
def test_away_from_clock_changes_open_means_inside_a_session(plan, now):
    zone = ZoneInfo(plan.zone)
    offsets = {(now + timedelta(hours=h)).astimezone(zone).utcoffset() for h in range(-60, 61, 1)}
    if len(offsets) > 1:
        return
    local = now.astimezone(zone)
    expected = any(_covers(item, local) for item in plan.sessions)
    assert schedule.is_open(plan, now) == expected


def _covers(item, local):
    today, yesterday = local.weekday(), (local.weekday() - 1) % 7
    clock = local.time()
    if item.opens < item.closes:
        return today in item.days and item.opens <= clock < item.closes
    late = today in item.days and clock >= item.opens
    return late or (yesterday in item.days and clock < item.closes)
