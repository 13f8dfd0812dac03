"""The fleet as operators see it: every bot's compute, newest change first, a page at a time.

Bots are told by their ids: what their owners call them is not shown here. Pages are found by a key
and not by counting, so that the last of ten thousand bots is as near as the first.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_

from app.domain.lifecycle import SILENCE
from app.extensions import db
from app.models import (
    Bot,
    BotAddress,
    BotCompute,
    CloudOperation,
    Machine,
    Phase,
    Workspace,
)

PAGE = 50
LASTING = frozenset({Phase.ASLEEP, Phase.READY, Phase.RELEASED})
"""Phases in which a bot may stay for days; any other is on its way to one of them."""


@dataclass(frozen=True)
class Filter:
    """What is looked for. ``after``: the last line seen, as ``cursor`` wrote it."""

    phase: Phase | None = None
    region: str = ""
    troubled: bool = False
    workspace: str = ""
    after: tuple[datetime, str] | None = None


@dataclass(frozen=True)
class Timings:
    """How long each part of a machine's way up took; ``None`` where it has not come so far."""

    queue: timedelta | None
    insert: timedelta | None
    boot: timedelta | None
    ready: timedelta | None
    whole: timedelta | None


@dataclass(frozen=True)
class Line:
    """One bot: its compute, whose it is, its address, its machine if any, the last call."""

    compute: BotCompute
    region: str
    workspace_id: str
    workspace: str
    address: BotAddress | None
    machine: Machine | None
    operation: CloudOperation | None

    @property
    def timings(self) -> Timings | None:
        """Of the machine that is there."""
        return timings(self.machine) if self.machine else None


def timings(machine: Machine) -> Timings:
    """From wanted over asked for, inserted, running to ready."""
    known = machine
    return Timings(
        queue=_between(known.wanted_at, known.created_at),
        insert=_between(known.created_at, known.inserted_at),
        boot=_between(known.inserted_at or known.created_at, known.running_at),
        ready=_between(known.running_at, known.claimed_at),
        whole=_between(known.wanted_at or known.created_at, known.claimed_at),
    )


def page(wanted: Filter, now: datetime, limit: int = PAGE) -> tuple[list[Line], str | None]:
    """The lines of one page, and where the next one begins if there is one."""
    query = _lines().where(*_conditions(wanted, now))
    newest_first = BotCompute.phase_since.desc(), BotCompute.bot_id.desc()
    found = db.session.execute(query.order_by(*newest_first).limit(limit + 1)).all()
    lines = _with_operations(found[:limit])
    return lines, cursor(lines[-1]) if len(found) > limit else None


def one(bot_id: str) -> Line | None:
    """The line of one bot, a released one included."""
    found = db.session.execute(_lines().where(BotCompute.bot_id == bot_id)).all()
    return next(iter(_with_operations(found)), None)


def counts(region: str = "") -> dict[Phase, int]:
    """How many bots are in each phase."""
    query = select(BotCompute.phase, func.count().label("bots")).group_by(BotCompute.phase)
    if region:
        query = query.join(Bot, Bot.id == BotCompute.bot_id).where(Bot.region == region)
    return {row.phase: row.bots for row in db.session.execute(query)}


def troubled_count(now: datetime) -> int:
    """How many need somebody."""
    query = select(func.count()).select_from(BotCompute).outerjoin(Machine, _present())
    query = query.outerjoin(BotAddress, BotAddress.bot_id == BotCompute.bot_id)
    return db.session.scalar(query.where(_troubled(now))) or 0


def regions() -> dict[str, int]:
    """How many bots that are not gone live in each region."""
    query = select(Bot.region, func.count().label("bots")).where(Bot.deleted_at.is_(None))
    return {row.region: row.bots for row in db.session.execute(query.group_by(Bot.region))}


def moving(found: dict[Phase, int]) -> bool:
    """Whether anything is on its way from one lasting phase to another."""
    return any(count for phase, count in found.items() if phase not in LASTING)


def cursor(line: Line) -> str:
    """Where a page ends, for the address of the next one."""
    return f"{line.compute.phase_since.isoformat()}~{line.compute.bot_id}"


def parsed(text: str) -> tuple[datetime, str] | None:
    """What ``cursor`` wrote; anything else is the beginning."""
    moment, _, bot_id = text.replace(" ", "+").partition("~")
    try:
        found = datetime.fromisoformat(moment)
        return (found.astimezone(UTC), bot_id) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _lines() -> Select[*tuple[Any, ...]]:
    query = select(BotCompute, Bot.region, Workspace.id, Workspace.name, BotAddress, Machine)
    query = query.join(Bot, Bot.id == BotCompute.bot_id)
    query = query.join(Workspace, Workspace.id == BotCompute.workspace_id)
    query = query.outerjoin(BotAddress, BotAddress.bot_id == BotCompute.bot_id)
    return query.outerjoin(Machine, _present())


def _present() -> ColumnElement[bool]:
    return and_(Machine.bot_id == BotCompute.bot_id, Machine.gone_at.is_(None))


def _conditions(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.phase is not None:
        found.append(BotCompute.phase == wanted.phase)
    else:
        found.append(BotCompute.phase != Phase.RELEASED)
    if wanted.region:
        found.append(Bot.region == wanted.region)
    if wanted.workspace:
        found.append(BotCompute.workspace_id == wanted.workspace)
    if wanted.troubled:
        found.append(_troubled(now))
    if wanted.after is not None:
        key = tuple_(BotCompute.phase_since, BotCompute.bot_id)
        found.append(key < tuple_(*wanted.after))
    return found


def _troubled(now: datetime) -> ColumnElement[bool]:
    """Blocked, refused lately, not heard of, or without the address it was promised."""
    unheard = or_(Machine.synced_at.is_(None), Machine.synced_at < now - SILENCE)
    trading = BotCompute.phase.in_((Phase.READY, Phase.DRAINING))
    lost = and_(BotAddress.lost_at.is_not(None), BotAddress.released_at.is_(None))
    blocked = BotCompute.phase == Phase.BLOCKED
    return or_(blocked, BotCompute.problem != "", and_(trading, unheard), lost)


def _with_operations(rows: Any) -> list[Line]:
    """The last call of each, found by an index for each: a bot makes thousands in its life."""
    ids = [row[0].bot_id for row in rows]
    newest = (
        select(CloudOperation.id)
        .where(CloudOperation.bot_id == BotCompute.bot_id)
        .order_by(CloudOperation.started_at.desc(), CloudOperation.id.desc())
        .limit(1)
        .correlate(BotCompute)
        .scalar_subquery()
    )
    query = select(CloudOperation).join(BotCompute, CloudOperation.id == newest)
    query = query.where(BotCompute.bot_id.in_(ids))
    last = {it.bot_id: it for it in db.session.scalars(query)} if ids else {}
    found = []
    for compute, region, workspace_id, workspace, address, machine in rows:
        call = last.get(compute.bot_id)
        found.append(Line(compute, region, workspace_id, workspace, address, machine, call))
    return found


def _between(start: datetime | None, end: datetime | None) -> timedelta | None:
    return max(end - start, timedelta(0)) if start and end else None
