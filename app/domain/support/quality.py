"""How well the desk does, counted from its rows each time; nobody is followed for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.support import office
from app.extensions import db
from app.models import (
    AuthorKind,
    Channel,
    Deflection,
    Ticket,
    TicketEvent,
    TicketRating,
    TicketState,
)

SPANS = (7, 30, 90)
ENDS = (TicketState.RESOLVED.value, TicketState.CLOSED.value)
PEOPLE = (AuthorKind.USER, AuthorKind.CONTACT)


@dataclass(frozen=True)
class Times:
    """Lengths of time in business seconds; ``None`` where there is none to count."""

    number: int
    median: timedelta | None
    p90: timedelta | None


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def words(self) -> str:
        """As a person reads it."""
        if not self.whole:
            return "–"
        return f"{round(100 * self.part / self.whole)} %"


@dataclass(frozen=True)
class Figures:
    """The desk over the last ``days``: of tickets opened, answered and ended in them."""

    days: int
    opened: int
    waiting: int
    answered: Times
    solved: Times
    reopened: Share
    timed_out: Share
    warned_answered: Share
    deflected: Share
    helped: Share
    asked: int


def figures(days: int, now: datetime) -> Figures:
    """Count."""
    since = now - timedelta(days=days)
    hours = office.now_open().hours
    answered, solved = _pairs(Ticket.first_answered_at, since), _solved(since)
    timed_out, warned, came_back = _timer(since)
    return Figures(
        days=days,
        opened=_count(Ticket, Ticket.created_at > since),
        waiting=_count(Ticket, Ticket.state.in_((TicketState.NEW, TicketState.OPEN))),
        answered=_times([hours.between(*pair) for pair in answered]),
        solved=_times([hours.between(*pair) for pair in solved]),
        reopened=_reopened(since, len(solved)),
        timed_out=Share(timed_out, len(solved)),
        warned_answered=Share(came_back, warned),
        deflected=_deflected(since),
        helped=_helped(since),
        asked=_count(TicketRating, TicketRating.asked_at > since),
    )


def _times(seconds: Sequence[int]) -> Times:
    """Median, and what nine of ten stay within."""
    if not seconds:
        return Times(0, None, None)
    ordered = sorted(seconds)
    worst = ordered[ceil(0.9 * len(ordered)) - 1]
    middle = timedelta(seconds=int(median(ordered)))
    return Times(len(ordered), middle, timedelta(seconds=worst))


def _pairs(
    end: InstrumentedAttribute[datetime | None], since: datetime, *conditions: ColumnElement[bool]
) -> list[tuple[datetime, datetime]]:
    query = select(Ticket.created_at, end).where(end > since, *conditions)
    rows = db.session.execute(query)
    return [(opened, ended) for opened, ended in rows if ended is not None]


def _solved(since: datetime) -> list[tuple[datetime, datetime]]:
    over = Ticket.state.in_((TicketState.RESOLVED, TicketState.CLOSED))
    return _pairs(Ticket.closed_at, since, over)


def _count(kind: Any, *conditions: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(kind).where(*conditions)) or 0


def _reopened(since: datetime, ended: int) -> Share:
    """Tickets taken up again in the span, of these and the ones that stayed over."""
    taken_up = {
        event.ticket_id
        for event in _events(since)
        if any(it["field"] == "state" and it["before"] in ENDS for it in event.changes)
    }
    again = {TicketState.RESOLVED, TicketState.CLOSED}
    still = select(Ticket.id).where(Ticket.id.in_(taken_up), Ticket.state.in_(again))
    counted_already = len(db.session.scalars(still).all())
    return Share(len(taken_up), ended + len(taken_up) - counted_already)


def _timer(since: datetime) -> tuple[int, int, int]:
    """Closed by the timer; warned by it; and of those warned, answered before it closed them."""
    closed = warned = came_back = 0
    waiting: set[str] = set()
    for event in _events(since):
        if event.channel is Channel.TIMER:
            if _closes(event):
                closed += 1
                waiting.discard(event.ticket_id)
            elif event.ticket_id not in waiting:
                warned += 1
                waiting.add(event.ticket_id)
        elif event.actor in PEOPLE and event.ticket_id in waiting:
            came_back += 1
            waiting.discard(event.ticket_id)
    return closed, warned, came_back


def _events(since: datetime) -> Sequence[TicketEvent]:
    query = select(TicketEvent).where(TicketEvent.created_at > since)
    return db.session.scalars(query.order_by(TicketEvent.created_at, TicketEvent.seq)).all()


def _closes(event: TicketEvent) -> bool:
    return any(
        it["field"] == "state" and it["after"] == TicketState.CLOSED.value for it in event.changes
    )


def _deflected(since: datetime) -> Share:
    shown = Deflection.created_at > since
    return Share(_count(Deflection, shown, Deflection.helped.is_(True)), _count(Deflection, shown))


def _helped(since: datetime) -> Share:
    rated, good = TicketRating.rated_at > since, TicketRating.good.is_(True)
    return Share(_count(TicketRating, rated, good), _count(TicketRating, rated))
