"""Who may start next: so many machines are on their way at once, and bots start as they were due.

A bot that finds no place free, or others before it, waits in line and looks again by itself only
now and then. The ticker gives a turn to those that are longest due, as many as there are places.
All is read from the rows: a turn that is lost, or not taken, costs a little time and no place.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select, tuple_, update

from app.domain import clock, machines, quotas
from app.extensions import db
from app.models import BotCompute, Phase
from app.models.base import Moment

_STARTS_AT_ONCE = 5108
"""Under this number PostgreSQL keeps a lock: those who start machines count one after another."""
LOOKS_AGAIN = timedelta(minutes=5)
"""When a bot in line looks by itself: its turn does not hang on the ticker's books alone."""
URGENT = timedelta(seconds=1)
KEPT_FOR = timedelta(seconds=10)
"""So long a place is kept for a bot that was given a turn: a job takes a second or two."""
PASSED_OVER = timedelta(minutes=1)
"""A bot that let its turn pass, because each of its jobs fails, is no hindrance for so long."""


def take(compute: BotCompute, now: datetime, places: int) -> bool:
    """Whether a bot may start its machine now; else it is put in line.

    Whoever asks is alone until the commit, so no more than ``places`` are ever under way. A bot
    that may have left a position unmanaged takes the next free place, whoever waits.
    """
    if clock.has_clock():
        db.session.execute(select(func.pg_advisory_xact_lock(_STARTS_AT_ONCE)))
    free, stranded = places - under_way(), machines.stranded(compute.bot_id)
    may = free > 0 and (stranded or _has_turn(compute, now) or _before(compute, now, free) < free)
    compute.turn_at = None
    if not may:
        compute.due_at = now + (URGENT if stranded else LOOKS_AGAIN)
    return may


def give(now: datetime, places: int) -> int:
    """Give a turn to those longest due, one for each free place; how many were given."""
    now = clock.database_now(now)
    free = places - under_way()
    if free <= 0:
        return 0
    held = select(func.count()).select_from(BotCompute).where(_waits(now), _fresh(now))
    free -= db.session.scalar(held) or 0
    if free <= 0:
        return 0
    query = select(BotCompute.bot_id).where(
        _waits(now), _patient(now), BotCompute.lease_until <= now
    )
    query = query.order_by(*_ORDER).limit(free).with_for_update(skip_locked=True)
    found = list(db.session.scalars(query))
    if found:
        theirs = update(BotCompute).where(BotCompute.bot_id.in_(found))
        db.session.execute(theirs.values(turn_at=now, due_at=now))
    return len(found)


def under_way() -> int:
    """How many machines are on their way: asked for and not yet ready, or not yet refused."""
    phases = (Phase.CREATING, Phase.BOOTING)
    query = select(func.count()).select_from(BotCompute).where(BotCompute.phase.in_(phases))
    return db.session.scalar(query) or 0


_NOT_ASLEEP = tuple(phase for phase in Phase if phase is not Phase.ASLEEP)
"""Put so, SQLite finds the few that are wanted by their index, not the many that are asleep."""
_ORDER: tuple[Any, ...] = (BotCompute.wanted_at, BotCompute.bot_id)


def _waits(now: datetime) -> ColumnElement[bool]:
    """Wanted awake, asleep, and kept by nothing but the line."""
    ready = or_(BotCompute.retry_at.is_(None), BotCompute.retry_at <= now)
    return (
        BotCompute.wanted_at.is_not(None)
        & BotCompute.phase.not_in(_NOT_ASLEEP)
        & (BotCompute.cause != quotas.BOUND)
        & ready
    )


def _fresh(now: datetime) -> ColumnElement[bool]:
    """Has a turn; one from the future only says that a clock was set back."""
    return BotCompute.turn_at.between(now - KEPT_FOR, now + KEPT_FOR)


def _patient(now: datetime) -> ColumnElement[bool]:
    """Has let no turn pass lately."""
    lately = BotCompute.turn_at.between(now - PASSED_OVER, now + PASSED_OVER)
    return or_(BotCompute.turn_at.is_(None), ~lately)


def _has_turn(compute: BotCompute, now: datetime) -> bool:
    return compute.turn_at is not None and abs(now - compute.turn_at) <= KEPT_FOR


def _before(compute: BotCompute, now: datetime, enough: int) -> int:
    """How many are longer due and have let no turn pass; counted up to ``enough``.

    Who comes late for a turn still goes before those that are not so long due.
    """
    if compute.wanted_at is None:
        return 0
    mine = tuple_(literal(compute.wanted_at, Moment), literal(compute.bot_id))
    query = select(BotCompute.bot_id).where(
        _waits(now), tuple_(*_ORDER) < mine, _fresh(now) | _patient(now)
    )
    return len(db.session.scalars(query.limit(enough)).all())
