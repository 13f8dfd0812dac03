"""Equity of a scope day by day: accounts that runs share are counted once, flows taken out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, tuple_

from app.domain.analytics.scope import Scope
from app.extensions import db
from app.models import CashFlow, EquityDay
from runner.metrics import Day, Flow, together
from runner.protocol import FlowKind

TRANSFERS = (FlowKind.DEPOSIT, FlowKind.WITHDRAWAL)
Told = tuple[date, float, float, float, datetime]
"""Of one account on one day: first, low, last, and when the last was told."""


def of(scope: Scope) -> list[Day]:
    """All accounts of a scope as one."""
    accounts, flows = _told(scope), _flows(scope)
    first = scope.period.start.date()
    whole = (_account(told, flows.get(name, [])) for name, told in accounts.items())
    return together([[it for it in days if it.day >= first] for days in whole])


def shared(scope: Scope) -> bool:
    """Whether some of its equity is of an account that several runs told of at once."""
    query = select(EquityDay.run_id, EquityDay.day).where(EquityDay.run_id.in_(scope.run_ids))
    names = {run.id: run.account for run in scope.runs if run.account != run.id}
    if len(names) < 2:
        return False
    rows = db.session.execute(query.where(EquityDay.run_id.in_(names)))
    seen = [(names[run], day) for run, day in rows]
    return len(set(seen)) < len(seen)


def _told(scope: Scope) -> dict[str, list[Told]]:
    """By account, oldest first: the days of the period, and the last one before it.

    What a period begins with is what the day before ended with. The first word of its own first
    day may come hours later, and may hold a deposit of meanwhile already.
    """
    names = {run.id: run.account for run in scope.runs}
    columns = (EquityDay.first, EquityDay.low, EquityDay.last, EquityDay.last_at)
    mine, begun = EquityDay.run_id.in_(scope.run_ids), scope.period.start.date()
    last_before = select(EquityDay.run_id, func.max(EquityDay.day)).where(
        mine, EquityDay.day < begun
    )
    before = tuple_(EquityDay.run_id, EquityDay.day).in_(last_before.group_by(EquityDay.run_id))
    query = select(EquityDay.run_id, EquityDay.day, *columns)
    query = query.where(mine, (EquityDay.day >= begun) | before).order_by(EquityDay.last_at)
    found: dict[str, dict[date, Told]] = defaultdict(dict)
    for run_id, day, first, low, last, at in db.session.execute(query):
        days = found[names[run_id]]
        told = (day, float(first), float(low), float(last), at)
        days[day] = _both(days[day], told) if day in days else told
    return {name: [days[day] for day in sorted(days)] for name, days in found.items()}


def _both(before: Told, after: Told) -> Told:
    """Two runs told of the same account on the same day."""
    return (before[0], before[1], min(before[2], after[2]), after[3], after[4])


def _account(told: Iterable[Told], flows: list[Flow]) -> list[Day]:
    """Days without a word in between are days on which nothing moved."""
    found: list[Day] = []
    for day, first, low, last, at in told:
        start = found[-1].end if found else first
        found += [Day(it, start, start, low=0.0) for it in _missing(found, day)]
        moved = [it for it in flows if it.at <= at]
        flows = flows[len(moved) :]
        came = sum(it.amount for it in moved)
        found.append(Day(day, start, last, came, None if moved else min(low, last) - start))
    return found


def _missing(found: list[Day], day: date) -> Iterator[date]:
    between = (day - found[-1].day).days - 1 if found else 0
    return (day - timedelta(days=left) for left in range(between, 0, -1))


def _flows(scope: Scope) -> dict[str, list[Flow]]:
    """By account, oldest first; two runs on one account tell of the same flow.

    Runners tell of none that was there at their first look already.
    """
    names = {run.id: run.account for run in scope.runs}
    query = select(CashFlow.run_id, CashFlow.flow_id, CashFlow.at, CashFlow.amount).where(
        CashFlow.run_id.in_(scope.run_ids),
        CashFlow.kind.in_(TRANSFERS),
        CashFlow.currency == scope.currency,
    )
    found: dict[str, dict[Any, Flow]] = defaultdict(dict)
    for run_id, flow_id, at, amount in db.session.execute(query.order_by(CashFlow.at)):
        found[names[run_id]][flow_id] = Flow(at, float(amount))
    return {name: list(flows.values()) for name, flows in found.items()}
