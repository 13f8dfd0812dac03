"""Support access on pages: those it is into, and those who ask for it."""

from dataclasses import dataclass
from typing import Any

from flask import abort, g, render_template

from app import current
from app.domain.access import Verdict
from app.domain.errors import Refused
from app.domain.support import access, access_rules, desk_sight, looks
from app.domain.support.events import Voice
from app.forms.bundles import AskAccessForm
from app.models import AuthorKind, SupportAccess, Ticket


@dataclass(frozen=True)
class Asked:
    """One question with what became of it, in words, and who may still do something about it."""

    it: SupportAccess
    operator: str
    answered_by: str
    standing: str
    tone: str
    answer: Verdict

    @property
    def open(self) -> bool:
        """Whether an operator may look in now."""
        return self.standing == OPEN

    @property
    def waits(self) -> bool:
        """Whether it is to be answered."""
        return self.standing == WAITS


OPEN, WAITS, REFUSED, LAPSED, ENDED = ("open", "waits", "refused", "lapsed", "ended")
TONES = {OPEN: "warn", WAITS: "info", REFUSED: "neutral", LAPSED: "neutral", ENDED: "neutral"}


def asked(ticket: Ticket, *, member: bool) -> list[Asked]:
    """All questions of a ticket, newest first."""
    found = access.of_ticket(ticket)
    names = access.names(found)
    return [
        Asked(
            it,
            names.get(it.operator_id, ""),
            names.get(it.answered_by or "", ""),
            _standing(it),
            TONES[_standing(it)],
            access_rules.may_answer(current.member(), it, ticket) if member else Verdict(True),
        )
        for it in found
    ]


def for_members(ticket: Ticket) -> str:
    """The page of those whose workspace it is."""
    return render_template(
        "tickets/access.html",
        ticket=ticket,
        asked=asked(ticket, member=True),
        promise=desk_sight.PROMISE,
        now=current.now(),
    )


def for_operators(ticket: Ticket, form: AskAccessForm) -> str:
    """The page of those who ask."""
    questions, me = asked(ticket, member=False), current.user().id
    pending = any(it.it.operator_id == me and (it.open or it.waits) for it in questions)
    return render_template(
        "desk/access.html",
        ticket=ticket,
        asked=questions,
        may_ask=not ticket.over and (not pending or form.fault_list()),
        me=me,
        form=form,
        now=current.now(),
    )


def ask(ticket: Ticket, form: AskAccessForm) -> SupportAccess:
    """Put the question."""
    minutes, reason = form.minutes.data or 0, form.reason.data or ""
    voice, now = desk_voice(), current.now()
    return access.ask(ticket, current.user(), minutes, reason, voice=voice, now=now)


def one(ticket: Ticket, access_id: str) -> SupportAccess:
    """A question of this ticket, or 404."""
    return access.find(ticket, access_id) or abort(404)


def own(ticket: Ticket, access_id: str) -> SupportAccess:
    """One's own question, or 404: operators do not end each other's."""
    found = one(ticket, access_id)
    return found if found.operator_id == current.user().id else abort(404)


def end_for_members(found: SupportAccess, ticket: Ticket) -> None:
    """End it, by somebody of the workspace who may answer it."""
    verdict = access_rules.may_answer(current.member(), found, ticket)
    if not verdict:
        raise Refused(verdict.reason)
    voice, now, person = own_voice(), current.now(), current.user()
    access.end(found, ticket, person, voice=voice, now=now)


def own_voice() -> Voice:
    """The person of this request, at their browser."""
    return Voice(AuthorKind.USER, current.actor(), current.user().id)


def desk_voice() -> Voice:
    """The operator of this request, speaking for the desk."""
    return Voice(AuthorKind.OPERATOR, current.actor(), current.user().id)


def banner() -> list[dict[str, Any]]:
    """For the frame of every page of a workspace: who looks in now, and who may end it."""
    member = g.get("member")
    if member is None or g.get("broken"):
        return []
    if "looked_at" not in g:
        g.looked_at = [
            {"it": found, "may_end": access_rules.may_answer(member, found.access, found.ticket)}
            for found in looks.open_in(member.workspace_id, current.now())
        ]
    shown: list[dict[str, Any]] = g.looked_at
    return shown


def _standing(it: SupportAccess) -> str:
    if it.refused_at is not None:
        return REFUSED
    if not access_rules.ended(it, current.now()):
        return OPEN if it.granted_at else WAITS
    return ENDED if it.granted_at else LAPSED
