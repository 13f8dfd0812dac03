"""What of the fleet takes too long: every phase has its time, and an alarm rings when it is over.

Alarms are cleared here as well, once what they rang for is over. Nothing else is changed, but that
a machine near the longest run time of its cloud is given a successor while it is flat.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update

from app.domain import clock, fleet_alarms, leads, quotas
from app.domain.lifecycle import Tempo
from app.extensions import db
from app.gateways.compute.driver import Cause
from app.models import AlarmKind, Bot, BotCompute, FleetAlarm, Machine, Phase
from app.models.compute import Renewal

LONG_DRAIN = timedelta(hours=24)
SILENT = timedelta(minutes=5)
RENEW_BEFORE = timedelta(days=30)
"""So long before the longest run time a machine is renewed as soon as it is flat of its own."""
ALARM_BEFORE = timedelta(days=7)
MOST = 500
"""Of one kind in one round."""
_UNDER_WAY = (Phase.CREATING, Phase.BOOTING, Phase.DELETING)
_AWAKE = (Phase.READY, Phase.DRAINING)


@dataclass(frozen=True)
class Late:
    """What takes too long."""

    bot_id: str
    words: str


def sweep(now: datetime, tempo: Tempo) -> None:
    """Ring for what is late, and clear what is not any more."""
    now = clock.database_now(now)
    for kind, look in _LOOKS.items():
        late = list(look(now, tempo))
        for one in late:
            fleet_alarms.raise_alarm(kind, key(kind, one.bot_id), one.words, now, one.bot_id)
        if len(late) < MOST:
            _clear(kind, {one.bot_id for one in late}, now)
    for kind in _MENDED:
        _clear_mended(kind, now)


def renew(now: datetime, tempo: Tempo) -> None:
    """Machines that near the longest run time of their cloud get a successor while they are flat.

    The cloud ends a machine at that age whatever it holds, so one that was to wait for its next
    wake waits no longer: it may never sleep.
    """
    if tempo.longest_run is None:
        return
    old = select(Machine.bot_id).where(
        Machine.gone_at.is_(None), Machine.created_at < now - tempo.longest_run + RENEW_BEFORE
    )
    days = tempo.longest_run.days
    words = f"its machine nears the {days} days after which the cloud ends it"
    waits = or_(BotCompute.renewal.is_(None), BotCompute.renewal == Renewal.NEXT_WAKE)
    db.session.execute(
        update(BotCompute)
        .where(BotCompute.bot_id.in_(old), waits)
        .values(renewal=Renewal.WHEN_FLAT, renewal_why=words, due_at=now)
        .execution_options(synchronize_session=False)
    )


def key(kind: AlarmKind, bot_id: str) -> str:
    """What makes a bot's trouble one thing."""
    return f"{kind.value} {bot_id}"


def _stuck(now: datetime, tempo: Tempo) -> Iterator[Late]:
    """Phases that should pass by themselves, twice as long as they may take."""
    query = select(BotCompute.bot_id, BotCompute.phase, BotCompute.phase_since)
    for phase, most in _patience(tempo).items():
        slow = query.where(BotCompute.phase == phase, BotCompute.phase_since < now - most)
        for bot_id, _, since in db.session.execute(slow.limit(MOST)):
            yield Late(bot_id, f"It is {phase.value} since {_at(since)}. Look at its last call.")
    silent = (
        select(Machine.bot_id, Machine.synced_at)
        .join(BotCompute, BotCompute.bot_id == Machine.bot_id)
        .where(Machine.gone_at.is_(None), Machine.synced_at < now - SILENT)
        .where(BotCompute.phase.in_(_AWAKE))
    )
    for bot_id, heard in db.session.execute(silent.limit(MOST)):
        yield Late(
            bot_id, f"Its machine is there, and its runner is silent since {_at(heard or now)}."
        )


def _patience(tempo: Tempo) -> dict[Phase, timedelta]:
    return {
        Phase.NEW: 2 * tempo.patience,
        Phase.ADDR_WAIT: 2 * tempo.patience,
        Phase.CREATING: 2 * tempo.patience,
        Phase.BOOTING: 2 * tempo.boot_deadline,
        Phase.DELETING: 2 * tempo.patience,
    }


