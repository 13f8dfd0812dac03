"""The two-person rule: asked for by one person, done when another entitled one approves.

A request is good for 24 hours and once, for exactly what was shown. Stop, pause, flatten and panic
are no subject of it: they never wait for anybody.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select, update

from app.domain import (
    access,
    approval_letters,
    audit,
    factors,
    holders,
    workspaces,
)
from app.domain import approval_records as records
from app.domain.access import GUARDS, Guard
from app.domain.approval_subjects import (
    RIGHTS,
    Subject,
    carry_out,
    check_asker,
    difference,
    digest,
)
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid, Refused, TooMany
from app.extensions import change, db
from app.models import Approval, ApprovalKind, ApprovalState, Membership, Workspace
from app.models.base import new_id
from runner.protocol import to_plain

LIFETIME = timedelta(hours=24)
MOST_A_DAY = 20
"""Each request writes to everybody who may answer it."""
CLOCK = Actor("scheduler", "scheduler")
Link = Callable[[str], str]
"""From the id of a request to its absolute address."""


def alone(member: Membership, kind: ApprovalKind) -> bool:
    """Whether a member may do it without asking anybody."""
    right = RIGHTS[kind]
    if kind is ApprovalKind.END_TWO_PERSON or not access.can(member, right):
        return False
    return not (member.workspace.two_person and Guard.TWO_PERSON in GUARDS[right])


def act(
    subject: Subject, member: Membership, *, reason: str, link_to: Link, by: Actor, now: datetime
) -> Approval | None:
    """Do it, where the member may alone, and return ``None``; else ask for it.

    Raises:
        Refused: the member may not even ask, nobody is there to approve, or the verb refuses.
        Invalid: a request needs a reason.
        Conflict: the same is asked for already.
        TooMany: this person has asked often enough for one day.
    """
    workspaces.lock(subject.workspace)
    db.session.refresh(member)
    check_asker(subject, member)
    if subject.kind is ApprovalKind.GO_LIVE:
        factors.demand_for_live(member.user)
    if not alone(member, subject.kind):
        return _request(subject, member, reason, link_to, by, now)
    carry_out(subject, by=by, now=now)
    return None


def _request(
    subject: Subject, member: Membership, reason: str, link_to: Link, by: Actor, now: datetime
) -> Approval:
    cleaned = " ".join(reason.split())
    if not 1 <= len(cleaned) <= 300:
        raise Invalid("Say why, in 1 to 300 characters; who approves it will read it.", "reason")
    judges = records.judges(subject, member.user_id)
    if not judges:
        right = RIGHTS[subject.kind]
        roles = ", ".join(access.roles_with(right))
        raise Refused(f"Nobody else here holds {right} (roles: {roles}), so nobody could approve.")
    _check_not_asked_yet(subject, now)
    _check_not_too_often(subject, member, now)
    found = Approval(
        id=new_id("apr"),
        workspace_id=subject.workspace.id,
        kind=subject.kind,
        bot_id=subject.bot.id if subject.bot is not None else None,
        digest=digest(subject),
        wanted=subject.wanted,
        changes=[to_plain(item) for item in difference(subject)],
        reason=cleaned,
        requested_by=member.user_id,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    db.session.add(found)
    db.session.flush()
    approval_letters.ask(found, subject, judges, link_to(found.id), now)
    _record("approval.request", found, subject, by, now, cleaned)
    return found


def approve(
    approval: Approval, member: Membership, *, link_to: Link, by: Actor, now: datetime
) -> ApprovalState:
    """Approve a request and carry it out, in one transaction.

    Returns what became of it: approved, or expired or void where it is no longer what was asked.

    Raises:
        Refused: not this member's to decide, or what is to be done is refused.
        Conflict: it is answered already.
    """
    subject = _hold(approval)
    me = _judge(approval, member)
    ended = _ended(approval, subject, now)
    if ended is not None:
        _close(approval, subject, *ended, me, by, now)
        approval_letters.answer(approval, subject, link_to(approval.id), now)
        return approval.state
    if approval.kind is ApprovalKind.GO_LIVE:
        factors.demand_for_live(me.user)
    _claim(approval, ApprovalState.APPROVED, "", me, now)
    tied = replace(by, correlation_id=approval.id)
    carry_out(subject, by=tied, now=now)
    approval_letters.answer(approval, subject, link_to(approval.id), now)
    _record("approval.approve", approval, subject, by, now, approval.reason)
    return approval.state


def reject(
    approval: Approval,
    member: Membership,
    *,
    answer: str,
    link_to: Link,
    by: Actor,
    now: datetime,
) -> None:
    """Say no. Raises as ``approve`` does."""
    subject = _hold(approval)
    me = _judge(approval, member)
    _close(approval, subject, ApprovalState.REJECTED, " ".join(answer.split()), me, by, now)
    approval_letters.answer(approval, subject, link_to(approval.id), now)


def cancel(approval: Approval, member: Membership, *, by: Actor, now: datetime) -> None:
    """Take one's own request back. Raises ``Refused`` for anybody else's, ``Conflict`` if late."""
    subject = _hold(approval)
    if member.user_id != approval.requested_by:
        raise Refused("Only who asked can take a request back; you can reject it.")
    _close(approval, subject, ApprovalState.CANCELLED, "", member, by, now)


def expire_one(now: datetime) -> bool:
    """Close one request that nobody answered in time; whether there was one. Commit in between."""
    query = select(Approval).where(
        Approval.state == ApprovalState.PENDING, Approval.expires_at <= now
    )
    approval = db.session.scalar(query.order_by(Approval.expires_at, Approval.id).limit(1))
    if approval is None:
        return False
    try:
        subject = _hold(approval)
    except Conflict:  # answered while we waited for the workspace; there may be others
        return True
    _close(approval, subject, ApprovalState.EXPIRED, "", None, CLOCK, now)
    approval_letters.tell(approval, subject, now)
    return True


def _check_not_asked_yet(subject: Subject, now: datetime) -> None:
    bot_id = subject.bot.id if subject.bot is not None else None
    other = records.pending_for(subject.workspace, subject.kind, bot_id, now)
    if other is not None:
        raise Conflict(
            f"{other.requester.name} has asked for this already; it waits under Approvals. It has "
            "to be answered or taken back before another one."
        )


def _check_not_too_often(subject: Subject, member: Membership, now: datetime) -> None:
    query = select(Approval.created_at).where(
        Approval.workspace_id == subject.workspace.id,
        Approval.requested_by == member.user_id,
        Approval.created_at > now - LIFETIME,
    )
    times = sorted(db.session.scalars(query))
    if len(times) >= MOST_A_DAY:
        wait = int((times[0] + LIFETIME - now).total_seconds()) + 1
        raise TooMany(f"You have asked {MOST_A_DAY} times within a day; that is all.", wait)


def _hold(approval: Approval) -> Subject:
    """Lock the workspace, then read request and subject as they are now.

    Raises ``Conflict`` if it is answered.
    """
    workspaces.lock(db.session.get_one(Workspace, approval.workspace_id))
    db.session.refresh(approval)
    subject = records.subject_of(approval)
    if subject.bot is not None:
        db.session.refresh(subject.bot)
    if approval.state is not ApprovalState.PENDING:
        raise Conflict(f"This request is {approval.state} already.")
    return subject


def _judge(approval: Approval, member: Membership) -> Membership:
    """The membership as it is at this moment, if it may decide. Raises ``Refused``."""
    me = holders.member(member.workspace, member.user_id)
    hindrance = records.hindrance(approval, me)
    if me is None or hindrance:
        raise Refused(hindrance or "You are no longer an active member.")
    return me


def _ended(approval: Approval, subject: Subject, now: datetime) -> tuple[ApprovalState, str] | None:
    """Why a request can no longer be approved, if so."""
    if now >= approval.expires_at:
        return ApprovalState.EXPIRED, ""
    asker = holders.member(subject.workspace, approval.requested_by)
    if asker is None:
        return ApprovalState.VOID, "Who asked is no longer an active member."
    try:
        check_asker(subject, asker)
    except Refused:
        return ApprovalState.VOID, "Who asked may no longer ask for this."
    if digest(subject) != approval.digest:
        return ApprovalState.VOID, "What it was about has changed since it was asked for."
    return None


def _close(
    approval: Approval,
    subject: Subject,
    state: ApprovalState,
    answer: str,
    member: Membership | None,
    by: Actor,
    now: datetime,
) -> None:
    _claim(approval, state, answer, member, now)
    action = f"approval.{_ACTS[state]}"
    _record(action, approval, subject, by, now, answer or approval.reason)


_ACTS = {
    ApprovalState.REJECTED: "reject",
    ApprovalState.CANCELLED: "cancel",
    ApprovalState.EXPIRED: "expire",
    ApprovalState.VOID: "void",
}


def _claim(
    approval: Approval,
    state: ApprovalState,
    answer: str,
    member: Membership | None,
    now: datetime,
) -> None:
    """End a pending request, once: whoever comes second meets no row."""
    values = {
        "state": state,
        "answer": answer[:300],
        "decided_by": member.user_id if member is not None else None,
        "decided_at": now,
    }
    mine = (Approval.id == approval.id, Approval.state == ApprovalState.PENDING)
    if change(update(Approval).where(*mine).values(**values)) != 1:
        raise Conflict("Somebody else was first; look again.")
    db.session.refresh(approval)


def _record(
    action: str, approval: Approval, subject: Subject, by: Actor, now: datetime, reason: str
) -> None:
    audit.record(
        action,
        by=replace(by, correlation_id=approval.id),
        now=now,
        workspace_id=approval.workspace_id,
        target_id=subject.target_id,
        target_label=subject.label,
        changes=[audit.Change(**item) for item in approval.changes],
        reason=reason,
    )
