"""Every clock change of every zone from 2024 to 2035: windows run forward and leave no hole."""

import itertools
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from app.domain import schedule
from app.domain.schedule import Schedule, Session

EVERY_DAY = tuple(range(7))
WEEK, SECOND = timedelta(days=7), timedelta(seconds=1)
BEGIN, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
NIGHTS = (
    Session(EVERY_DAY, time(0, 30), time(2, 30)),
    Session(EVERY_DAY, time(23), time(1, 30)),
    Session(EVERY_DAY, time(2, 15), time(2, 45)),
)


def changes(name):
    """Each clock change: its instant, to the second, and the offsets around it."""
    zone = ZoneInfo(name)
    weeks = [BEGIN + WEEK * n for n in range((END - BEGIN) // WEEK + 1)]
    offsets = [moment.astimezone(zone).utcoffset() for moment in weeks]
    for (low, a), (high, b) in itertools.pairwise(zip(weeks, offsets, strict=True)):
        if a == b:
            continue
        before, after = low, high
        while after - before > SECOND:
            middle = before + (after - before) // SECOND // 2 * SECOND
            if middle.astimezone(zone).utcoffset() == a:
                before = middle
            else:
                after = middle
        yield after, a, b


def found():
    """One zone for each different change; most zones share theirs with others."""
    known = {}
    for name in sorted(available_timezones()):
        for change in changes(name):
            known.setdefault(change, name)
    return known


def test_no_clock_change_turns_a_window_round_or_leaves_a_hole():
    known = found()
    assert len(known) > 100
    for (at, _, _), name in known.items():
        start, end = at - timedelta(days=2), at + timedelta(days=2)
        nights = schedule.windows(Schedule(name, NIGHTS), start, end)
        assert nights, name
        assert all(w.opens < w.closes for w in nights), (name, at)
        assert all(a.closes < b.opens for a, b in itertools.pairwise(nights)), (name, at)
        whole = Schedule(name, (Session(EVERY_DAY, time(0), time(0)),))
        (one,) = schedule.windows(whole, start, end)
        assert one.opens <= start, (name, at)
        assert one.closes >= end, (name, at)
        halves = Schedule(
            name,
            (Session(EVERY_DAY, time(2, 30), time(14)), Session(EVERY_DAY, time(14), time(2, 30))),
        )
        assert len(schedule.windows(halves, start, end)) == 1, (name, at)
