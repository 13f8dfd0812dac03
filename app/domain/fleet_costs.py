"""What the whole fleet costs in a month, workspace by workspace, and what is metered for nothing.

``cost`` is by the price book, whoever pays; ``charged`` is what the workspace's statement says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, func, select

from app.domain import months, statements
from app.domain.months import Month
from app.domain.terms import Terms
from app.extensions import db
from app.models import (
    BotAddress,
    CloudRegion,
    IdlePayer,
    Machine,
    Resource,
    UsageInterval,
    Workspace,
)

PAGE = 10
"""Each row adds a whole month up."""
MOST_LEAKS = 100
BARE = Terms(Decimal(0), IdlePayer.WORKSPACE)


@dataclass(frozen=True)
class Row:
    """One workspace's month, in millionths of a dollar, and what it has at this moment."""

    id: str
    name: str
    bots: int
    cost: int
    charged: int
    absorbed: int
    unpriced: bool
    machines: int
    idle_addresses: int

    @property
    def margin(self) -> int:
        """What is left of what is charged."""
        return self.charged - self.cost


@dataclass(frozen=True)
class Sums:
    """The same of all workspaces together."""

    cost: int
    charged: int
    absorbed: int
    unpriced: bool

    @property
    def margin(self) -> int:
        """What is left of what is charged."""
        return self.charged - self.cost


@dataclass(frozen=True)
class Leak:
    """Something metered that no row accounts for, or that runs unmetered; told without names."""

    workspace_id: str
    bot_id: str
    what: str
    since: datetime


def of_month(month: Month, now: datetime, number: int = 1) -> tuple[list[Row], bool]:
    """A page of workspaces that used anything in the month, by name, and whether more follow."""
    query = _using(month, now).order_by(func.lower(Workspace.name), Workspace.id)
    found = list(db.session.scalars(query.limit(PAGE + 1).offset((number - 1) * PAGE)))
    shown = found[:PAGE]
    ids = [workspace.id for workspace in shown]
    machines = _counted(_running(Machine.workspace_id, func.count()), ids)
    idle = _counted(_idle(BotAddress.workspace_id, func.count()), ids)
    rows = [
        _row(workspace, month, now, machines.get(workspace.id, 0), idle.get(workspace.id, 0))
        for workspace in shown
    ]
    return rows, len(found) > PAGE


def count(month: Month, now: datetime) -> int:
    """How many workspaces used anything in the month."""
    query = select(func.count()).select_from(_using(month, now).subquery())
    return db.session.scalar(query) or 0


def sums(month: Month, now: datetime) -> Sums:
    """What all of them cost, each month added up as its own statement does it."""
    return sums_of([_row(it, month, now) for it in db.session.scalars(_using(month, now))])


def sums_of(rows: Sequence[Row]) -> Sums:
    """The same of rows that are there."""
    return Sums(
        cost=sum(row.cost for row in rows),
        charged=sum(row.charged for row in rows),
        absorbed=sum(row.absorbed for row in rows),
        unpriced=any(row.unpriced for row in rows),
    )


def running() -> int:
    """Machines there are at this moment, of all workspaces."""
    return db.session.scalar(_running(func.count())) or 0


def idle_addresses() -> int:
    """Addresses that no machine uses at this moment, of all workspaces."""
    return db.session.scalar(_idle(func.count())) or 0


def fullest_quotas(most: int = 3) -> list[tuple[str, str, int]]:
    """Region, metric and percent in use of the quotas with the least headroom, as last seen."""
    found = [
        (round(100 * used / limit), region.region, metric)
        for region in db.session.scalars(select(CloudRegion))
        for metric, (used, limit) in region.quotas.items()
        if limit
    ]
    return [
        (region, metric, percent) for percent, region, metric in sorted(found)[: -most - 1 : -1]
    ]


