"""Support access: an operator looks into a workspace, because somebody there said yes.

It is read-only (there is no page that does anything under it), ends within an hour, at the ticket's
end, when either side ends it, or when its operator is one no more. What it shows is what a viewer
sees, and the decision log only if whoever granted it may see that. Looking itself is in ``looks``.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select

from app.domain import audit_columns, notices
from app.domain.audit import TIMETABLE
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.support import access_rules, events, tidings
from app.domain.support.events import Voice
from app.domain.support.tickets import lock
from app.extensions import db
from app.models import (
    AuthorKind,
    Channel,
    Membership,
    SupportAccess,
    Ticket,
    User,
    Workspace,
    WorkspaceKind,
)
from app.models.base import new_id

LONGEST, SHORTEST = 60, 5
"""Minutes."""

REASON = 300


def ask(
    ticket: Ticket, operator: User, minutes: int, reason: str, *, voice: Voice, now: datetime
) -> SupportAccess:
    """An operator asks to look in. Nothing is open by it; those who may answer are told.

    Raises:
        Invalid: no reason, or not from five minutes to an hour.
        Refused: the ticket is over, or of nobody's workspace.
        Conflict: this operator's question is unanswered, or what was granted is open still.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise Invalid("Say why; they read it before they decide.", "reason")
    if len(reason) > REASON:
        raise Invalid(f"Keep the reason within {REASON} characters.", "reason")
    if not SHORTEST <= minutes <= LONGEST:
        raise Invalid(f"From {SHORTEST} to {LONGEST} minutes.", "minutes")
    if not access_rules.serves(operator):
        raise Refused("Only operators ask for access.")
    lock(ticket)
    workspace = db.session.get_one(Workspace, ticket.workspace_id)
    if ticket.over:
        raise Refused(f"{ticket.ref} is over. Access is asked for while a ticket is open.")
    if workspace.kind is WorkspaceKind.FRONT_DESK or ticket.opened_by is None:
        raise Refused("Whoever wrote this has no workspace to look into.")
    if any(
        it.operator_id == operator.id and not access_rules.ended(it, now)
        for it in of_ticket(ticket)
    ):
        raise Conflict("You asked already, or may look in now. End that first.")
    made = SupportAccess(
        id=new_id("sac"),
        workspace_id=workspace.id,
        ticket_id=ticket.id,
        operator_id=operator.id,
        reason=reason,
        minutes=minutes,
        asked_at=now,
    )
    db.session.add(made)
    db.session.flush()
    _tell(made, ticket, operator, now)
    changes = audit_columns.changes_in(made, dict.fromkeys(audit_columns.values_of(made)))
    events.public(ticket, "ticket.access_ask", voice, now, changes, reason)
    return made


def grant(
    found: SupportAccess, ticket: Ticket, member: Membership, *, voice: Voice, now: datetime
) -> None:
    """Say yes: from now for as many minutes as were asked for. Saying it twice changes nothing.

    Raises:
        Refused: not this person's to answer, or its operator is one no more, or the ticket is over.
        Conflict: it was answered otherwise, or lapsed.
    """
    _demand_answerer(found, ticket, member)
    _held(found, ticket)
    if found.granted_at is not None and not access_rules.ended(found, now):
        return
    _demand_open(found, now)
    operator = db.session.get_one(User, found.operator_id)
    if ticket.over or not access_rules.serves(operator):
        raise Refused("It cannot be granted any more: the ticket or the operator's role ended.")
    before = audit_columns.values_of(found)
    found.answered_by, found.granted_at = member.user_id, now
    found.expires_at = now + timedelta(minutes=found.minutes)
    _tell_operator(found, ticket, "You may look in", now)
    _record("ticket.access_grant", found, ticket, before, voice, now)


def refuse(
    found: SupportAccess, ticket: Ticket, member: Membership, *, voice: Voice, now: datetime
) -> None:
    """Say no. Raises as ``grant``."""
    _demand_answerer(found, ticket, member)
    _held(found, ticket)
    if found.refused_at is not None:
        return
    _demand_open(found, now)
    before = audit_columns.values_of(found)
    found.answered_by, found.refused_at = member.user_id, now
    _tell_operator(found, ticket, "You may not look in", now)
    _record("ticket.access_refuse", found, ticket, before, voice, now)


def end(found: SupportAccess, ticket: Ticket, person: User, *, voice: Voice, now: datetime) -> None:
    """Either side ends it, asked for or granted; at once. Ending twice changes nothing."""
    _held(found, ticket)
    if not access_rules.ended(found, now):
        _end(found, ticket, person.id, voice, now, "")


