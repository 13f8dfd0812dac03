"""How early a machine is asked for: learned from how long the last ones took to be ready.

For each region and type of machine: a fifth more than nineteen of twenty took, and a margin;
never less than the setting, never more than a bound. Until enough is known, a careful guess.
Bots whose sessions open at the same moment wake a little before that, each by its own share.
"""

import zlib
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.lifecycle import Tempo
from app.extensions import db
from app.models import Bot, Machine, WakeLead

SAMPLES = 50
ENOUGH = 5
"""Fewer wakes say nothing."""
_LATEST = 2000
_RECENT = timedelta(days=30)


def of_bot(bot: Bot, tempo: Tempo) -> Tempo:
    """The tempo of one bot: its region's, and its own share of the spread."""
    return own(bot.id, tempo_of(bot.region, tempo))


def own(bot_id: str, tempo: Tempo) -> Tempo:
    """The same, where the tempo of its region is known."""
    share = share_of(bot_id, tempo.spread)
    if not share:
        return tempo
    longest = tempo.longest_lead + share if tempo.longest_lead else tempo.longest_lead
    return replace(tempo, wake_lead=tempo.wake_lead + share, longest_lead=longest)


def share_of(bot_id: str, spread: timedelta) -> timedelta:
    """How much earlier than others this bot wakes: always the same, in whole seconds."""
    seconds = int(spread.total_seconds())
    return timedelta(seconds=zlib.crc32(f"wake {bot_id}".encode()) % (seconds + 1))


def tempo_of(region: str, tempo: Tempo) -> Tempo:
    """The tempo of a region's bots: with the lead that was learned there."""
    if not tempo.longest_lead:
        return tempo
    row = db.session.get(WakeLead, (region, tempo.machine_type))
    return _with(row.seconds if row else None, tempo)


def by_region(tempo: Tempo) -> dict[str, Tempo]:
    """The same for all regions at once of which something was learned."""
    if not tempo.longest_lead:
        return {}
    query = select(WakeLead.region, WakeLead.seconds)
    known = db.session.execute(query.where(WakeLead.machine_type == tempo.machine_type))
    return {region: _with(seconds, tempo) for region, seconds in known}


def first(tempo: Tempo) -> Tempo:
    """Where nothing was learned yet."""
    return _with(None, tempo) if tempo.longest_lead else tempo


def _with(seconds: int | None, tempo: Tempo) -> Tempo:
    """Within bounds, which may have been set anew since."""
    lead = tempo.first_lead if seconds is None else timedelta(seconds=seconds)
    lead = max(min(lead, tempo.longest_lead), tempo.wake_lead)
    return tempo if lead == tempo.wake_lead else replace(tempo, wake_lead=lead)


def learn(now: datetime, tempo: Tempo) -> None:
    """Look at the latest wakes anew, each from when its machine was asked of the cloud.

    What a bot waited before that is left out: a line, a shut region, the end of its last machine.
    No lead shortens a line that all stand in, and one bad hour would have a region wake early.
    """
    if not tempo.longest_lead:
        return
    query = (
        select(Machine.region, Machine.machine_type, Machine.created_at, Machine.claimed_at)
        .where(Machine.claimed_at.is_not(None), Machine.created_at > now - _RECENT)
        .where(Machine.machine_type != "")
        .order_by(Machine.created_at.desc())
        .limit(_LATEST)
    )
    took: dict[tuple[str, str], list[timedelta]] = defaultdict(list)
    for region, kind, created_at, claimed_at in db.session.execute(query):
        times = took[region, kind]
        if claimed_at and len(times) < SAMPLES:
            times.append(claimed_at - created_at)
    for (region, kind), times in took.items():
        if len(times) >= ENOUGH:
            _keep(region, kind, times, now, tempo)


def lead_of(times: list[timedelta], tempo: Tempo) -> timedelta:
    """The lead that fits these wakes."""
    slowest = sorted(times)[ceil(len(times) * 0.95) - 1]
    lead = slowest * 1.2 + tempo.lead_margin
    return max(min(lead, tempo.longest_lead), tempo.wake_lead)


def _keep(region: str, kind: str, times: list[timedelta], now: datetime, tempo: Tempo) -> None:
    lead = lead_of(times, tempo)
    values = {
        "seconds": ceil(lead.total_seconds()),
        "samples": len(times),
        "measured_at": now,
    }
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    row = dialect.insert(WakeLead).values(region=region, machine_type=kind, **values)
    keys = ["region", "machine_type"]
    db.session.execute(row.on_conflict_do_update(index_elements=keys, set_=values))
