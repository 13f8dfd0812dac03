"""How people come into a workspace, and how it changes hands."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Chosen, Moment, Tenant, belongs_to, primary_key
from app.models.user import User
from app.models.workspace import Role, Workspace

_OPEN = text("state = 'pending'")


class InvitationState(StrEnum):
    """Pending until one of the others, for good."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Invitation(Tenant, Model):
    """An address asked into a workspace with a role; at most one pending for each address."""

    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        Index(
            "ix_invitation_pending",
            "workspace_id",
            "email_key",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = primary_key("inv")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    role: Mapped[Role] = mapped_column(Chosen(Role))
    state: Mapped[InvitationState] = mapped_column(
        Chosen(InvitationState), default=InvitationState.PENDING
    )
    sent: Mapped[int] = mapped_column(default=1)
    invited_by: Mapped[str] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)
    answered_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))

    workspace: Mapped[Workspace] = relationship()
    inviter: Mapped[User] = relationship(foreign_keys=[invited_by])

    def state_at(self, now: datetime) -> InvitationState:
        """The state at this moment: one that ran out is expired before anybody wrote so."""
        ran_out = self.state is InvitationState.PENDING and self.expires_at <= now
        return InvitationState.EXPIRED if ran_out else self.state


class InvitationLink(Tenant, Model):
    """A link to an invitation. Those sent last are good, older ones say that they were replaced.

    ``mailed``: it went to the invited mailbox and nowhere else, so whoever holds it reads that
    mailbox. The other one is shown to the inviter, to be handed over, and proves nothing.
    """

    __table_args__ = (belongs_to("invitation", "invitation_id"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    invitation_id: Mapped[str] = mapped_column(String(40), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    replaced_at: Mapped[datetime | None] = mapped_column(Moment)
    mailed: Mapped[bool]

    invitation: Mapped[Invitation] = relationship(overlaps="workspace")


class OfferState(StrEnum):
    """Pending until one of the others, for good."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class OwnershipOffer(Tenant, Model):
    """An owner offers the ownership to another member, who takes it in a session of their own."""

    __table_args__ = (
        Index(
            "ix_ownership_offer_pending",
            "workspace_id",
            "from_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = primary_key("own")
    from_id: Mapped[str] = mapped_column(ForeignKey("user.id"))
    to_id: Mapped[str] = mapped_column(ForeignKey("user.id"))
    state: Mapped[OfferState] = mapped_column(Chosen(OfferState), default=OfferState.PENDING)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)

    giver: Mapped[User] = relationship(foreign_keys=[from_id])
    taker: Mapped[User] = relationship(foreign_keys=[to_id])