def first_month(now: datetime) -> Month:
    """The month of the earliest usage of all, else the present one."""
    found = db.session.scalar(select(func.min(UsageInterval.started_at)))
    return months.of(min(found, now) if found else now)


def leaks() -> list[Leak]:
    """What is metered without a machine or an address, and machines that nothing meters."""
    parts = (
        (_metered(Resource.MACHINE).where(~_alive_machine()), "metered, but it has no machine"),
        (_metered(Resource.ADDRESS).where(~_kept_address()), "metered, but it has no address"),
        (_unmetered(), "its machine runs and is not metered"),
    )
    return [
        Leak(workspace_id, bot_id, what, since)
        for query, what in parts
        for workspace_id, bot_id, since in db.session.execute(query.limit(MOST_LEAKS))
    ]


def _using(month: Month, now: datetime) -> Select[Workspace]:
    """Workspaces that used anything in the month."""
    end = max(month.start, min(month.end, now))
    using = select(UsageInterval.workspace_id).where(
        UsageInterval.started_at < end,
        UsageInterval.ended_at.is_(None) | (UsageInterval.ended_at > month.start),
    )
    return select(Workspace).where(Workspace.id.in_(using))


def _row(
    workspace: Workspace, month: Month, now: datetime, machines: int = 0, idle: int = 0
) -> Row:
    told = statements.of_workspace(workspace, month, now)
    cost = told.total + told.absorbed
    if told.terms.markup_percent:
        cost = statements.of_workspace(workspace, month, now, BARE).total
    return Row(
        id=workspace.id,
        name=workspace.name,
        bots=len(told.bots),
        cost=cost,
        charged=told.total,
        absorbed=told.absorbed,
        unpriced=bool(told.unpriced),
        machines=machines,
        idle_addresses=idle,
    )


def _counted(query: Select[*tuple[Any, ...]], ids: list[str]) -> dict[str, int]:
    column = query.selected_columns[0]
    rows = db.session.execute(query.where(column.in_(ids)).group_by(column))
    return {workspace_id: count for workspace_id, count in rows}  # noqa: C416 -- rows are no pairs


def _running(*columns: Any) -> Select[*tuple[Any, ...]]:
    return select(*columns).select_from(Machine).where(Machine.gone_at.is_(None))


def _idle(*columns: Any) -> Select[*tuple[Any, ...]]:
    running = select(Machine.id).where(
        Machine.bot_id == BotAddress.bot_id, Machine.gone_at.is_(None)
    )
    return (
        select(*columns)
        .select_from(BotAddress)
        .where(BotAddress.ip.is_not(None), BotAddress.released_at.is_(None), ~running.exists())
    )


def _metered(resource: Resource) -> Select[*tuple[Any, ...]]:
    query = select(UsageInterval.workspace_id, UsageInterval.bot_id)
    query = query.add_columns(UsageInterval.started_at)
    return query.where(
        UsageInterval.resource == resource, UsageInterval.ended_at.is_(None)
    ).order_by(UsageInterval.started_at)


def _alive_machine() -> Any:
    return (
        select(Machine.id)
        .where(Machine.bot_id == UsageInterval.bot_id, Machine.gone_at.is_(None))
        .exists()
    )


def _kept_address() -> Any:
    return (
        select(BotAddress.bot_id)
        .where(
            BotAddress.bot_id == UsageInterval.bot_id,
            BotAddress.ip.is_not(None),
            BotAddress.released_at.is_(None),
        )
        .exists()
    )


def _unmetered() -> Select[*tuple[Any, ...]]:
    metered = select(UsageInterval.id).where(
        UsageInterval.bot_id == Machine.bot_id,
        UsageInterval.resource == Resource.MACHINE,
        UsageInterval.ended_at.is_(None),
    )
    query = select(Machine.workspace_id, Machine.bot_id, Machine.running_at)
    return query.where(
        and_(Machine.gone_at.is_(None), Machine.running_at.is_not(None)), ~metered.exists()
    )
