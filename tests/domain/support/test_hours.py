"""Business hours against counting minute by minute, through the nights on which clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.support.hours import MIDNIGHT, Hours, due_at

MINUTE = timedelta(minutes=1)
# They change their clocks at 1, 2 or 3 in the night, by an hour or by half of one, or never.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
# Nights of change in these zones, and a plain week.
NEAR = (date(2026, 3, 7), date(2026, 3, 27), date(2026, 4, 3), date(2026, 10, 24), date(2026, 6, 1))
OPENINGS = (time(0), time(4, 30), time(9))
CLOSINGS = (MIDNIGHT, time(9, 1), time(17), time(23, 59))


@st.composite
def offices(draw):
    opens, closes = draw(st.sampled_from(OPENINGS)), draw(st.sampled_from(CLOSINGS))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    near = draw(st.sampled_from(NEAR))
    holidays = draw(st.frozensets(st.integers(0, 5).map(lambda n: near + timedelta(days=n))))
    return near, Hours(draw(st.sampled_from(ZONES)), days, opens, closes, holidays)


def is_open(moment, hours):
    """By the wall clock at that minute, and nothing else."""
    local = moment.astimezone(ZoneInfo(hours.zone))
    if local.weekday() not in hours.weekdays or local.date() in hours.holidays:
        return False
    wall = local.time()
    return hours.opens <= wall and (hours.closes == MIDNIGHT or wall < hours.closes)


def beginning(near, minutes):
    return datetime.combine(near, time(0), UTC) - timedelta(hours=14) + minutes * MINUTE


@settings(max_examples=60, deadline=None)
@given(offices(), st.integers(0, 1440), st.integers(0, 3 * 1440))
def test_open_time_is_what_counting_each_minute_gives(office, start, length):
    near, hours = office
    since = beginning(near, start)
    counted = sum(is_open(since + n * MINUTE, hours) for n in range(length))
    assert hours.between(since, since + length * MINUTE) == counted * 60


@settings(max_examples=60, deadline=None)
@given(offices(), st.integers(0, 1440), st.integers(1, 900), st.integers(0, 300))
def test_it_is_due_with_the_last_minute_that_counting_allows(office, start, left, spent):
    near, hours = office
    since = beginning(near, start)
    due = due_at(spent * 60, (spent + left) * 60, since, hours)
    moment, counted = since, 0
    while counted < left:
        counted += is_open(moment, hours)
        moment += MINUTE
    assert due == moment


@settings(max_examples=40, deadline=None)
@given(offices(), st.integers(0, 1440), st.integers(60, 40_000), st.integers(0, 40_000))
def test_pausing_and_going_on_later_changes_no_more_than_the_pause(office, start, allowed, cut):
    near, hours = office
    since = beginning(near, start)
    pause = since + timedelta(seconds=cut)
    spent = hours.between(since, pause)
    due = due_at(0, allowed, since, hours)
    if spent < allowed:
        assert due_at(spent, allowed, pause, hours) == due
    else:
        assert due <= pause


def test_an_hour_that_is_missing_or_twice_is_counted_as_it_passes():
    night = Hours("Europe/Berlin", frozenset(range(7)), time(0), MIDNIGHT)
    spring, autumn = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert night.between(spring, spring + timedelta(hours=23)) == 23 * 3600
    assert due_at(0, 24 * 3600, autumn, night) == autumn + timedelta(hours=24)
    workday = Hours("Europe/Berlin", frozenset({6}), time(0), time(6))
    assert workday.between(spring, spring + timedelta(days=1)) == 5 * 3600
    assert workday.between(autumn, autumn + timedelta(days=1)) == 7 * 3600


def test_nothing_left_is_due_at_once_and_a_desk_that_never_opens_is_never_late():
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert due_at(10, 10, now, Hours()) == now
    assert due_at(0, 1, now, Hours(weekdays=frozenset())) is None
