"""Quotas: how many bots and machines a workspace may have, and how much it may spend in a month.

They keep new things from beginning. What runs goes on: a machine is never taken for a quota, and
where a position may be open with nobody managing it, a bot wakes whatever was spent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.domain import audit, clock, machines, months, notices, owners, statements, terms, tidings
from app.domain.audit import Actor
from app.domain.errors import Refused
from app.extensions import change, db
from app.models import BillingTerms, Bot, BotCompute, Machine, Workspace

ASK = "Whoever runs this server can raise it."
AGAIN = timedelta(seconds=30)
"""When a bot that waits for room looks again; new terms let it look at once."""

AGAIN_SPENT = timedelta(minutes=5)
SPENT = (
    "The workspace has spent what it may spend on machines in a month. "
    f"Nothing wakes until the next one. {ASK}"
)
"""Names no amount: who sees a bot need not see what bots cost."""
BOUND = "bound"
"""What keeps a bot is no trouble of the cloud's; stands where a cause of the drivers would."""
NEAR = 80
"""So many percent of a bound are worth a word before it is reached."""
SEEN_FOR = timedelta(minutes=1)
"""So long a look at what was spent holds, however many bots wake meanwhile."""


@dataclass(frozen=True)
class Use:
    """How much of a bound is used; ``money`` in dollars, else a number."""

    what: str
    used: Decimal
    most: Decimal
    money: bool = False

    @property
    def percent(self) -> int:
        """In whole percent, never rounded up; of nothing at all everything is used."""
        return int(self.used * 100 / self.most) if self.most else 100

    @property
    def near(self) -> bool:
        """Whether it is time to ask for more."""
        return self.percent >= NEAR


def check_bot(workspace: Workspace, now: datetime) -> None:
    """Whether there is room for one more bot. Call it under ``workspaces.lock``.

    Raises:
        Refused: there is none.
    """
    most = terms.of(workspace.id, months.of(now)).max_bots
    if most is None:
        return
    alive = Bot.workspace_id == workspace.id, Bot.deleted_at.is_(None)
    if _count(Bot.id, *alive) >= most:
        raise Refused(
            f"{workspace.name} has the {most} bots that it may have. Delete one first. {ASK}"
        )


def uses(workspace: Workspace, spent: Decimal, now: datetime) -> list[Use]:
    """Each bound there is and how much of it is used, ``spent`` in the month that runs."""
    agreed = terms.of(workspace.id, months.of(now))
    alive = Bot.workspace_id == workspace.id, Bot.deleted_at.is_(None)
    running = Machine.workspace_id == workspace.id, Machine.gone_at.is_(None)
    found = (
        ("bots", _count(Bot.id, *alive), agreed.max_bots),
        ("machines at once", _count(Machine.id, *running), agreed.max_machines),
        ("spending this month", spent, agreed.max_spend),
    )
    return [
        Use(what, Decimal(used), Decimal(most), money=used is spent)
        for what, used, most in found
        if most is not None
    ]


def hold_back(compute: BotCompute, now: datetime) -> bool:
    """Whether a bot's wake has to wait; then its row says why, and when it looks again."""
    why, again = _bound(compute, now)
    if why:
        compute.problem, compute.cause, compute.due_at = why, BOUND, again
    elif compute.cause == BOUND:
        # What it waited for room is no delay of the cloud: its way up is measured from here.
        compute.problem, compute.cause, compute.wanted_at = "", "", now
    return bool(why)


