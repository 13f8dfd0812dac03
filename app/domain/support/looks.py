"""Looking into a workspace under an access that somebody there granted.

``open_to`` is the one question each look asks, and it asks the rows anew each time: nothing is
cached and no token exists. What a look shows is read here and in the pages' usual finders, inside
the one workspace, by pages that can do nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app import tenancy
from app.domain import access, audit
from app.domain.access import Permission
from app.domain.audit import Actor
from app.domain.support import access_rules
from app.extensions import db
from app.models import SupportAccess, Ticket, User, Workspace


@dataclass(frozen=True)
class Look:
    """An access that is open now: whose workspace, by whose word, and what of it may be seen.

    ``granted_by`` is the grantor as the audit log names people, ``grantor`` their name.
    ``strategy``: rules, limits and decisions as well, for whoever granted it may see those.
    """

    id: str
    ticket_id: str
    workspace_id: str
    until: datetime
    granted_by: str
    grantor: str
    strategy: bool


@dataclass(frozen=True)
class Opened:
    """An access as the members of its workspace see it on their pages."""

    access: SupportAccess
    ticket: Ticket
    operator: str


def open_to(access_id: str, operator: User, now: datetime) -> Look | None:
    """What this operator may look at under this access at this very moment, or ``None``.

    Every condition is read from the rows: granted and not ended, its time not over, this operator's
    own and still an operator, its ticket still open, and whoever granted it still one who may.
    """
    with tenancy.everywhere("an access names the workspace it opens"):
        found = db.session.get(SupportAccess, access_id, populate_existing=True)
        if found is None or found.operator_id != operator.id or not access_rules.serves(operator):
            return None
        ticket = db.session.get_one(Ticket, found.ticket_id, populate_existing=True)
        grantor = access_rules.grantor(found, ticket, now)
        if grantor is None or found.expires_at is None:
            return None
        return Look(
            found.id,
            found.ticket_id,
            found.workspace_id,
            until=found.expires_at,
            granted_by=grantor.user.email,
            grantor=grantor.user.name,
            strategy=bool(access.can(grantor, Permission.STRATEGY_VIEW)),
        )


def note_look(look: Look, page: str, target_id: str | None, *, by: Actor, now: datetime) -> None:
    """Write one look into the customer's own log: who looked, and on whose word."""
    with tenancy.everywhere("a look is told to the workspace it was into"):
        audit.record(
            "support.look",
            by=by,
            now=now,
            workspace_id=look.workspace_id,
            target_id=target_id or look.id,
            target_label=page,
            correlation_id=look.id,
        )


def open_in(workspace_id: str, now: datetime) -> list[Opened]:
    """What is open in a workspace now, for the banner on its pages."""
    query = (
        select(SupportAccess, Ticket, User.name)
        .join(Ticket, Ticket.id == SupportAccess.ticket_id)
        .join(User, User.id == SupportAccess.operator_id)
        .where(
            SupportAccess.workspace_id == workspace_id,
            SupportAccess.granted_at.is_not(None),
            SupportAccess.ended_at.is_(None),
            SupportAccess.expires_at > now,
            Ticket.closed_at.is_(None),
            User.operator.is_(True),
        )
        .order_by(SupportAccess.expires_at)
    )
    return [Opened(it, ticket, name) for it, ticket, name in db.session.execute(query)]


def workspace(look: Look) -> Workspace:
    """The workspace a look is into."""
    return db.session.get_one(Workspace, look.workspace_id)


def ticket(ticket_id: str) -> Ticket | None:
    """A ticket of any workspace, for operators."""
    query = select(Ticket).where(Ticket.id == ticket_id)
    found: Ticket | None = db.session.scalar(query)
    return found
