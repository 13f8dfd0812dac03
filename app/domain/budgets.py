"""Budgets: what a workspace means to spend on machines in a month, and who is told on the way.

A budget holds nothing back; a bound that does is part of the operator's terms.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select

from app.domain import (
    access,
    audit,
    billing_contacts,
    months,
    notices,
    outbox,
    quotas,
    statements,
    terms,
    tidings,
    workspaces,
)
from app.domain.access import Permission
from app.domain.audit import Actor
from app.domain.errors import Invalid
from app.domain.months import Month
from app.extensions import db
from app.models import Budget, BudgetAlert, Membership, User, Workspace
from app.models.base import new_id

SHARES = (50, 80, 100)
HIGHEST = Decimal(10_000_000)
QUEUE, JOB = "desk", "look_at_costs"
A_DAY = timedelta(days=1)
"""So long a month that ended is still looked at: its last hour was in nobody's look."""


@dataclass(frozen=True)
class Standing:
    """A budget, and what was spent of it in the month that runs. Dollars."""

    amount: Decimal
    spent: Decimal

    @property
    def percent(self) -> int:
        """How much of it was spent, in whole percent, never rounded up."""
        return int(self.spent * 100 / self.amount)


def of(workspace: Workspace) -> Budget | None:
    """What the workspace means to spend, if it said so."""
    return db.session.scalar(select(Budget).where(Budget.workspace_id == workspace.id))


def standing(workspace: Workspace, spent: Decimal) -> Standing | None:
    """The same beside what was spent."""
    budget = of(workspace)
    return Standing(budget.amount, spent) if budget else None


def set_amount(
    workspace: Workspace,
    amount: Decimal | None,
    *,
    author: User | None,
    by: Actor,
    now: datetime,
) -> bool:
    """Set or, with ``None``, drop the budget; ``False`` if nothing changes.

    Shares that a higher budget leaves unreached will be told when they are reached again.

    Raises:
        Invalid: it is no amount in dollars and cents above zero.
    """
    if amount is not None and (not 0 < amount <= HIGHEST or amount != round(amount, 2)):
        raise Invalid("Write an amount above zero in dollars and cents.", "amount")
    workspaces.lock(workspace)
    budget = of(workspace)
    before = budget.amount if budget else None
    if before == amount:
        return False
    if amount is None:
        db.session.delete(budget)
    else:
        if budget is None:
            budget = Budget(id=new_id("bud"), workspace_id=workspace.id)
            db.session.add(budget)
        budget.amount, budget.changed_at = amount, now
        budget.changed_by = author.id if author else None
        _forget_unreached(workspace, amount, now)
        ask_look(workspace.id, now)
    db.session.flush()
    audit.record(
        "billing.budget",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
        changes=[audit.Change("amount", before, amount)],
    )
    return True


def ask_due(now: datetime) -> None:
    """Have a worker add up each workspace that has a budget or a bound on spending."""
    alive = select(Workspace.id).where(Workspace.deleted_at.is_(None))
    having = select(Budget.workspace_id).where(Budget.workspace_id.in_(alive))
    for workspace_id in sorted({*db.session.scalars(having), *quotas.watched(now)}):
        ask_look(workspace_id, now)


def ask_look(workspace_id: str, now: datetime) -> None:
    """Have a worker add one up."""
    outbox.put(QUEUE, JOB, now=now, workspace_id=workspace_id, place=workspace_id)


def look(workspace_id: str, now: datetime, base_url: str) -> None:
    """Tell what was reached since the last look; running it twice tells nothing twice."""
    query = select(Workspace).where(Workspace.id == workspace_id).with_for_update(key_share=True)
    workspace = db.session.scalar(query)
    if workspace is None or workspace.deleted_at is not None:
        return
    month, budget = months.of(now), of(workspace)
    for each in dict.fromkeys((months.of(now - A_DAY), month)):
        if budget is not None and budget.changed_at < each.end:
            _look_at(workspace, budget, each, now, base_url)
    agreed = terms.agreed(workspace.id, month)
    if agreed is not None:
        # Last, as it may go into the log: a contact that leaves has its row before the log's end.
        quotas.spent_out(workspace, agreed, now, by=audit.TIMETABLE)


