"""How long positions stood without a stop at the venue, and which of it nobody was told. Pure.

Times are Unix milliseconds, quantities signed: a long position is positive.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Change:
    """An execution: what it did to the position."""

    at: int
    quantity: Decimal


@dataclass(frozen=True)
class Stop:
    """A reduce-only stop that rested from ``since`` until ``until``; ``None``: it still does.

    ``covers``: what it would close, with the sign of the position it would close.
    """

    since: int
    until: int | None
    covers: Decimal


@dataclass(frozen=True)
class Naked:
    """A time during which at least a part of a position had no stop."""

    since: int
    until: int

    @property
    def seconds(self):
        return (self.until - self.since) / 1000


@dataclass(frozen=True)
class Told:
    """What the platform was told of a position's protection at a moment."""

    at: int
    state: str


LACKING = ("missing", "none")


def naked(changes, stops, end):
    """Each time at least a part was held without a stop, from the venue's history up to ``end``."""
    moments = {change.at for change in changes} | {stop.since for stop in stops}
    moments |= {stop.until for stop in stops if stop.until is not None}
    deltas = {}
    for change in changes:
        deltas.setdefault(change.at, []).append(change.quantity)
    edges = sorted(moment for moment in moments if moment < end)
    resting, waiting = [], sorted(stops, key=lambda stop: stop.since)
    held, since, found = Decimal(0), None, []
    for edge in edges:
        held += sum(deltas.get(edge, []), Decimal(0))
        while waiting and waiting[0].since <= edge:
            resting.append(waiting.pop(0))
        resting = [stop for stop in resting if stop.until is None or stop.until > edge]
        bare = not _is_covered(held, resting)
        if bare and since is None:
            since = edge
        elif not bare and since is not None:
            found.append(Naked(since, edge))
            since = None
    return found if since is None else [*found, Naked(since, end)]


def _is_covered(held, resting):
    covered = sum((abs(s.covers) for s in resting if s.covers * held > 0), Decimal(0))
    return covered >= abs(held)


def unreported(times, told, late, least, grace):
    """Of those that lasted at least ``least`` ms, the ones nobody was told of.

    Told is what was said to be missing during such a time or, as a runner that was dead meanwhile
    can only say it afterwards, up to ``grace`` ms later. ``late``: moments at which the last entry
    was said to have had no stop; each stands for the one time that began last before it.
    """
    said = sorted(word.at for word in told if word.state in LACKING)
    begun = [time.since for time in times]
    known = {bisect_right(begun, at) - 1 for at in late}

    def is_told(number, time):
        first = bisect_left(said, time.since)
        return number in known or (first < len(said) and said[first] <= time.until + grace)

    return [
        time
        for number, time in enumerate(times)
        if time.until - time.since >= least and not is_told(number, time)
    ]
