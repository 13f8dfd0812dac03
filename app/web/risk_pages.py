"""What the pages about risk have in common: doing a thing or asking for it, and saying which."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from app import current
from app.domain import approval_records, approvals
from app.domain.approval_subjects import TITLES, Subject
from app.domain.audit import Actor
from app.models import Approval, ApprovalKind, Bot

ASKED = "It waits for another person under Approvals, for 24 hours. Nothing of it is changed yet."


@dataclass(frozen=True)
class Asking:
    """What a form needs to say about asking: whether it must, and what waits already."""

    alone: bool
    pending: Approval | None


def asking(kind: ApprovalKind, bot: Bot | None = None) -> Asking:
    """How it stands for the member of this request."""
    bot_id = bot.id if bot is not None else None
    pending = approval_records.pending_for(current.workspace(), kind, bot_id, current.now())
    return Asking(approvals.alone(current.member(), kind), pending)


def act(subject: Subject, reason: str | None, done: str = "Saved.") -> str:
    """Do it or ask for it; what to say then."""
    made = approvals.act(subject, current.member(), **tail(reason))
    return done if made is None else ASKED


def tail(reason: str | None) -> dict[str, Any]:
    """The last arguments of every verb that may become a request."""
    return {"reason": reason or "", "link_to": link_to, **who_and_when()}


def who_and_when() -> dict[str, Any]:
    """Who acts, and the moment."""
    by: Actor = current.actor()
    return {"by": by, "now": current.now()}


def link_to(approval_id: str) -> str:
    """The absolute address of a request, for letters."""
    return current.config().base_url + url_for("approvals.show", approval_id=approval_id)


def title(approval: Approval) -> str:
    """What a request asks for, in words."""
    return TITLES[approval.kind]