def _late_wakes(now: datetime, tempo: Tempo) -> Iterator[Late]:
    """Wanted for longer than was counted on; what is blocked rings by itself, but where no zone
    has room: nobody refused this bot, and the region is open. A bound never does.

    Half of what the cloud may take for one call passes in any case: a start by hand has no lead.
    """
    no_room = and_(BotCompute.phase == Phase.BLOCKED, BotCompute.cause == Cause.CAPACITY.value)
    query = (
        select(BotCompute.bot_id, BotCompute.wanted_at, Bot.region)
        .join(Bot, Bot.id == BotCompute.bot_id)
        .where(BotCompute.wanted_at < now - tempo.patience / 2)
        .where(or_(BotCompute.phase.in_((Phase.ASLEEP, *_UNDER_WAY)), no_room))
        .where(BotCompute.cause != quotas.BOUND)
    )
    known = leads.by_region(tempo)
    for bot_id, wanted_at, region in db.session.execute(query.limit(MOST)):
        since = wanted_at or now
        lead = leads.own(bot_id, known.get(region, leads.first(tempo))).wake_lead
        allowed = max(lead, tempo.patience / 2)
        if now - since > allowed:
            took, may = (f"{it.total_seconds():.0f} s" for it in (now - since, allowed))
            words = f"Wanted since {_at(since)}: {took} until now, where {may} were counted on."
            yield Late(bot_id, words)


def _long_drains(now: datetime, _tempo: Tempo) -> Iterator[Late]:
    query = select(BotCompute.bot_id, BotCompute.phase_since).where(
        BotCompute.phase == Phase.DRAINING, BotCompute.phase_since < now - LONG_DRAIN
    )
    for bot_id, since in db.session.execute(query.limit(MOST)):
        words = f"It is finishing since {_at(since)}; its machine costs money until it is flat."
        yield Late(bot_id, words)


def _old(now: datetime, tempo: Tempo) -> Iterator[Late]:
    if tempo.longest_run is None:
        return
    oldest = now - tempo.longest_run + ALARM_BEFORE
    query = select(Machine.bot_id, Machine.created_at).where(
        Machine.gone_at.is_(None), Machine.created_at < oldest
    )
    for bot_id, since in db.session.execute(query.limit(MOST)):
        end = _at(since + tempo.longest_run)
        yield Late(bot_id, f"The cloud ends its machine at {end}. Renew it before, while flat.")


def _clear(kind: AlarmKind, late: set[str], now: datetime) -> None:
    for bot_id in _ringing(kind):
        if bot_id not in late:
            fleet_alarms.clear_alarm(key(kind, bot_id), now)


def _clear_mended(kind: AlarmKind, now: datetime) -> None:
    for bot_id in _ringing(kind):
        compute = db.session.get(BotCompute, bot_id, populate_existing=True)
        if compute is None or _MENDED[kind](compute):
            fleet_alarms.clear_alarm(key(kind, bot_id), now)


def _ringing(kind: AlarmKind) -> list[str]:
    query = select(FleetAlarm.bot_id).where(
        FleetAlarm.kind == kind, FleetAlarm.cleared_at.is_(None), FleetAlarm.bot_id.is_not(None)
    )
    return [bot_id for bot_id in db.session.scalars(query) if bot_id]


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


_LOOKS: dict[AlarmKind, Callable[[datetime, Tempo], Iterator[Late]]] = {
    AlarmKind.PHASE_DEADLINE: _stuck,
    AlarmKind.LATE_WAKE: _late_wakes,
    AlarmKind.LONG_DRAIN: _long_drains,
    AlarmKind.MACHINE_OLD: _old,
}
_MENDED: dict[AlarmKind, Callable[[BotCompute], bool]] = {
    AlarmKind.BLOCKED: lambda it: not it.problem,
    AlarmKind.BOOT_FAILED: lambda it: it.phase in (*_AWAKE, Phase.RELEASED),
}
"""When what was told of a bot at once is over."""
