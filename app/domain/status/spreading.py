"""Bringing an update to everybody who waits for it: in steps, each kept whole, none done twice.

What is left is read from the rows at every step: subscribers without a letter of this update, and
tickets without its answer. A worker that dies leaves the rest to the next one.
"""

from datetime import datetime, timedelta

from sqlalchemy import literal, select

from app.domain import mail
from app.domain.audit import Actor
from app.domain.status import ties
from app.domain.support import tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said
from app.extensions import db
from app.models import (
    AddressHealth,
    AuthorKind,
    Incident,
    IncidentState,
    IncidentUpdate,
    Mail,
    StatusSubscriber,
    Ticket,
    TicketMessage,
    TicketState,
    User,
)

AT_ONCE = 25
FORGOTTEN_AFTER = timedelta(minutes=2)
ASK = "Does it work for you again? If not, answer here and we go on."
WORDS = {
    IncidentState.INVESTIGATING: "being looked into",
    IncidentState.IDENTIFIED: "cause found",
    IncidentState.MONITORING: "cured, being watched",
    IncidentState.RESOLVED: "over",
}


def step(update_id: str, base_url: str, now: datetime) -> bool:
    """Tell the next few; ``False`` once all have it. Commit after each step.

    Of tickets it tells one: who writes in a ticket holds its row and then the end of its
    workspace's audit log, and whoever held that end would wait for a second ticket in a circle.

    Args:
        update_id: what is told.
        base_url: where the links in letters lead.
        now: the moment, UTC.
    """
    row = select(IncidentUpdate).where(IncidentUpdate.id == update_id).with_for_update()
    update = db.session.scalar(row.execution_options(populate_existing=True))
    if update is None or update.spread_at is not None:
        return False
    incident = db.session.get_one(Incident, update.incident_id)
    told = _write(update, incident, base_url, now) + _answer(update, incident, now)
    if told == 0:
        update.spread_at = now
    return told > 0


def forgotten(now: datetime, limit: int = 20) -> list[str]:
    """Updates that should be everywhere by now and are not."""
    query = select(IncidentUpdate.id).where(
        IncidentUpdate.spread_at.is_(None), IncidentUpdate.created_at < now - FORGOTTEN_AFTER
    )
    return list(db.session.scalars(query.order_by(IncidentUpdate.created_at).limit(limit)))


def _write(update: IncidentUpdate, incident: Incident, base_url: str, now: datetime) -> int:
    head = f"{update.id} "
    written = select(Mail.id).where(Mail.dedupe_key == literal(head) + StatusSubscriber.id)
    dead = select(AddressHealth.email_key).where(
        AddressHealth.disabled_at.is_not(None),
        AddressHealth.email_key == StatusSubscriber.email_key,
    )
    query = select(StatusSubscriber).where(
        StatusSubscriber.confirmed_at <= update.created_at,
        StatusSubscriber.ended_at.is_(None),
        ~written.exists(),
        ~dead.exists(),
    )
    found = db.session.scalars(query.order_by(StatusSubscriber.id).limit(AT_ONCE)).all()
    for subscriber in found:
        leave = f"{base_url}/status/unsubscribe/{subscriber.id}"
        letter = mail.post(
            "status_update",
            to=subscriber.email,
            now=now,
            title=incident.title,
            state=WORDS[update.state],
            body=update.body,
            page=f"{base_url}/status/incidents/{incident.id}",
            leave=leave,
        )
        letter.dedupe_key = f"{head}{subscriber.id}"
        letter.recipient_id = subscriber.id
        letter.envelope = {
            "headers": {
                "List-Unsubscribe": f"<{leave}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            }
        }
    db.session.flush()
    return len(found)


def _answer(update: IncidentUpdate, incident: Incident, now: datetime) -> int:
    if not update.answers:
        return 0
    key = f"incident {update.id}"
    said = select(TicketMessage.id).where(
        TicketMessage.ticket_id == Ticket.id, TicketMessage.key == key
    )
    waiting = Ticket.incident_id == incident.id, Ticket.created_at <= update.created_at
    query = select(Ticket).where(*waiting, ~said.exists())
    if update.state is not IncidentState.RESOLVED:
        query = query.where(Ticket.closed_at.is_(None))
    ticket = db.session.scalars(query.order_by(Ticket.id).limit(1)).first()
    if ticket is None:
        return 0
    _tell(ticket, update, incident, key, _voice(update), now)
    db.session.flush()
    return 1


def _tell(
    ticket: Ticket,
    update: IncidentUpdate,
    incident: Incident,
    key: str,
    voice: Voice,
    now: datetime,
) -> None:
    """One ticket: an update keeps it on hold, the end asks its owner and starts the usual clock.

    Who found their ticket solved meanwhile is not asked again.
    """
    tickets.lock(ticket)
    if ticket.incident_id != incident.id:
        return
    ends = update.state is IncidentState.RESOLVED
    if ends:
        ties.let_go(ticket, incident, voice=voice, now=now)
    if ticket.over:
        return
    body = f"{incident.title}: {WORDS[update.state]}.\n\n{update.body}"
    if ends:
        body = f"{body}\n\n{ASK}"
    then = TicketState.WAITING_USER if ends else TicketState.ON_HOLD
    tickets.post(ticket, Said(body, key=key), voice=voice, now=now, then=then)


def _voice(update: IncidentUpdate) -> Voice:
    """The operator who wrote the update speaks in each ticket."""
    author = db.session.get_one(User, update.created_by)
    tie = update.incident_id
    by = Actor("user", author.email, author.id, source="worker", correlation_id=tie)
    return Voice(AuthorKind.OPERATOR, by, author.id)
