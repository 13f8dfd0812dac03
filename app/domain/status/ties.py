"""Tickets tied to an incident: nothing closes them by itself, and updates answer them together."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select

from app import tenancy
from app.domain.audit import Change
from app.domain.errors import Conflict
from app.domain.status import components, incidents
from app.domain.support import closing, events, states
from app.domain.support.events import Voice
from app.domain.support.tickets import lock
from app.extensions import db
from app.models import Bot, Incident, Subject, Ticket, TicketState

AROUND = timedelta(minutes=15)
"""A ticket that was opened so shortly before an incident, or later, may be about it."""

MOST = 50


@dataclass(frozen=True)
class Choice:
    """An open incident to tie a ticket to; ``likely`` where time and exchange fit."""

    incident: Incident
    likely: bool


def link(ticket: Ticket, incident: Incident, *, voice: Voice, now: datetime) -> None:
    """Tie a ticket to an open incident; its owner sees that. Doing it twice changes nothing.

    Raises:
        Conflict: the incident is over, or the ticket went into another one.
    """
    incidents.lock(incident)
    lock(ticket)
    if ticket.incident_id == incident.id:
        return
    if incident.resolved_at is not None:
        raise Conflict("This incident is over; there is nothing to wait for.")
    if ticket.state is TicketState.MERGED:
        raise Conflict(f"{ticket.ref} was merged; tie the ticket it went into.")
    before, ticket.incident_id = ticket.incident_id, incident.id
    closing.restart(ticket, now)
    changes = [Change("incident_id", before, incident.id)]
    events.public(ticket, "ticket.tie", voice, now, changes, incident.title)
    _count(incident)
    if before is not None:
        _count(db.session.get_one(Incident, before))


def unlink(ticket: Ticket, *, voice: Voice, now: datetime) -> None:
    """Let a ticket go; where it waits for its owner the usual clock begins anew."""
    lock(ticket)
    if ticket.incident_id is None:
        return
    incident = db.session.get_one(Incident, ticket.incident_id)
    let_go(ticket, incident, voice=voice, now=now)
    if incident.resolved_at is None:
        _count(incident)


def let_go(ticket: Ticket, incident: Incident, *, voice: Voice, now: datetime) -> None:
    """The same for a locked ticket; the incident goes on counting it."""
    ticket.incident_id = None
    closing.restart(ticket, now)
    changes = [Change("incident_id", incident.id, None)]
    events.public(ticket, "ticket.untie", voice, now, changes, incident.title)


def ticket(ticket_id: str) -> Ticket | None:
    """A ticket of any workspace."""
    return db.session.get(Ticket, ticket_id)


def tied(incident: Incident) -> list[Ticket]:
    """The tickets tied now, oldest first."""
    query = select(Ticket).where(Ticket.incident_id == incident.id)
    return list(db.session.scalars(query.order_by(Ticket.created_at, Ticket.id)))


def suggested(incident: Incident) -> list[Ticket]:
    """Tickets that may be about an incident: open, not tied, in its time, of an exchange it hits.

    Tickets that name no bot are among them where it hits a part of the platform.
    """
    hit = {it.component_key for it in incident.components}
    fits: list[ColumnElement[bool]] = [Bot.exchange.in_(_exchanges(hit))]
    if hit & components.PLATFORM.keys():
        fits += [Bot.exchange.is_not(None), Ticket.about.is_(None)]
    query = (
        select(Ticket)
        .outerjoin(Bot, (Ticket.about == Subject.BOT) & (Bot.id == Ticket.about_id))
        .where(
            Ticket.incident_id.is_(None),
            Ticket.state.not_in((*states.SETTLED, TicketState.MERGED)),
            Ticket.created_at >= incident.began_at - AROUND,
            or_(*fits),
        )
    )
    return list(db.session.scalars(query.order_by(Ticket.created_at, Ticket.id).limit(MOST)))


def choices(ticket: Ticket) -> list[Choice]:
    """The open incidents a ticket can be tied to, likely ones first."""
    with tenancy.everywhere("operators tie tickets of every workspace to incidents"):
        found = incidents.current()
        bot = db.session.get(Bot, ticket.about_id) if ticket.about is Subject.BOT else None
        made = [Choice(it, _likely(ticket, bot, it)) for it in found]
    return sorted(made, key=lambda it: not it.likely)


def _likely(ticket: Ticket, bot: Bot | None, incident: Incident) -> bool:
    in_time = ticket.created_at >= incident.began_at - AROUND
    hit = {it.component_key for it in incident.components}
    named = components.exchange_key(bot.exchange) if bot is not None else ""
    return in_time and (named in hit or bool(hit & components.PLATFORM.keys()))


def _exchanges(keys: set[str]) -> list[str]:
    head = components.exchange_key("")
    return [key.removeprefix(head) for key in keys if key.startswith(head)]


def _count(incident: Incident) -> None:
    """How many are tied, and when the first of them was opened."""
    db.session.flush()
    query = select(func.count(), func.min(Ticket.created_at))
    row = db.session.execute(query.where(Ticket.incident_id == incident.id)).one()
    incident.tickets, incident.first_report_at = row[0], row[1]
