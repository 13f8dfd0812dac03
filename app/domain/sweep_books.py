"""What the rows say of what the cloud shows: which names they know, and whose the rest is."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select

from app.domain import machines
from app.domain.sweep_rules import Books, Known, bot_of
from app.extensions import db
from app.models import (
    BotAddress,
    BotCompute,
    CloudOperation,
    CodeTask,
    Machine,
    OperationState,
    Phase,
)

JUST_NOW = timedelta(minutes=5)
"""A listing may still show what was proven gone so lately."""

_UNDER_WAY = (OperationState.INTENDED, OperationState.PENDING)
_AT_ONCE = 500


def read(names: Iterable[str], now: datetime) -> Books:
    """The rows behind these names, as of now."""
    names = list(names)
    kept = _names(Machine.name, Machine.gone_at, names, now)
    kept |= _names(CodeTask.machine, CodeTask.gone_at, names, now)
    addresses = _names(BotAddress.name, BotAddress.released_at, names, now)
    strangers = {bot_of(name) for name in names if name not in kept | addresses} - {""}
    return Books(kept, addresses, dict(_known(strangers, now)), _living(), _borne(names))


def _names(name: Any, ended_at: Any, wanted: list[str], now: datetime) -> frozenset[str]:
    """Which of the wanted names a row accounts for, or did until just now."""
    standing = or_(ended_at.is_(None), ended_at > now - JUST_NOW)
    found: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        some = name.in_(wanted[start : start + _AT_ONCE])
        found |= set(db.session.scalars(select(name).where(some, standing)))
    return frozenset(found)


def _borne(wanted: list[str]) -> frozenset[str]:
    """Which of the wanted names a machine ever bore."""
    found: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        for name in (Machine.name, CodeTask.machine):
            some = name.in_(wanted[start : start + _AT_ONCE])
            found |= set(db.session.scalars(select(name).where(some)))
    return frozenset(found)


def _known(bot_ids: set[str], now: datetime) -> Iterable[tuple[str, Known]]:
    listed = sorted(bot_ids)
    for start in range(0, len(listed), _AT_ONCE):
        for compute, calls in db.session.execute(_of_bots(listed[start : start + _AT_ONCE])):
            known = Known(
                generation=compute.generation,
                alive=compute.phase is not Phase.RELEASED,
                busy=calls > 0 or compute.lease_until > now,
                stranded=machines.stranded(compute.bot_id),
            )
            yield compute.bot_id, known


def _of_bots(bot_ids: list[str]) -> Select[Any]:
    mine = CloudOperation.bot_id == BotCompute.bot_id
    open_calls = select(func.count(CloudOperation.id)).where(
        mine, CloudOperation.state.in_(_UNDER_WAY)
    )
    query = select(BotCompute, open_calls.correlate(BotCompute).scalar_subquery())
    query = query.where(BotCompute.bot_id.in_(bot_ids))
    return query.execution_options(populate_existing=True)


def _living() -> int:
    """Bots that are not gone, and tasks whose machine is not: each may have one."""
    bots = select(func.count(BotCompute.bot_id)).where(BotCompute.phase != Phase.RELEASED)
    tasks = select(func.count(CodeTask.id)).where(CodeTask.gone_at.is_(None))
    return (db.session.scalar(bots) or 0) + (db.session.scalar(tasks) or 0)
