"""One machine's part of a rolling upgrade: whose turn it is, how it goes, how it ends."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from app.domain import audit, fleet, machines, renewals
from app.domain.errors import Refused
from app.domain.lifecycle import Tempo
from app.extensions import db
from app.models import (
    Bot,
    BotCompute,
    Desired,
    FleetUpgrade,
    Machine,
    Phase,
    Renewal,
    StepEnd,
    UpgradeStep,
)

SETTLES_WITHIN = timedelta(minutes=15)
"""A successor that has not reported by then is taken for one that cannot."""


def older() -> Select[str, int]:
    """Bot and generation of each machine whose runner reported another version."""
    query = select(Machine.bot_id, Machine.generation)
    return query.where(
        Machine.gone_at.is_(None),
        Machine.claimed_at.is_not(None),
        Machine.runner_version != renewals.NEWEST,
    )


def open_steps(upgrade: FleetUpgrade) -> list[UpgradeStep]:
    query = select(UpgradeStep).where(
        UpgradeStep.upgrade_id == upgrade.id, UpgradeStep.ended_at.is_(None)
    )
    return list(db.session.scalars(query.order_by(UpgradeStep.asked_at, UpgradeStep.id)))


def look_after(it: UpgradeStep, now: datetime, tempo: Tempo) -> bool:
    """End a step that is over.

    ``False`` if its successor should have reported by now, or reported another version: it would
    be renewed for ever.
    """
    compute = db.session.get_one(BotCompute, it.bot_id)
    if compute.generation > it.generation and compute.phase is Phase.READY:
        machine = machines.current_machine(it.bot_id)
        if machine is None or machine.runner_version != renewals.NEWEST:
            return False
        end(it, StepEnd.RENEWED, now)
    elif compute.phase is Phase.RELEASED or _sleeps(compute, now, tempo):
        end(it, StepEnd.ASLEEP, now)
    elif compute.generation == it.generation and compute.phase is Phase.READY:
        _put_back(it, compute, now)
    elif compute.phase is not Phase.DRAINING:
        return now - compute.phase_since <= SETTLES_WITHIN and compute.phase is not Phase.BLOCKED
    return True


def _sleeps(compute: BotCompute, now: datetime, tempo: Tempo) -> bool:
    """Asleep because nothing is wanted of it; the next machine is new anyway."""
    asleep = compute.phase is Phase.ASLEEP
    return asleep and fleet.wanted(compute.bot, now, tempo)[0] is not Desired.RUN


def _put_back(it: UpgradeStep, compute: BotCompute, now: datetime) -> None:
    """One that was to go when flat and holds something again makes room for others."""
    if compute.renewal is Renewal.WHEN_FLAT and compute.flat_since is None and _ours(it, compute):
        call_off(it, now)
        end(it, StepEnd.PUT_BACK, now)
    elif compute.renewal is None:
        end(it, StepEnd.CALLED_OFF, now)


def call_off(it: UpgradeStep, now: datetime) -> None:
    """Take back what the upgrade asked for; not what was asked since for another reason."""
    compute = db.session.get_one(BotCompute, it.bot_id)
    asked = compute.renewal is not None and compute.generation == it.generation
    if asked and _ours(it, compute):
        renewals.call_off(compute.bot, "rolling upgrade", by=audit.TIMETABLE, now=now)


def lock(bot_ids: Collection[str]) -> None:
    """Take their rows in one order, so that nobody who takes several waits in a circle with us."""
    if bot_ids:
        query = select(BotCompute.bot_id).where(BotCompute.bot_id.in_(bot_ids))
        db.session.execute(query.order_by(BotCompute.bot_id).with_for_update())


def begin(upgrade: FleetUpgrade, bot_id: str, generation: int, now: datetime) -> None:
    bot = db.session.get_one(Bot, bot_id)
    try:
        renewals.ask(bot, upgrade.policy, _why(upgrade), by=audit.TIMETABLE, now=now)
    except Refused:
        return  # it has gone meanwhile; what comes next is new
    db.session.add(
        UpgradeStep(upgrade_id=upgrade.id, bot_id=bot_id, generation=generation, asked_at=now)
    )


def _why(upgrade: FleetUpgrade) -> str:
    return f"rolling upgrade to runner {upgrade.version}"


def _ours(it: UpgradeStep, compute: BotCompute) -> bool:
    """Whether the renewal is the upgrade's own: meanwhile its age, or a person, may want one."""
    return compute.renewal_why == _why(db.session.get_one(FleetUpgrade, it.upgrade_id))


def candidates(
    upgrade: FleetUpgrade, limit: int, now: datetime, tempo: Tempo
) -> Iterable[tuple[str, int]]:
    """Machines whose turn it is: not asked yet, and flat if it is to wait for that."""
    if limit <= 0:
        return []
    query = older().join(BotCompute, BotCompute.bot_id == Machine.bot_id)
    query = query.where(
        BotCompute.phase == Phase.READY,
        BotCompute.renewal.is_(None),
        ~_asked(
            upgrade, or_(UpgradeStep.ended_at.is_(None), UpgradeStep.outcome != StepEnd.PUT_BACK)
        ),
    )
    if upgrade.policy is Renewal.WHEN_FLAT:
        query = query.where(BotCompute.flat_since <= now - tempo.flat_for)
    rows = db.session.execute(query.order_by(Machine.created_at, Machine.bot_id).limit(limit))
    return [(row.bot_id, row.generation) for row in rows]


def remaining(upgrade: FleetUpgrade) -> int:
    """How many machines are still to go; those that somebody spared are none."""
    spared = _asked(upgrade, UpgradeStep.outcome == StepEnd.CALLED_OFF)
    found = older().where(~spared).subquery()
    return db.session.scalar(select(func.count()).select_from(found)) or 0


def _asked(upgrade: FleetUpgrade, how: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a machine of the query around it was asked in this upgrade."""
    mine = and_(
        UpgradeStep.upgrade_id == upgrade.id,
        UpgradeStep.bot_id == Machine.bot_id,
        UpgradeStep.generation == Machine.generation,
    )
    return select(UpgradeStep.id).where(mine, how).exists()


def end(it: UpgradeStep, outcome: StepEnd, now: datetime) -> None:
    it.ended_at, it.outcome = now, outcome
