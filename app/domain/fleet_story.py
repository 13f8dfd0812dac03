"""What became of one bot's machines, for operators: generations, calls, address, last words."""

from sqlalchemy import case, select

from app.extensions import db
from app.models import (
    AddressEvent,
    CloudFind,
    CloudOperation,
    CloudRegion,
    FindState,
    FleetAlarm,
    FleetUpgrade,
    Machine,
    MachineConsole,
    SweepRun,
    UpgradeStep,
    WakeLead,
    ZoneCooldown,
)

SHOWN, FINDS = 30, 200
_ORDER = (FindState.HELD, FindState.DELETING, FindState.SEEN, FindState.KEPT, FindState.GONE)


def machines(bot_id: str) -> list[Machine]:
    """The newest generations first."""
    query = select(Machine).where(Machine.bot_id == bot_id)
    return list(db.session.scalars(query.order_by(Machine.generation.desc()).limit(SHOWN)))


def machine(machine_id: str) -> Machine | None:
    """One generation."""
    return db.session.get(Machine, machine_id)


def operations(bot_id: str, generation: int | None = None) -> list[CloudOperation]:
    """The newest calls first, of one generation or of all."""
    query = select(CloudOperation).where(CloudOperation.bot_id == bot_id)
    if generation is not None:
        query = query.where(CloudOperation.generation == generation)
    newest = CloudOperation.started_at.desc(), CloudOperation.id
    return list(db.session.scalars(query.order_by(*newest).limit(SHOWN)))


def address_events(bot_id: str) -> list[AddressEvent]:
    """What happened to its address, newest first."""
    query = select(AddressEvent).where(AddressEvent.bot_id == bot_id)
    return list(db.session.scalars(query.order_by(AddressEvent.at.desc()).limit(SHOWN)))


def console(machine_id: str) -> MachineConsole | None:
    """What a machine wrote while starting, where its boot failed."""
    return db.session.get(MachineConsole, machine_id)


def consoles(found: list[Machine]) -> set[str]:
    """Of which of these machines there are such words."""
    ids = [it.id for it in found]
    query = select(MachineConsole.machine_id).where(MachineConsole.machine_id.in_(ids))
    return set(db.session.scalars(query))


def alarms(bot_id: str) -> list[FleetAlarm]:
    """Its alarms, the open ones first, then the newest."""
    query = select(FleetAlarm).where(FleetAlarm.bot_id == bot_id)
    order = FleetAlarm.cleared_at.is_not(None), FleetAlarm.since.desc()
    return list(db.session.scalars(query.order_by(*order).limit(SHOWN)))


def upgrades(bot_id: str) -> list[tuple[UpgradeStep, FleetUpgrade]]:
    """The rolling upgrades it took part in, newest first."""
    query = select(UpgradeStep, FleetUpgrade).join(
        FleetUpgrade, FleetUpgrade.id == UpgradeStep.upgrade_id
    )
    query = query.where(UpgradeStep.bot_id == bot_id).order_by(UpgradeStep.asked_at.desc())
    return [(row[0], row[1]) for row in db.session.execute(query.limit(SHOWN))]


def cloud_regions() -> dict[str, CloudRegion]:
    """What was last seen of each region."""
    return {it.region: it for it in db.session.scalars(select(CloudRegion))}


def cooldowns() -> list[ZoneCooldown]:
    """Zones that had no machine to give."""
    return list(db.session.scalars(select(ZoneCooldown).order_by(ZoneCooldown.zone)))


def wake_leads() -> list[WakeLead]:
    """What was learned of how early to ask."""
    order = WakeLead.region, WakeLead.machine_type
    return list(db.session.scalars(select(WakeLead).order_by(*order)))


def sweeps(limit: int = 20) -> list[SweepRun]:
    """The newest looks at everything."""
    return list(db.session.scalars(select(SweepRun).order_by(SweepRun.at.desc()).limit(limit)))


def alarm(alarm_id: str) -> FleetAlarm | None:
    """One alarm."""
    return db.session.get(FleetAlarm, alarm_id)


def find(find_id: str) -> CloudFind | None:
    """One thing that a sweep has found."""
    return db.session.get(CloudFind, find_id)


def finds() -> list[CloudFind]:
    """What no row accounts for: what a person must decide about first, what is gone last."""
    order = case({it: at for at, it in enumerate(_ORDER)}, value=CloudFind.state, else_=9)
    query = select(CloudFind).order_by(order, CloudFind.last_seen.desc())
    return list(db.session.scalars(query.limit(FINDS)))
