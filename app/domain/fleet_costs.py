"""What the whole fleet costs in a month, workspace by workspace, and what is metered for nothing.

``cost`` is by the price book, whoever pays; ``charged`` is what the workspace's statement says.
"""

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
class Leak:
    """Something metered that no row accounts for, or that runs unmetered; told without names."""

    workspace_id: str
    bot_id: str
    what: str
    since: datetime


def of_month(month: Month, now: datetime, number: int = 1) -> tuple[list[Row], bool]:
    """A page of workspaces that used anything in the month, by name, and whether more follow."""
    end = max(month.start, min(month.end, now))
    using = select(UsageInterval.workspace_id).where(
        UsageInterval.started_at < end,
        UsageInterval.ended_at.is_(None) | (UsageInterval.ended_at > month.start),
    )
    query = select(Workspace).where(Workspace.id.in_(using))
    query = query.order_by(func.lower(Workspace.name), Workspace.id)
    found = list(db.session.scalars(query.limit(PAGE + 1).offset((number - 1) * PAGE)))
    shown = found[:PAGE]
    ids = [workspace.id for workspace in shown]
    machines, idle = _counted(_running(), ids), _counted(_idle(), ids)
    rows = [
        _row(workspace, month, now, machines.get(workspace.id, 0), idle.get(workspace.id, 0))
        for workspace in shown
    ]
    return rows, len(found) > PAGE


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


def _row(workspace: Workspace, month: Month, now: datetime, machines: int, idle: int) -> Row:
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


def _running() -> Select[*tuple[Any, ...]]:
    return select(Machine.workspace_id, func.count()).where(Machine.gone_at.is_(None))


def _idle() -> Select[*tuple[Any, ...]]:
    running = select(Machine.id).where(
        Machine.bot_id == BotAddress.bot_id, Machine.gone_at.is_(None)
    )
    return select(BotAddress.workspace_id, func.count()).where(
        BotAddress.ip.is_not(None), BotAddress.released_at.is_(None), ~running.exists()
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
