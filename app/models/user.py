"""People and their login sessions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flask_login import UserMixin
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Moment, primary_key

if TYPE_CHECKING:
    from app.models.workspace import Membership


class User(UserMixin, Model):
    """A person who signs in. ``email`` is as typed, ``email_key`` is what must be unique.

    ``last_workspace_id`` is a hint where to go after the next sign-in and grants nothing. After
    ``deleted_at`` the row stands for somebody who left: name and address say nothing of them.
    """

    id: Mapped[str] = primary_key("usr")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str] = mapped_column(String(200))
    email_verified_at: Mapped[datetime | None] = mapped_column(Moment)
    theme: Mapped[str] = mapped_column(String(8), default="auto")
    last_workspace_id: Mapped[str | None] = mapped_column(String(40))
    operator: Mapped[bool] = mapped_column(default=False)
    suspended_at: Mapped[datetime | None] = mapped_column(Moment)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)

    memberships: Mapped[list[Membership]] = relationship(
        back_populates="user", order_by="Membership.created_at"
    )

    @property
    def suspended(self) -> bool:
        """Whether the person may no longer sign in."""
        return self.suspended_at is not None

    @property
    def verified(self) -> bool:
        """Whether the address was shown to be theirs."""
        return self.email_verified_at is not None


class LoginSession(Model):
    """One sign-in on one device. The cookie holds a random token, the row only its SHA-256.

    ``confirmed_at``: when the person last proved in this session who they are, by all factors
    they have. ``method``: what they proved it with at sign-in.
    """

    id: Mapped[str] = primary_key("ses")
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    ip: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    method: Mapped[str] = mapped_column(String(24), default="password")
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)

    user: Mapped[User] = relationship()
