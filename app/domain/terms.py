"""Terms: by whose prices a workspace pays for machines, and how much it may use.

Without a word the house's own hold, as the price book says them. What an operator agrees with a
workspace holds from the month of the agreement on: months that ended are never added up anew.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select, update

from app.domain import audit, clock, months, price_book, workspaces
from app.domain.audit import Actor
from app.domain.errors import Invalid
from app.domain.months import Month
from app.domain.price_book import Book
from app.extensions import db
from app.models import BillingTerms, BotCompute, IdlePayer, Phase, User, Workspace

MOST_MARKUP = Decimal(1000)
MOST = 1_000_000
MOST_SPEND = Decimal(10_000_000)
FIELDS = ("markup_percent", "idle_payer", "max_bots", "max_machines", "max_spend")

OF_SPENDING = ("markup_percent", "idle_payer", "max_spend")
"""What decides how much was spent and whether that is too much."""


@dataclass(frozen=True)
class Terms:
    """Mark-up on the price book, who pays for an address whose bot sleeps, and limits.

    ``None`` is no limit; ``max_spend`` in a month.
    """

    markup_percent: Decimal
    idle_payer: IdlePayer
    max_bots: int | None = None
    max_machines: int | None = None
    max_spend: Decimal | None = None


def of(workspace_id: str, month: Month, book: Book | None = None) -> Terms:
    """What holds for a workspace in a month."""
    row = agreed(workspace_id, month)
    if row is None:
        return of_house(month, book or price_book.in_use())
    return Terms(*(getattr(row, name) for name in FIELDS))


def of_house(month: Month, book: Book) -> Terms:
    """What holds for whoever agreed nothing else."""
    version = book.at(month.start) or book.versions[0]
    return Terms(version.markup_percent, version.idle_payer)


def agreed(workspace_id: str, month: Month) -> BillingTerms | None:
    """The row that holds in a month, if anything was agreed until then."""
    query = select(BillingTerms).where(
        BillingTerms.workspace_id == workspace_id, BillingTerms.from_month <= str(month)
    )
    return db.session.scalar(query.order_by(BillingTerms.from_month.desc()).limit(1))


def history(workspace_id: str) -> list[BillingTerms]:
    """All that was ever agreed, the newest first."""
    query = select(BillingTerms).where(BillingTerms.workspace_id == workspace_id)
    return list(db.session.scalars(query.order_by(BillingTerms.from_month.desc())))


def agree(
    workspace: Workspace, wanted: Terms, *, author: User | None, by: Actor, now: datetime
) -> bool:
    """Set what holds from this month on; ``False`` if that is what holds already.

    Raises:
        Invalid: a value does not do; ``field`` says which.
    """
    _check(wanted)
    workspaces.lock(workspace)
    month = months.of(now)
    before, row = of(workspace.id, month), agreed(workspace.id, month)
    changes = audit.changes_between(vars(before), vars(wanted))
    if not changes:
        return False
    if row is None or row.from_month != str(month):
        row = _succeeding(row, workspace.id, month)
    for name in FIELDS:
        setattr(row, name, getattr(wanted, name))
    if any(changed.field in OF_SPENDING for changed in changes):
        row.spent_month, row.spent_seen_at = "", None
    row.changed_at, row.changed_by = now, author.id if author else None
    db.session.flush()
    _let_waiting_look(workspace.id, now)
    audit.record(
        "billing.terms",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
        changes=[audit.Change("from_month", None, str(month)), *changes],
    )
    return True


def _succeeding(row: BillingTerms | None, workspace_id: str, month: Month) -> BillingTerms:
    """A row from this month on, which knows what the one before it knew of spending."""
    known = {it: getattr(row, it) for it in ("spent_month", "spent_seen_at")} if row else {}
    fresh = BillingTerms(workspace_id=workspace_id, from_month=str(month), **known)
    db.session.add(fresh)
    return fresh


def _let_waiting_look(workspace_id: str, now: datetime) -> None:
    """Bots that an earlier limit held back ask again at once."""
    waiting = (
        BotCompute.workspace_id == workspace_id,
        BotCompute.phase == Phase.ASLEEP,
        BotCompute.problem != "",
    )
    db.session.execute(
        update(BotCompute).where(*waiting).values(due_at=clock.moment(now), retry_at=None)
    )


def _check(wanted: Terms) -> None:
    markup = wanted.markup_percent
    if not 0 <= markup <= MOST_MARKUP or markup != round(markup, 2):
        raise Invalid(
            f"Write a mark-up from 0 to {MOST_MARKUP:,} % with two decimals at most.",
            "markup_percent",
        )
    for name in ("max_bots", "max_machines"):
        value = getattr(wanted, name)
        if value is not None and not 0 <= value <= MOST:
            raise Invalid(f"Write a whole number from 0 to {MOST:,}, or nothing.", name)
    spend = wanted.max_spend
    if spend is not None and (not 0 < spend <= MOST_SPEND or spend != round(spend, 2)):
        raise Invalid("Write an amount above zero in dollars and cents, or nothing.", "max_spend")
