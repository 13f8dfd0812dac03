"""Who hears of a request, and what: those who may answer it, and then who asked."""

from datetime import datetime
from typing import Any

from app.domain import mail, notices
from app.domain.approval_subjects import TITLES, Subject, readable
from app.extensions import db
from app.models import Approval, ApprovalState, Membership, User

_BECAME = {
    ApprovalState.APPROVED: "approved and done",
    ApprovalState.REJECTED: "rejected",
    ApprovalState.EXPIRED: "expired without an answer",
    ApprovalState.VOID: "void",
}


def ask(
    approval: Approval, subject: Subject, judges: list[Membership], link: str, now: datetime
) -> None:
    """Tell everybody who may answer, in their inbox and by mail."""
    asker = _person(approval.requested_by)
    title = f"{asker.name} asks: {TITLES[approval.kind].lower()} ({subject.label})"
    notices.tell(
        [member.user_id for member in judges],
        title[:120],
        key=f"approval {approval.id}",
        now=now,
        body=f"“{approval.reason}” It can be approved for 24 hours.",
        path=_path(approval),
        workspace_id=approval.workspace_id,
    )
    for member in judges:
        mail.post(
            "approval_requested",
            to=member.user.email,
            name=member.user.name,
            now=now,
            workspace_id=approval.workspace_id,
            link=link,
            asker=asker.name,
            until=approval.expires_at.strftime("%d %b %Y %H:%M UTC"),
            **_shown(approval, subject),
        )


def answer(approval: Approval, subject: Subject, link: str, now: datetime) -> None:
    """Tell who asked what became of it, in the inbox and by mail."""
    tell(approval, subject, now)
    asker = _person(approval.requested_by)
    decider = _person(approval.decided_by) if approval.decided_by else None
    mail.post(
        "approval_answered",
        to=asker.email,
        name=asker.name,
        now=now,
        workspace_id=approval.workspace_id,
        link=link,
        became=_BECAME[approval.state],
        answer=approval.answer,
        decider=decider.name if decider is not None else "",
        **_shown(approval, subject),
    )


def tell(approval: Approval, subject: Subject, now: datetime) -> None:
    """The same in the inbox alone."""
    title = f"{TITLES[approval.kind]} ({subject.label}): {_BECAME[approval.state]}"
    notices.tell(
        [approval.requested_by],
        title[:120],
        key=f"approval {approval.id} {approval.state}",
        now=now,
        body=approval.answer,
        path=_path(approval),
        workspace_id=approval.workspace_id,
    )


def _shown(approval: Approval, subject: Subject) -> dict[str, Any]:
    return {
        "what": TITLES[approval.kind],
        "about": subject.label,
        "workspace": subject.workspace.name,
        "reason": approval.reason,
        "changes": _lines(approval),
    }


def _lines(approval: Approval) -> list[dict[str, str]]:
    """The diff, spelt out: a letter has no filters of its own."""
    found = readable(approval.kind, approval.changes)
    return [{name: _said(value) for name, value in change.items()} for change in found]


def _said(value: Any) -> str:
    if value is None:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _path(approval: Approval) -> str:
    return f"/w/{approval.workspace_id}/approvals/{approval.id}"


def _person(user_id: str) -> User:
    return db.session.get_one(User, user_id)
