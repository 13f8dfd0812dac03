"""The instant a wall clock in a zone shows a time, through every clock change. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def instant(wall: datetime, zone: ZoneInfo, *, later: bool) -> datetime:
    """The UTC instant of a wall time.

    A wall time that daylight saving skips becomes the first instant after the gap; one that
    happens twice opens at the earlier and closes at the later of the two.
    """
    moment = wall.replace(tzinfo=zone, fold=int(later)).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return _first_after_gap(before, after, zone)


def _first_after_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The clock change between two instants, found by halving to the second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=1) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
