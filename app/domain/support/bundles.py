"""Bundles on tickets: sent with consent, looked at on record, withdrawn at will, gone in time."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from app.domain import audit
from app.domain.audit import Change
from app.domain.errors import Conflict, Refused
from app.domain.support import bundle, events
from app.domain.support.events import Voice
from app.domain.support.tickets import lock
from app.extensions import db
from app.models import DiagnosticBundle, Ticket, TicketState, User
from app.models.base import new_id

KEPT_FOR = timedelta(days=90)
MOST = 10
"""Of one ticket; who needs more withdraws an old one."""


def attach(
    ticket: Ticket,
    bot_id: str,
    body: dict[str, Any],
    *,
    person: User,
    voice: Voice,
    now: datetime,
) -> DiagnosticBundle:
    """Give the desk exactly what ``person`` saw and agreed to. The same bundle again is the same.

    Raises:
        Conflict: the ticket was merged.
        Refused: it holds ten already.
    """
    lock(ticket)
    if ticket.state is TicketState.MERGED:
        raise Conflict(f"{ticket.ref} was merged; attach it to the ticket it went into.")
    sha256, known = bundle.fingerprint(body), of_ticket(ticket)
    for found in known:
        if found.sha256 == sha256:
            return found
    if len(known) >= MOST:
        raise Refused(f"{ticket.ref} holds {MOST} bundles. Withdraw an older one first.")
    made = DiagnosticBundle(
        id=new_id("dgn"),
        workspace_id=ticket.workspace_id,
        ticket_id=ticket.id,
        bot_id=bot_id,
        body=body,
        sha256=sha256,
        consented_by=person.id,
        created_at=now,
        expires_at=now + KEPT_FOR,
    )
    db.session.add(made)
    db.session.flush()
    events.public(ticket, "ticket.bundle", voice, now, [Change("bundle", None, sha256[:12])])
    return made


def withdraw(found: DiagnosticBundle, ticket: Ticket, *, voice: Voice, now: datetime) -> None:
    """Take it back: nothing of it is kept but that it was there."""
    lock(ticket)
    sha256 = found.sha256
    db.session.delete(found)
    db.session.flush()
    events.public(
        ticket, "ticket.bundle_withdraw", voice, now, [Change("bundle", sha256[:12], None)]
    )


def of_ticket(ticket: Ticket) -> list[DiagnosticBundle]:
    """What it holds, newest first."""
    query = select(DiagnosticBundle).where(
        DiagnosticBundle.workspace_id == ticket.workspace_id,
        DiagnosticBundle.ticket_id == ticket.id,
    )
    return list(db.session.scalars(query.order_by(DiagnosticBundle.created_at.desc())))


def find(ticket: Ticket, bundle_id: str, now: datetime) -> DiagnosticBundle | None:
    """One of those, unless its days are over."""
    return next(
        (it for it in of_ticket(ticket) if it.id == bundle_id and it.expires_at > now), None
    )


def note_look(bundle_id: str, ticket: Ticket, how: str, *, voice: Voice, now: datetime) -> None:
    """An operator looked at one: the desk's ledger and the customer's own log say so."""
    events.internal(ticket, "ticket.bundle_view", voice, now, [Change("bundle", None, bundle_id)])
    audit.record(
        "bundle.view",
        by=voice.by,
        now=now,
        workspace_id=ticket.workspace_id,
        target_id=bundle_id,
        target_label=f"bundle of {ticket.ref}",
        reason=how,
    )


def forget(now: datetime) -> None:
    """Delete those whose days are over. For the timetable."""
    db.session.execute(delete(DiagnosticBundle).where(DiagnosticBundle.expires_at <= now))
