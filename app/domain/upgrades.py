"""A rolling upgrade of runners: machines of an older version are renewed, a few at a time.

The timetable takes a step now and then. What is under way counts until its successor reports, so a
version that does not start stops the upgrade by itself, after as many machines as go at once.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update

from app.domain import audit, renewals, upgrade_steps
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid
from app.domain.lifecycle import Tempo
from app.extensions import change, db
from app.models import (
    FleetUpgrade,
    Machine,
    Renewal,
    StepEnd,
    UpgradeState,
    UpgradeStep,
    User,
)
from runner.protocol import PositionState

MOST_AT_ONCE = 500
PICKED = 50
"""In one step of the timetable; bots wait for their hints meanwhile."""

OPEN = (UpgradeState.RUNNING, UpgradeState.PAUSED)


@dataclass(frozen=True)
class Progress:
    """How far it is: machines of an older version, under way, replaced; who waits to be flat."""

    older: int
    under_way: int
    replaced: int
    holding: int


def open_one() -> FleetUpgrade | None:
    """The upgrade that is not over, if any."""
    query = select(FleetUpgrade).where(FleetUpgrade.ended_at.is_(None))
    return db.session.scalar(query.order_by(FleetUpgrade.started_at.desc()).limit(1))


def find(upgrade_id: str) -> FleetUpgrade | None:
    """One of them."""
    return db.session.get(FleetUpgrade, upgrade_id)


def recent(limit: int = 20) -> list[FleetUpgrade]:
    """Those that are over, newest first."""
    query = select(FleetUpgrade).where(FleetUpgrade.ended_at.is_not(None))
    return list(db.session.scalars(query.order_by(FleetUpgrade.started_at.desc()).limit(limit)))


def usual_at_once(older: int) -> int:
    """How many go at once unless somebody says otherwise: a tenth, at least five."""
    return max(5, -(-older // 10))


def older_count() -> int:
    """How many machines run another version than the newest."""
    return (
        db.session.scalar(select(func.count()).select_from(upgrade_steps.older().subquery())) or 0
    )


def versions() -> dict[str, int]:
    """How many machines run which version; of some nothing is known yet."""
    query = select(Machine.runner_version, func.count().label("machines"))
    query = query.where(Machine.gone_at.is_(None)).group_by(Machine.runner_version)
    return {row.runner_version: row.machines for row in db.session.execute(query)}


def start(
    policy: Renewal, at_once: int | None, *, operator: User, by: Actor, now: datetime
) -> FleetUpgrade:
    """Begin one for all machines whose runner is not the newest.

    Raises:
        Invalid: ``at_once`` is out of bounds.
        Conflict: one is under way already, or no machine is of an older version.
    """
    older = older_count()
    at_once = usual_at_once(older) if at_once is None else at_once
    if not 1 <= at_once <= MOST_AT_ONCE:
        raise Invalid(f"Give 1 to {MOST_AT_ONCE}.", "at_once")
    if open_one() is not None:
        raise Conflict("An upgrade is under way; end it first.")
    if not older:
        raise Conflict(f"Every machine runs {renewals.NEWEST} already.")
    made = FleetUpgrade(
        version=renewals.NEWEST,
        policy=policy,
        at_once=at_once,
        total=older,
        state=UpgradeState.RUNNING,
        started_by=operator.id,
        started_at=now,
    )
    db.session.add(made)
    db.session.flush()
    changes = [Change("policy", None, policy), Change("at_once", None, at_once)]
    _record("fleet.upgrade_start", made, by, now, changes)
    return made


def pause(upgrade: FleetUpgrade, *, by: Actor, now: datetime, why: str = "") -> None:
    """Take no further machine; those under way go on. Raises ``Conflict`` if it does not run."""
    _move(upgrade, (UpgradeState.RUNNING,), UpgradeState.PAUSED, by, now, why)


def resume(upgrade: FleetUpgrade, *, by: Actor, now: datetime) -> None:
    """Go on. Raises ``Conflict`` if it is not paused."""
    _move(upgrade, (UpgradeState.PAUSED,), UpgradeState.RUNNING, by, now, "")


def cancel(upgrade: FleetUpgrade, *, by: Actor, now: datetime, why: str = "") -> None:
    """End it; machines that have not gone yet stay. Raises ``Conflict`` if it is over."""
    _move(upgrade, OPEN, UpgradeState.CANCELLED, by, now, why)
    for step in upgrade_steps.open_steps(upgrade):
        upgrade_steps.call_off(step, now)
        upgrade_steps.end(step, StepEnd.CALLED_OFF, now)


def step(now: datetime, tempo: Tempo) -> bool:
    """See to what is under way, then take the next few machines; whether there is an upgrade."""
    query = select(FleetUpgrade).where(FleetUpgrade.ended_at.is_(None)).with_for_update()
    upgrade = db.session.scalar(query.order_by(FleetUpgrade.started_at).limit(1))
    if upgrade is None:
        return False
    if upgrade.version != renewals.NEWEST:
        why = f"Version {renewals.NEWEST} was installed meanwhile; start an upgrade to that one."
        cancel(upgrade, by=audit.TIMETABLE, now=now, why=why)
        return True
    troubled = [
        it
        for it in upgrade_steps.open_steps(upgrade)
        if not upgrade_steps.look_after(it, now, tempo)
    ]
    if troubled and upgrade.state is UpgradeState.RUNNING:
        names = ", ".join(it.bot_id for it in troubled[:3])
        minutes = int(upgrade_steps.SETTLES_WITHIN.total_seconds() // 60)
        why = f"Blocked, not ready after {minutes} minutes, or of another version still: {names}."
        pause(upgrade, by=audit.TIMETABLE, now=now, why=why)
    if upgrade.state is UpgradeState.RUNNING:
        _take_next(upgrade, now, tempo)
    return True


def progress(upgrade: FleetUpgrade) -> Progress:
    """Counted from the rows as they are."""
    mine = UpgradeStep.upgrade_id == upgrade.id
    ends = (StepEnd.RENEWED, StepEnd.ASLEEP)
    return Progress(
        older=older_count(),
        under_way=_count(mine, UpgradeStep.ended_at.is_(None)),
        replaced=_count(mine, UpgradeStep.outcome.in_(ends)),
        holding=_holding(),
    )


def _holding() -> int:
    found = upgrade_steps.older().where(Machine.position_state != PositionState.FLAT).subquery()
    return db.session.scalar(select(func.count()).select_from(found)) or 0


def _count(*conditions: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count(UpgradeStep.id)).where(*conditions)) or 0


def _take_next(upgrade: FleetUpgrade, now: datetime, tempo: Tempo) -> None:
    free = upgrade.at_once - _count(
        UpgradeStep.upgrade_id == upgrade.id, UpgradeStep.ended_at.is_(None)
    )
    if upgrade.policy is Renewal.NEXT_WAKE:
        free = PICKED  # it disturbs nobody, so there is nothing to ration
    found = list(upgrade_steps.candidates(upgrade, min(free, PICKED), now, tempo))
    upgrade_steps.lock([bot_id for bot_id, _ in found])
    for bot_id, generation in found:
        upgrade_steps.begin(upgrade, bot_id, generation, now)
    if not upgrade_steps.remaining(upgrade) and not upgrade_steps.open_steps(upgrade):
        _move(upgrade, OPEN, UpgradeState.DONE, audit.TIMETABLE, now, "")


def _move(
    upgrade: FleetUpgrade,
    before: tuple[UpgradeState, ...],
    after: UpgradeState,
    by: Actor,
    now: datetime,
    why: str,
) -> None:
    was = upgrade.state
    over = after not in OPEN
    values = {"state": after, "why": why[:400], "ended_at": now if over else None}
    mine = FleetUpgrade.id == upgrade.id, FleetUpgrade.state.in_(before)
    if change(update(FleetUpgrade).where(*mine).values(values)) != 1:
        raise Conflict("This upgrade has moved on; look again.")
    db.session.refresh(upgrade)
    _record(f"fleet.upgrade_{after}", upgrade, by, now, [Change("state", was, after)], why)


def _record(
    action: str,
    upgrade: FleetUpgrade,
    by: Actor,
    now: datetime,
    changes: list[Change],
    why: str = "",
) -> None:
    """In the platform's own log."""
    label = f"runner {upgrade.version}"
    audit.record(
        action,
        by=by,
        now=now,
        target_id=upgrade.id,
        target_label=label,
        changes=changes,
        reason=why,
    )