def _look_at(
    workspace: Workspace, budget: Budget, month: Month, now: datetime, base_url: str
) -> None:
    told = statements.of_workspace(workspace, month, now)
    spent = statements.dollars(told.total) or Decimal(0)
    news = _news(workspace, budget, spent, month, now)
    if news:
        _tell(workspace, budget.amount, spent, news[-1], month, now, base_url)


def alerts(workspace: Workspace, month: Month) -> list[BudgetAlert]:
    """What was told in a month, the lowest share first."""
    query = select(BudgetAlert).where(
        BudgetAlert.workspace_id == workspace.id, BudgetAlert.month == str(month)
    )
    return list(db.session.scalars(query.order_by(BudgetAlert.percent)))


def history(workspace: Workspace, limit: int = 36) -> list[BudgetAlert]:
    """What was told in all months, the newest first."""
    query = select(BudgetAlert).where(BudgetAlert.workspace_id == workspace.id)
    newest = BudgetAlert.month.desc(), BudgetAlert.percent.desc()
    return list(db.session.scalars(query.order_by(*newest).limit(limit)))


def readers(workspace: Workspace) -> list[User]:
    """The members who see what bots cost and can be reached."""
    query = select(User).join(Membership, Membership.user_id == User.id)
    query = query.where(
        Membership.workspace_id == workspace.id,
        Membership.role.in_(access.roles_with(Permission.BILLING_VIEW)),
        Membership.suspended_at.is_(None),
        User.suspended_at.is_(None),
        User.email_verified_at.is_not(None),
    )
    return list(db.session.scalars(query.order_by(User.name, User.id)))


def _news(
    workspace: Workspace, budget: Budget, spent: Decimal, month: Month, now: datetime
) -> list[int]:
    """The shares that were reached and not yet told, lowest first; noted down as told."""
    known = {alert.percent for alert in alerts(workspace, month)}
    reached = [share for share in SHARES if spent * 100 >= budget.amount * share]
    news = [share for share in reached if share not in known]
    for share in news:
        db.session.add(
            BudgetAlert(
                workspace_id=workspace.id,
                month=str(month),
                percent=share,
                amount=budget.amount,
                spent=spent,
                told_at=now,
            )
        )
    db.session.flush()
    return news


def _tell(
    workspace: Workspace,
    amount: Decimal,
    spent: Decimal,
    share: int,
    month: Month,
    now: datetime,
    base_url: str,
) -> None:
    """Only of the highest share: who jumps over two reads one letter."""
    key = f"budget {workspace.id} {month} {share} {amount}"
    said: dict[str, Any] = {
        "share": share,
        "month": month.title,
        "spent": f"${spent:,.2f}",
        "amount": f"${amount:,.2f}",
    }
    for person in readers(workspace):
        if notices.told(person.id, key):
            continue
        tidings.tell(
            person,
            "budget_alert",
            f"{workspace.name} has spent {share} % of its budget for {month.title}",
            workspace=workspace,
            key=key,
            now=now,
            body=f"{said['spent']} of {said['amount']}. Bots go on; a budget stops nothing.",
            page=f"/w/{workspace.id}/billing/{month}",
            leave="",
            **said,
        )
    billing_contacts.write(workspace, "budget_alert", base_url=base_url, key=key, now=now, **said)


def _forget_unreached(workspace: Workspace, amount: Decimal, now: datetime) -> None:
    month = months.of(now)
    spent = statements.dollars(statements.of_workspace(workspace, month, now).total) or Decimal(0)
    open_shares = [share for share in SHARES if spent * 100 < amount * share]
    mine = BudgetAlert.workspace_id == workspace.id, BudgetAlert.month == str(month)
    db.session.execute(delete(BudgetAlert).where(*mine, BudgetAlert.percent.in_(open_shares)))
