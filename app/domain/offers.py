"""Offers of ownership as rows: who may see them, how each ends, and who is told."""

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update

from app.domain import access, audit, tidings
from app.domain.access import Verdict
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict
from app.extensions import change, db
from app.models import Membership, OfferState, OwnershipOffer, Role, User, Workspace


def visible(reader: Membership, now: datetime) -> list[OwnershipOffer]:
    """Offers a member has to know of, newest first: their own, and for owners all that wait."""
    query = select(OwnershipOffer).where(OwnershipOffer.workspace_id == reader.workspace_id)
    mine = OwnershipOffer.from_id == reader.user_id, OwnershipOffer.to_id == reader.user_id
    if not may_offer(reader):
        query = query.where(or_(*mine))
    waiting = query.where(
        OwnershipOffer.state == OfferState.PENDING, OwnershipOffer.expires_at > now
    )
    return list(db.session.scalars(waiting.order_by(OwnershipOffer.created_at.desc())))


def find(reader: Membership, offer_id: str) -> OwnershipOffer | None:
    """An offer in the reader's workspace that concerns them."""
    query = select(OwnershipOffer).where(
        OwnershipOffer.workspace_id == reader.workspace_id, OwnershipOffer.id == offer_id
    )
    found = db.session.scalar(query)
    concerned = found and (may_offer(reader) or reader.user_id in (found.from_id, found.to_id))
    return found if concerned else None


def may_offer(member: Membership) -> bool:
    """Whether the member holds what is handed over here."""
    return bool(access.may_hand_out(member, Role.OWNER)) and not member.workspace.personal


def may_answer(member: Membership, found: OwnershipOffer) -> Verdict:
    """Whether it was offered to this member."""
    if member.user_id == found.to_id:
        return Verdict(allowed=True)
    return Verdict(False, f"Only {found.taker.name}, to whom it is offered, may answer.")


def candidates(workspace: Workspace) -> list[Membership]:
    """Members who could take it, by name."""
    query = select(Membership).join(User, User.id == Membership.user_id)
    query = query.where(
        Membership.workspace_id == workspace.id,
        Membership.role != Role.OWNER,
        Membership.suspended_at.is_(None),
        User.suspended_at.is_(None),
        User.email_verified_at.is_not(None),
    )
    return list(db.session.scalars(query.order_by(User.name, User.id)))


def close(found: OwnershipOffer, state: OfferState, now: datetime, *held: Any) -> None:
    """End a pending offer. Raises ``Conflict`` if it is over, or ``held`` is not so."""
    mine = update(OwnershipOffer).where(
        OwnershipOffer.id == found.id, OwnershipOffer.state == OfferState.PENDING, *held
    )
    if change(mine.values(state=state, answered_at=now)) != 1:
        db.session.refresh(found)
        over = found.state if found.state is not OfferState.PENDING else OfferState.EXPIRED
        raise Conflict(f"This offer was {over} already; nothing has changed.")


def tell(
    person: User,
    other: User,
    found: OwnershipOffer,
    workspace: Workspace,
    happened: str,
    now: datetime,
    page: str,
) -> None:
    """Tell one of the two what happened; ``page`` is where something can be done."""
    offered = happened == "offered"
    title = f"Ownership of {workspace.name}: {happened}"
    tidings.tell(
        person,
        "ownership_offered" if offered else "ownership_answered",
        f"{other.name} offers you the ownership of {workspace.name}" if offered else title,
        workspace=workspace,
        key=f"ownership {found.id} {happened}",
        now=now,
        page=page,
        other=other.name,
        happened=happened,
        mine=person.id == found.to_id,
    )


def record(
    action: str,
    workspace: Workspace,
    found: OwnershipOffer,
    by: Actor,
    now: datetime,
    changes: list[Change] | None = None,
) -> None:
    """One event about an offer; it is about who it was made to."""
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=found.to_id,
        target_label=found.taker.name,
        changes=changes or (),
    )