def spent_out(workspace: Workspace, agreed: BillingTerms, now: datetime, *, by: Actor) -> bool:
    """Whether all was spent that may be in this month. Its owners are told once."""
    month = months.of(now)
    if agreed.max_spend is None:
        return False
    if agreed.spent_month == str(month):
        return True
    if agreed.spent_seen_at is not None and abs(now - agreed.spent_seen_at) < SEEN_FOR:
        return False
    agreed.spent_seen_at = now
    spent = statements.dollars(statements.of_workspace(workspace, month, now).total) or Decimal(0)
    if spent * 100 >= agreed.max_spend * NEAR:
        _warn_owners(workspace, agreed, spent, now)
    if spent < agreed.max_spend:
        return False
    first = update(BillingTerms).where(
        BillingTerms.id == agreed.id, BillingTerms.spent_month != str(month)
    )
    if change(first.values(spent_month=str(month))) != 1:
        return True
    _tell_owners(workspace, agreed, spent, now)
    audit.record(
        "billing.spend_stop",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
        reason=f"${spent:,.2f} of ${agreed.max_spend:,.2f} spent in {month.title}",
    )
    return True


def watched(now: datetime) -> list[str]:
    """Ids of workspaces with a bound on spending that was not seen reached this month."""
    month = months.of(clock.database_now(now))
    query = select(BillingTerms.workspace_id).where(
        BillingTerms.max_spend.is_not(None),
        BillingTerms.from_month <= str(month),
        BillingTerms.spent_month != str(month),
    )
    return list(db.session.scalars(query.distinct()))


def _bound(compute: BotCompute, now: datetime) -> tuple[str, datetime]:
    """Why a bot has to wait, if it has to, and until when."""
    month = months.of(now)
    agreed = terms.agreed(compute.workspace_id, month)
    if agreed is None or machines.stranded(compute.bot_id) or machines.succeeds(compute.bot_id):
        return "", now
    why = _no_machine(agreed, compute.bot_id)
    if not why and spent_out(compute.bot.workspace, agreed, now, by=audit.PLANNER):
        return SPENT, min(now + AGAIN_SPENT, month.end)
    return why, now + AGAIN


def _no_machine(agreed: BillingTerms, bot_id: str) -> str:
    """Why there is no room for one more machine; whoever asks is alone until the commit."""
    if agreed.max_machines is None:
        return ""
    row = select(BillingTerms.id).where(BillingTerms.id == agreed.id).with_for_update()
    db.session.execute(row)
    others = Machine.workspace_id == agreed.workspace_id, Machine.bot_id != bot_id
    if _count(Machine.id, *others, Machine.gone_at.is_(None)) < agreed.max_machines:
        return ""
    return (
        f"The workspace runs the {agreed.max_machines} machines that it may run at once. "
        f"The bot wakes when one of them sleeps. {ASK}"
    )


def _count(column: InstrumentedAttribute[str], *where: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count(column)).where(*where)) or 0


def _warn_owners(workspace: Workspace, agreed: BillingTerms, spent: Decimal, now: datetime) -> None:
    """In the inbox, once for each month and bound: there is time to ask for more."""
    month = months.of(now)
    notices.tell(
        [owner.id for owner in owners.active(workspace)],
        f"{workspace.name} has spent {NEAR} % of what it may in {month.title}",
        key=f"spend near {workspace.id} {month} {agreed.max_spend}",
        now=now,
        body=f"${spent:,.2f} of ${agreed.max_spend:,.2f}. At the bound nothing wakes. {ASK}",
        path=f"/w/{workspace.id}/billing/{month}",
        workspace_id=workspace.id,
    )


def _tell_owners(workspace: Workspace, agreed: BillingTerms, spent: Decimal, now: datetime) -> None:
    month = months.of(now)
    key = f"spend {workspace.id} {month} {agreed.max_spend}"
    for owner in owners.active(workspace):
        if notices.told(owner.id, key):
            continue
        tidings.tell(
            owner,
            "spend_stopped",
            f"{workspace.name} has spent what it may in {month.title}",
            workspace=workspace,
            key=key,
            now=now,
            body="No machine wakes until the next month, but where a position may be open. "
            "What is awake goes on.",
            page=f"/w/{workspace.id}/billing/{month}",
            month=month.title,
            spent=f"${spent:,.2f}",
            bound=f"${agreed.max_spend:,.2f}",
        )