def of_ticket(ticket: Ticket) -> list[SupportAccess]:
    """All that was ever asked for at a ticket, newest first."""
    query = select(SupportAccess).where(
        SupportAccess.workspace_id == ticket.workspace_id, SupportAccess.ticket_id == ticket.id
    )
    return list(db.session.scalars(query.order_by(SupportAccess.asked_at.desc())))


def find(ticket: Ticket, access_id: str) -> SupportAccess | None:
    """One of those."""
    return next((it for it in of_ticket(ticket) if it.id == access_id), None)


def names(found: list[SupportAccess]) -> dict[str, str]:
    """The names of who asked, answered and ended, by their id."""
    ids = {it.operator_id for it in found} | {it.answered_by for it in found}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(ids - {None})))
    return {row.id: row.name for row in rows}


def sweep_one(now: datetime) -> bool:
    """Close one whose time, question, ticket or operator is over; ``False`` if there is none.

    For the timetable. Looks are refused from the very moment by ``open_to``; this tells both sides.
    """
    for found, ticket in db.session.execute(_doubtful()).all():
        why = _over_because(found, ticket, now)
        if why:
            voice = Voice(AuthorKind.SYSTEM, TIMETABLE, None, Channel.TIMER)
            _held(found, ticket)
            if found.ended_at is None and found.refused_at is None:
                _end(found, ticket, None, voice, now, why)
                return True
    return False


def _doubtful() -> Select[SupportAccess, Ticket]:
    """Not closed yet; there are never many, for each lives an hour or a day."""
    query = select(SupportAccess, Ticket).join(Ticket, Ticket.id == SupportAccess.ticket_id)
    query = query.where(SupportAccess.ended_at.is_(None), SupportAccess.refused_at.is_(None))
    return query.order_by(SupportAccess.asked_at).limit(500)


def _over_because(found: SupportAccess, ticket: Ticket, now: datetime) -> str:
    if found.granted_at is None and now >= found.asked_at + access_rules.ASKED_FOR:
        return "Nobody answered within a day."
    if found.expires_at is not None and now >= found.expires_at:
        return "Its time was over."
    if ticket.over:
        return "The ticket is over."
    if not access_rules.serves(db.session.get_one(User, found.operator_id)):
        return "Its operator is no longer one."
    if found.granted_at is not None and access_rules.grantor(found, ticket, now) is None:
        return "Whoever granted it may not any more."
    return ""


def _held(found: SupportAccess, ticket: Ticket) -> None:
    lock(ticket)
    db.session.refresh(found)


def _demand_answerer(found: SupportAccess, ticket: Ticket, member: Membership) -> None:
    verdict = access_rules.may_answer(member, found, ticket)
    if not verdict:
        raise Refused(verdict.reason)


def _demand_open(found: SupportAccess, now: datetime) -> None:
    if found.granted_at is not None or access_rules.ended(found, now):
        raise Conflict("It was answered already, or taken back. Look again.")


def _end(
    found: SupportAccess, ticket: Ticket, who: str | None, voice: Voice, now: datetime, why: str
) -> None:
    before = audit_columns.values_of(found)
    found.ended_at, found.ended_by = now, who
    if who != found.operator_id:
        _tell_operator(found, ticket, "Looking in has ended", now, why)
    _record("ticket.access_end", found, ticket, before, voice, now, why)


def _record(
    action: str,
    found: SupportAccess,
    ticket: Ticket,
    before: dict[str, Any],
    voice: Voice,
    now: datetime,
    why: str = "",
) -> None:
    db.session.flush()
    changes = audit_columns.changes_in(found, before)
    events.public(ticket, action, voice, now, changes, why)


def _tell(found: SupportAccess, ticket: Ticket, operator: User, now: datetime) -> None:
    """Whoever may answer hears of the question, but not whoever asks it."""
    query = select(Membership.user_id).where(
        Membership.workspace_id == ticket.workspace_id,
        Membership.role.in_(access_rules.ANSWERING),
        Membership.suspended_at.is_(None),
    )
    people = {*db.session.scalars(query), ticket.opened_by} - {None, found.operator_id}
    tidings.asked_to_look(ticket, found, operator, sorted(it for it in people if it), now)


def _tell_operator(
    found: SupportAccess, ticket: Ticket, title: str, now: datetime, body: str = ""
) -> None:
    notices.tell(
        [found.operator_id],
        f"{title}: {ticket.ref}",
        key=f"access {found.id} {title}",
        now=now,
        body=body,
        path=f"/operator/tickets/{ticket.id}/access",
    )
