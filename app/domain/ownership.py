"""Handing a workspace over: an owner offers, the other takes it in a session of their own."""

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.domain import access, audit, departures, offers, owners, workspaces
from app.domain.audit import TIMETABLE, Actor, Change
from app.domain.errors import Conflict, NotAllowed, Refused
from app.domain.members import PERSONAL
from app.extensions import change, db
from app.models import Membership, OfferState, OwnershipOffer, Role, User, Workspace

LIFE = timedelta(days=7)


def offer(
    to: Membership, *, acting: Membership, by: Actor, now: datetime, page: str = ""
) -> OwnershipOffer:
    """Offer one's ownership to another member, for seven days.

    Raises:
        NotAllowed: who offers is no owner.
        Refused: it is a personal workspace, or the other is an owner or not fit to be one.
        Conflict: another offer of the same owner still waits.
    """
    workspace = to.workspace
    _hold(workspace)
    giver, taker = _member(workspace, acting.user_id), _member(workspace, to.user_id)
    _demand_owner(giver)
    if taker.role is Role.OWNER:
        raise Refused(f"{taker.user.name} is an owner already.")
    owners.check_fit(taker, now)
    _expire_older(workspace, giver.user, now)
    made = OwnershipOffer(
        workspace_id=workspace.id,
        from_id=giver.user_id,
        to_id=taker.user_id,
        created_at=now,
        expires_at=now + LIFE,
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError as error:
        raise Conflict("An offer of yours still waits; cancel it first.") from error
    offers.tell(taker.user, giver.user, made, workspace, "offered", now, page)
    offers.record("ownership.offer", workspace, made, by, now)
    return made


def accept(
    found: OwnershipOffer, *, acting: Membership, by: Actor, now: datetime, page: str = ""
) -> None:
    """Take the ownership: the taker becomes owner, who gave it becomes admin; nobody else changes.

    Raises:
        NotAllowed: it was offered to somebody else, or the workspace is suspended.
        Refused: the giver is no active owner any more, or the taker not fit to be one.
        Conflict: the offer no longer waits.
    """
    workspace = acting.workspace
    _answer(found, acting, workspace, OfferState.ACCEPTED, now)
    giver, taker = _member(workspace, found.from_id), _member(workspace, found.to_id)
    verdict = access.may_take_over(taker)
    if not verdict:
        raise NotAllowed(verdict.reason)
    if giver.user_id not in {owner.id for owner in owners.active(workspace)}:
        raise Refused(f"{giver.user.name} is no active owner any more; the offer means nothing.")
    owners.check_fit(taker, now)
    before = taker.role
    for member, role in ((taker, Role.OWNER), (giver, Role.ADMIN)):
        _give(member, role)
    for person, other in ((giver.user, taker.user), (taker.user, giver.user)):
        offers.tell(person, other, found, workspace, "accepted", now, page)
    changes = [
        Change(f"role of {taker.user.name}", before, Role.OWNER),
        Change(f"role of {giver.user.name}", Role.OWNER, Role.ADMIN),
        *departures.void_offers(workspace, giver.user, now),
        *departures.void_offers(workspace, taker.user, now),
    ]
    offers.record("ownership.accept", workspace, found, by, now, changes)


def decline(
    found: OwnershipOffer, *, acting: Membership, by: Actor, now: datetime, page: str = ""
) -> None:
    """Leave it with who offers it. Raises ``NotAllowed`` or ``Conflict`` as ``accept``."""
    workspace = acting.workspace
    _answer(found, acting, workspace, OfferState.DECLINED, now)
    offers.tell(found.giver, found.taker, found, workspace, "declined", now, page)
    offers.record("ownership.decline", workspace, found, by, now)


def cancel(found: OwnershipOffer, *, acting: Membership, by: Actor, now: datetime) -> None:
    """Take the offer back; any owner may. Raises ``NotAllowed`` or ``Conflict`` as ``accept``."""
    workspace = acting.workspace
    _hold(workspace)
    _demand_owner(_member(workspace, acting.user_id))
    offers.close(found, OfferState.CANCELLED, now, OwnershipOffer.expires_at > now)
    offers.tell(found.taker, found.giver, found, workspace, "cancelled", now, "")
    offers.record("ownership.cancel", workspace, found, by, now)


def appoint(member: Membership, *, by: Actor, now: datetime) -> None:
    """Make a member an owner beside the others: the operator's way out when none can act.

    Raises:
        Refused: it is a personal workspace, or the member is an owner or not fit to be one.
    """
    workspace = member.workspace
    _hold(workspace)
    found = _member(workspace, member.user_id)
    if found.role is Role.OWNER:
        raise Refused(f"{found.user.name} is an owner already.")
    owners.check_fit(found, now)
    changes = [Change("role", found.role, Role.OWNER)]
    _give(found, Role.OWNER)
    changes += departures.void_offers(workspace, found.user, now)
    audit.record(
        "ownership.appoint",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=found.user_id,
        target_label=found.user.name,
        changes=changes,
    )


def expire_one(now: datetime) -> bool:
    """End one offer whose time is over; ``False`` when there is none. For the timetable.

    One at a time, each in a transaction of its own: two workspaces are never locked together.
    """
    query = select(OwnershipOffer).where(
        OwnershipOffer.state == OfferState.PENDING, OwnershipOffer.expires_at <= now
    )
    found = db.session.scalar(query.order_by(OwnershipOffer.expires_at).limit(1))
    if found is None:
        return False
    workspace = db.session.get_one(Workspace, found.workspace_id)
    with suppress(Conflict):  # somebody answered it, or deleted the workspace, in this very moment
        workspaces.lock(workspace)
        _expire(found, workspace, now)
    return True


def _expire_older(workspace: Workspace, giver: User, now: datetime) -> None:
    query = select(OwnershipOffer).where(
        OwnershipOffer.workspace_id == workspace.id,
        OwnershipOffer.from_id == giver.id,
        OwnershipOffer.state == OfferState.PENDING,
        OwnershipOffer.expires_at <= now,
    )
    for found in db.session.scalars(query):
        _expire(found, workspace, now)


def _expire(found: OwnershipOffer, workspace: Workspace, now: datetime) -> None:
    offers.close(found, OfferState.EXPIRED, now, OwnershipOffer.expires_at <= now)
    offers.tell(found.giver, found.taker, found, workspace, "expired", now, "")
    offers.record("ownership.expire", workspace, found, TIMETABLE, now)


def _answer(
    found: OwnershipOffer,
    acting: Membership,
    workspace: Workspace,
    state: OfferState,
    now: datetime,
) -> None:
    verdict = offers.may_answer(acting, found)
    if not verdict:
        raise NotAllowed(verdict.reason)
    _hold(workspace)
    offers.close(found, state, now, OwnershipOffer.expires_at > now)


def _hold(workspace: Workspace) -> None:
    workspaces.lock(workspace)
    if workspace.personal:
        raise Refused(PERSONAL)


def _member(workspace: Workspace, user_id: str) -> Membership:
    query = select(Membership).where(
        Membership.workspace_id == workspace.id, Membership.user_id == user_id
    )
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise Conflict("One of you is no member any more; look at the list again.")
    return found


def _demand_owner(member: Membership) -> None:
    verdict = access.may_hand_out(member, Role.OWNER)
    if not verdict or member.suspended_at is not None:
        raise NotAllowed(verdict.reason)


def _give(member: Membership, role: Role) -> None:
    mine = update(Membership).where(Membership.id == member.id, Membership.role == member.role)
    if change(mine.values(role=role)) != 1:
        raise Conflict("Somebody else was first; look at the list again.")
