"""Regions as the planner sees them: which zone is tried next, and when none is.

A zone without room rests for a while, and the next one is tried. A refusal that concerns a whole
region opens its breaker: nothing is inserted there until its time is over, then one bot tries for
all. What the cloud said is kept in its own words.
"""

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from app import tenancy
from app.domain import fleet_alarms
from app.extensions import change, db
from app.gateways.compute.driver import Cause, RegionFacts
from app.models import AlarmKind, Bot, BotCompute, CloudRegion, Phase, ZoneCooldown

COOLDOWN = timedelta(minutes=5)
SHUT_FOR = timedelta(minutes=15)
SLOW_FOR = timedelta(minutes=1)
"""A cloud counts calls by the minute."""
PROBE_FOR = timedelta(minutes=5)
"""How long the others wait for the one bot that tries."""
OF_REGIONS = (Cause.QUOTA, Cause.PERMISSION)
"""Refusals that concern a whole region."""
BY_HAND = "operator"
"""The cause of a breaker that a person opened: no success closes it, its time and people do."""


@dataclass(frozen=True)
class Zones:
    """``chosen`` is empty where every zone rests, or none is known; ``until``: when one may go."""

    known: bool
    chosen: str = ""
    until: datetime | None = None


def choose(region: str, bot_id: str, now: datetime) -> Zones:
    """The zone for a bot's next machine. Bots begin at different zones, so that they spread."""
    row = db.session.get(CloudRegion, region, populate_existing=True)
    zones = sorted(row.zones) if row is not None else []
    if not zones:
        return Zones(known=False)
    query = select(ZoneCooldown.zone, ZoneCooldown.until).where(
        ZoneCooldown.region == region, ZoneCooldown.until > now
    )
    resting = {zone: until for zone, until in db.session.execute(query) if zone in zones}
    first = zlib.crc32(bot_id.encode()) % len(zones)
    free = [zone for zone in zones[first:] + zones[:first] if zone not in resting]
    if not free:
        return Zones(known=True, until=min(resting.values()))
    return Zones(known=True, chosen=free[0])


def learn_zones(region: str, zones: tuple[str, ...]) -> None:
    """Keep which zones a region has; a survey keeps them fresh."""
    _upsert(CloudRegion, {"region": region}, {"zones": sorted(zones)}, _NEW_REGION)


def learn(fact: RegionFacts, now: datetime) -> None:
    """Keep what a survey tells of a region."""
    quotas = {it.metric: [it.used, it.limit] for it in fact.quotas}
    told = {"zones": sorted(fact.zones), "quotas": quotas, "seen_at": now}
    _upsert(CloudRegion, {"region": fact.region}, told, _NEW_REGION)


def rest(region: str, zone: str, detail: str, now: datetime) -> None:
    """A zone has nothing to give: others are tried first for a while."""
    values = {"since": now, "until": now + COOLDOWN, "detail": detail[:400]}
    _upsert(ZoneCooldown, {"region": region, "zone": zone}, values)


def shut(region: str, cause: Cause, detail: str, now: datetime) -> datetime:
    """Open the breaker; when whoever was refused may try again."""
    until = now + SHUT_FOR
    row = db.session.get(CloudRegion, region, populate_existing=True)
    if row is not None and row.shut_cause == BY_HAND and row.shut_until and row.shut_until > until:
        return until
    values = {"shut_until": until, "shut_cause": cause.value, "shut_detail": detail[:400]}
    _upsert(CloudRegion, {"region": region}, values, _NEW_REGION)
    words = f"Nothing is started in {region} until {until:%H:%M} UTC. The cloud says: {detail}"
    fleet_alarms.raise_alarm(AlarmKind.REGION_SHUT, f"region {region}", words, now)
    return until


def slow_down(region: str, now: datetime) -> datetime:
    """The region was asked too often: until when none of its bots asks for anything."""
    until = now + SLOW_FOR
    _upsert(CloudRegion, {"region": region}, {"slow_until": until}, _NEW_REGION)
    return until


def slowed(region: str, now: datetime) -> datetime | None:
    """Until when nothing may be asked there; what lies further off only says a clock was moved."""
    return slow(db.session.get(CloudRegion, region, populate_existing=True), now)


def slow(row: CloudRegion | None, now: datetime) -> datetime | None:
    """The same of a region that was read already."""
    until = row.slow_until if row is not None else None
    return until if until is not None and now < until <= now + SLOW_FOR else None


def shut_now(region: str, now: datetime) -> CloudRegion | None:
    """The region, if its breaker lets no machine begin for some time yet."""
    row = db.session.get(CloudRegion, region, populate_existing=True)
    return row if row is not None and row.shut_until and row.shut_until > now else None


def barred(region: str, causes: Collection[Cause], now: datetime) -> CloudRegion | None:
    """The region, if one of these causes keeps a bot from trying there now.

    Whoever comes first after the breaker's time tries for all, and the others wait for it.
    """
    row = db.session.get(CloudRegion, region, populate_existing=True)
    if row is None or row.shut_until is None or row.shut_cause not in (*causes, BY_HAND):
        return None
    if row.shut_until > now:
        return row
    if row.shut_cause == BY_HAND:
        reopen(region, now, by_hand=True)
        return None
    mine = (CloudRegion.region == region, CloudRegion.shut_until == row.shut_until)
    if change(update(CloudRegion).where(*mine).values(shut_until=now + PROBE_FOR)) == 1:
        return None
    return db.session.get(CloudRegion, region, populate_existing=True)


def try_again(region: str, now: datetime) -> None:
    """Let one bot try at once: somebody says that it is mended, or room was made."""
    standing = (
        CloudRegion.region == region,
        CloudRegion.shut_until > now,
        CloudRegion.shut_cause != BY_HAND,
    )
    with tenancy.everywhere("a region's breaker is everybody's"):
        db.session.execute(update(CloudRegion).where(*standing).values(shut_until=now))


def reopen(region: str, now: datetime, *, by_hand: bool = False) -> None:
    """It works again: close the breaker, and let the bots that waited for it go on.

    One that a person opened stays as it is, but ``by_hand``.
    """
    standing = [CloudRegion.region == region, CloudRegion.shut_until.is_not(None)]
    if not by_hand:
        standing.append(CloudRegion.shut_cause != BY_HAND)
    values = {"shut_until": None, "shut_cause": "", "shut_detail": ""}
    if not change(update(CloudRegion).where(*standing).values(**values)):
        return
    here = select(Bot.id).where(Bot.region == region)
    waiting = (
        BotCompute.phase == Phase.BLOCKED,
        BotCompute.cause.in_((*OF_REGIONS, BY_HAND)),
        BotCompute.bot_id.in_(here),
    )
    db.session.execute(
        update(BotCompute)
        .where(*waiting)
        .values(due_at=now, retry_at=None)
        .execution_options(synchronize_session=False)
    )
    fleet_alarms.clear_alarm(f"region {region}", now)


_NEW_REGION: dict[str, Any] = {"zones": [], "quotas": {}, "shut_cause": "", "shut_detail": ""}


def _upsert(
    kind: type[Any],
    key: dict[str, Any],
    values: dict[str, Any],
    new: dict[str, Any] | None = None,
) -> None:
    """Write these values, whether the row is there already or not."""
    if db.session.get_bind().dialect.name == "postgresql":
        row: Any = postgresql.insert(kind)
    else:
        row = sqlite.insert(kind)
    statement = row.values(**((new or {}) | key | values))
    db.session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
