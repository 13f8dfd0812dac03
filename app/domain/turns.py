"""Who may start next: so many machines are on their way at once, and bots start as they were due.

A bot that finds no place free, or others before it, waits in line and looks again by itself only
now and then. The ticker gives a turn to those that are longest due, as many as there are places.
Before all others go bots that may have left a position unmanaged, then those whose machine was
taken to be replaced. Bots of a region that must not be asked keep nobody waiting.
All is read from the rows: a turn that is lost, or not taken, costs a little time and no place.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, or_, select, tuple_, update

from app.domain import clock, machines, places, quotas
from app.extensions import db
from app.gateways.compute.driver import Cause, StepKind
from app.models import (
    Bot,
    BotCompute,
    CloudOperation,
    CloudRegion,
    OperationState,
    Phase,
    Priority,
)
from app.models.base import Moment

_STARTS_AT_ONCE = 5108
"""Under this number PostgreSQL keeps a lock: those who start machines count one after another."""
LOOKS_AGAIN = timedelta(minutes=5)
"""When a bot in line looks by itself: its turn does not hang on the ticker's books alone."""
TOLD_AGAIN = timedelta(seconds=5)
"""When a bot is due that was given a turn, and that nobody may have been told of."""
KEPT_FOR = timedelta(seconds=10)
"""So long a place is kept for a bot that was given a turn: a job takes a second or two."""
PASSED_OVER = timedelta(minutes=1)
"""A bot that let its turn pass, because each of its jobs fails, is no hindrance for so long.

As long it may still take its turn, if a place is free: jobs may be slow.
"""


def take(compute: BotCompute, now: datetime, most: int) -> bool:
    """Whether a bot may start its machine now; else it is put in line.

    Whoever asks is alone until the commit, so no more than ``most`` are ever under way.
    """
    if db.session.get_bind().dialect.name == "postgresql":  # SQLite has one writer
        db.session.execute(select(func.pg_advisory_xact_lock(_STARTS_AT_ONCE)))
    free, first = most - under_way(), priority(compute.bot_id)
    may = free > 0 and (_has_turn(compute, now) or _before(compute, first, now, enough=free) < free)
    compute.turn_at = None
    compute.priority = Priority.USUAL if may else first
    if not may:
        compute.due_at, compute.problem = now + LOOKS_AGAIN, ""  # it only waits from now on
    return may


def give(now: datetime, most: int) -> list[str]:
    """Give a turn to those that come next, one for each free place; ids of their bots.

    Tell them at once, before all others: their places are not kept for long.
    """
    now = clock.database_now(now)
    free = most - under_way()
    if free <= 0:
        return []
    held = select(func.count()).select_from(BotCompute).where(_waits(now), _fresh(now))
    free -= db.session.scalar(held) or 0
    if free <= 0:
        return []
    query = select(BotCompute.bot_id).where(
        _waits(now), _patient(now), BotCompute.lease_until <= now
    )
    query = query.order_by(*_ORDER).limit(free).with_for_update(skip_locked=True)
    found = list(db.session.scalars(query))
    if found:
        theirs, soon = update(BotCompute).where(BotCompute.bot_id.in_(found)), now + TOLD_AGAIN
        sooner = case((BotCompute.due_at < soon, BotCompute.due_at), else_=soon)
        db.session.execute(theirs.values(turn_at=now, due_at=sooner))
    return found


def under_way() -> int:
    """How many machines are on their way: asked for, and neither ready nor known to be refused.

    One that was asked for too often waits for a minute or more before anything is known of it
    anew; but the cloud has said that there is none, and other regions need its place.
    """
    refused = select(CloudOperation.id).where(
        CloudOperation.bot_id == BotCompute.bot_id,
        CloudOperation.generation == BotCompute.generation,
        CloudOperation.kind == StepKind.INSERT_MACHINE.value,
        CloudOperation.state == OperationState.RETRY,
        CloudOperation.cause == Cause.RATE.value,
        # Of a call that was accepted it may be the question what became of it that was refused.
        CloudOperation.operation == "",
    )
    asked_for = (BotCompute.phase == Phase.CREATING) & ~refused.exists()
    query = select(func.count()).select_from(BotCompute)
    return db.session.scalar(query.where(or_(BotCompute.phase == Phase.BOOTING, asked_for))) or 0


def priority(bot_id: str) -> Priority:
    """Who goes first when it is to start."""
    if machines.stranded(bot_id):
        return Priority.STRANDED
    return Priority.SUCCESSOR if machines.succeeds(bot_id) else Priority.USUAL


_NOT_ASLEEP = tuple(phase for phase in Phase if phase is not Phase.ASLEEP)
"""Put so, SQLite finds the few that are wanted by their index, not the many that are asleep."""
_ORDER: tuple[Any, ...] = (BotCompute.priority, BotCompute.wanted_at, BotCompute.bot_id)


def _waits(now: datetime) -> ColumnElement[bool]:
    """Wanted awake, asleep, and kept by nothing but the line."""
    ready = or_(BotCompute.retry_at.is_(None), BotCompute.retry_at <= now)
    return (
        BotCompute.wanted_at.is_not(None)
        & BotCompute.phase.not_in(_NOT_ASLEEP)
        & (BotCompute.cause != quotas.BOUND)
        & ready
        & ~_closed(now)
    )


def _closed(now: datetime) -> ColumnElement[bool]:
    """Whether its region must not be asked; one that people shut lets rescues through."""
    slow = (CloudRegion.slow_until > now) & (CloudRegion.slow_until <= now + places.SLOW_FOR)
    shut = (CloudRegion.shut_until > now) & (BotCompute.priority != Priority.STRANDED)
    here = select(Bot.id).join(CloudRegion, CloudRegion.region == Bot.region)
    return here.where(Bot.id == BotCompute.bot_id, or_(slow, shut)).exists()


def _fresh(now: datetime) -> ColumnElement[bool]:
    """Has a turn; one from the future only says that a clock was set back."""
    return BotCompute.turn_at.between(now - KEPT_FOR, now + KEPT_FOR)


def _patient(now: datetime) -> ColumnElement[bool]:
    """Has let no turn pass lately."""
    lately = BotCompute.turn_at.between(now - PASSED_OVER, now + PASSED_OVER)
    return or_(BotCompute.turn_at.is_(None), ~lately)


def _has_turn(compute: BotCompute, now: datetime) -> bool:
    return compute.turn_at is not None and abs(now - compute.turn_at) <= PASSED_OVER


def _before(compute: BotCompute, first: Priority, now: datetime, enough: int) -> int:
    """How many have a turn, or come before it and have let none pass; counted up to ``enough``."""
    if compute.wanted_at is None:
        return 0
    mine = tuple_(literal(int(first)), literal(compute.wanted_at, Moment), literal(compute.bot_id))
    called = _fresh(now) & (BotCompute.priority <= first)
    sooner = (tuple_(*_ORDER) < mine) & _patient(now)
    query = select(BotCompute.bot_id).where(
        _waits(now), BotCompute.bot_id != compute.bot_id, called | sooner
    )
    return len(db.session.scalars(query.limit(enough)).all())
