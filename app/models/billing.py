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

    ``markup_percent`` on the price book. Limits: ``None`` is none; ``max_spend`` per month in the
    price book's currency.
    """

    __table_args__ = (UniqueConstraint("workspace_id"),)

    id: Mapped[str] = primary_key("trm")
    markup_percent: Mapped[Decimal] = mapped_column(Amount)
    idle_payer: Mapped[IdlePayer] = mapped_column(Chosen(IdlePayer))
    max_bots: Mapped[int | None]
    max_machines: Mapped[int | None]
    max_spend: Mapped[Decimal | None] = mapped_column(Amount)
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
    """An address that statements and budget alerts go to besides those who manage billing."""

    __table_args__ = (UniqueConstraint("workspace_id", "email_key"),)

    id: Mapped[str] = primary_key("bco")
    name: Mapped[str] = mapped_column(String(80), default="")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    added_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    added_at: Mapped[datetime] = mapped_column(Moment)
