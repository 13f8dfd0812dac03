"""Money for machines: what an operator charges, what a workspace means to spend, whom to tell."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Amount, Chosen, Moment, Tenant, primary_key


class IdlePayer(StrEnum):
    """Who pays for an address while its bot sleeps."""

    OPERATOR = "operator"
    WORKSPACE = "workspace"


class BillingTerms(Tenant, Model):
    """What an operator agreed with one workspace; without a row the house's own terms hold.

    They hold from ``from_month`` (``YYYY-MM``) on until the next row's, so that the statements of
    months that ended stay as they are. ``markup_percent`` on the price book. Limits: ``None`` is
    none; ``max_spend`` per month in the price book's currency. ``spent_month``: the month in which
    ``max_spend`` was seen reached, and ``spent_seen_at`` when it was last seen not to be, so that
    not every wake adds the month up again.
    """

    __table_args__ = (UniqueConstraint("workspace_id", "from_month"),)

    id: Mapped[str] = primary_key("trm")
    from_month: Mapped[str] = mapped_column(String(7))
    markup_percent: Mapped[Decimal] = mapped_column(Amount)
    idle_payer: Mapped[IdlePayer] = mapped_column(Chosen(IdlePayer))
    max_bots: Mapped[int | None]
    max_machines: Mapped[int | None]
    max_spend: Mapped[Decimal | None] = mapped_column(Amount)
    spent_month: Mapped[str] = mapped_column(String(7), default="")
    spent_seen_at: Mapped[datetime | None] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    changed_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))


class Budget(Tenant, Model):
    """What a workspace means to spend on machines in a month, in the price book's currency."""

    __table_args__ = (UniqueConstraint("workspace_id"),)

    id: Mapped[str] = primary_key("bud")
    amount: Mapped[Decimal] = mapped_column(Amount)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    changed_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))


class BudgetAlert(Tenant, Model):
    """That a share of a month's budget was reached and told; once for each share and month.

    ``month`` is ``YYYY-MM``; ``amount`` the budget of then.
    """

    __table_args__ = (UniqueConstraint("workspace_id", "month", "percent"),)

    id: Mapped[str] = primary_key("bal")
    month: Mapped[str] = mapped_column(String(7))
    percent: Mapped[int]
    amount: Mapped[Decimal] = mapped_column(Amount)
    spent: Mapped[Decimal] = mapped_column(Amount)
    told_at: Mapped[datetime] = mapped_column(Moment)


class BillingContact(Tenant, Model):
    """An address that budget alerts and the sums of ended months go to, besides the members.

    It has no right to anything, and gets nothing but one question until ``verified_at``:
    ``token_hash`` is of the link in it. Its random ``id`` is what ends it, from its own letters.
    ``told_month`` (``YYYY-MM``) is the latest whose sum it was written.
    """

    __table_args__ = (UniqueConstraint("workspace_id", "email_key"),)

    id: Mapped[str] = primary_key("bco")
    name: Mapped[str] = mapped_column(String(80), default="")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    token_hash: Mapped[str] = mapped_column(String(64), default="", index=True)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    verified_at: Mapped[datetime | None] = mapped_column(Moment)
    told_month: Mapped[str] = mapped_column(String(7), default="")
    added_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    added_at: Mapped[datetime] = mapped_column(Moment)
