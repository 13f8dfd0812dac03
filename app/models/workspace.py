"""Workspaces and memberships: who owns things, and who belongs where in which role."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Chosen, Document, Keyed, Moment, primary_key
from app.models.user import User


class WorkspaceKind(StrEnum):
    """A personal workspace has one member for ever; an organisation has many.

    The front desk has none: it keeps the tickets of people without an account.
    """

    PERSONAL = "personal"
    ORGANISATION = "organisation"
    FRONT_DESK = "front_desk"


class Role(StrEnum):
    """Nested roles, lowest first: each may all that the one before it may."""

    VIEWER = "viewer"
    TRADER = "trader"
    MANAGER = "manager"
    ADMIN = "admin"
    OWNER = "owner"


class Workspace(Model):
    """What owns strategies, connections, bots and tickets.

    ``defaults`` fill the forms of new bots; ``ceilings`` bound what its bots may be, all of them
    together. ``factor_from``: from when on members need a second factor. ``two_person``: whether
    going live and raising limits need a second person.
    """

    id: Mapped[str] = primary_key("ws")
    kind: Mapped[WorkspaceKind] = mapped_column(Chosen(WorkspaceKind))
    name: Mapped[str] = mapped_column(String(80))
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    zone: Mapped[str] = mapped_column(String(40), default="UTC")
    defaults: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    ceilings: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    two_person: Mapped[bool] = mapped_column(default=False)
    managers_invite: Mapped[bool] = mapped_column(default=True)
    factor_from: Mapped[datetime | None] = mapped_column(Moment)
    suspended_at: Mapped[datetime | None] = mapped_column(Moment)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)
    last_ticket_number: Mapped[int] = mapped_column(default=1000)
    created_at: Mapped[datetime] = mapped_column(Moment)

    memberships: Mapped[list["Membership"]] = relationship(back_populates="workspace")

    @property
    def personal(self) -> bool:
        """Whether this is somebody's own workspace."""
        return self.kind is WorkspaceKind.PERSONAL


class Membership(Keyed, Model):
    """A user in a workspace, with a role. People see their own ones from outside too."""

    __table_args__ = (UniqueConstraint("workspace_id", "user_id"),)

    id: Mapped[str] = primary_key("mem")
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="RESTRICT"), index=True)
    role: Mapped[Role] = mapped_column(Chosen(Role))
    suspended_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)

    user: Mapped[User] = relationship(back_populates="memberships")
    workspace: Mapped[Workspace] = relationship(back_populates="memberships")
