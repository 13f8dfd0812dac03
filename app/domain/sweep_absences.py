"""What the rows say and a complete listing does not show: the planner looks, and addresses ring."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, update

from app.domain import addresses, fleet, waits
from app.extensions import db
from app.gateways.compute.driver import Cause, MachineState, Survey
from app.models import Bot, BotAddress, BotCompute, Machine, Phase, Wish

SETTLED = timedelta(minutes=2)
"""A listing may not yet show what was made so lately before it was asked for."""

_MOST_AT_ONCE = 100


def conclude(
    survey: Survey, asked_at: datetime, before: frozenset[str], now: datetime
) -> list[str]:
    """Draw the conclusions; returns the addresses that are missing, for the next sweep.

    A machine that is missing or switched off may be gone: the planner looks at it, directly. An
    address counts as lost when two complete listings in a row do not show it as it is ours.
    """
    _look_at(_missing_machines(survey, asked_at), now)
    missing = {}
    seen = {it.name: it.ip for it in survey.addresses}
    for bot_id, name, ip, lost_at in db.session.execute(_kept(asked_at)):
        if seen.get(name) != ip:
            missing[name] = bot_id
        elif lost_at is not None:
            fleet.poke(bot_id, now)
            addresses.found(db.session.get_one(BotAddress, bot_id), now)
    for name in missing.keys() & before:
        other = seen.get(name)
        _lost(missing[name], f"the cloud has {other} there" if other else "the cloud has none", now)
    return sorted(missing)


def _missing_machines(survey: Survey, asked_at: datetime) -> list[str]:
    """Of bots whose machine should run: not shown, or shown switched off."""
    query = select(Machine.bot_id, Machine.name).where(
        Machine.gone_at.is_(None),
        Machine.dead_at.is_(None),
        Machine.running_at < asked_at - SETTLED,
    )
    seen = {it.name for it in survey.machines if it.state is not MachineState.TERMINATED}
    missing = [bot_id for bot_id, name in db.session.execute(query) if name not in seen]
    return missing[:_MOST_AT_ONCE]


def _look_at(bot_ids: list[str], now: datetime) -> None:
    """Have the planner look now; unlike a poke it shortens no pause after a refusal.

    What was seen of the machine before counts no more: it is asked for directly.
    """
    if bot_ids:
        soon = update(BotCompute).where(BotCompute.bot_id.in_(bot_ids), BotCompute.due_at > now)
        db.session.execute(soon.values(due_at=now))
        there = update(Machine).where(Machine.bot_id.in_(bot_ids), Machine.gone_at.is_(None))
        db.session.execute(there.values(observed_at=None))


def _kept(asked_at: datetime) -> Select[*tuple[Any, ...]]:
    """Addresses that should be there: reserved for a while, of a bot that is to stay."""
    return (
        select(BotAddress.bot_id, BotAddress.name, BotAddress.ip, BotAddress.lost_at)
        .join(Bot, Bot.id == BotAddress.bot_id)
        .where(
            BotAddress.ip.is_not(None),
            BotAddress.released_at.is_(None),
            BotAddress.reserved_at < asked_at - SETTLED,
            Bot.wish != Wish.GONE,
        )
    )


def _lost(bot_id: str, detail: str, now: datetime) -> None:
    """Ring; and let the bot wait for a person rather than try to wake at what is not there."""
    compute = db.session.get_one(BotCompute, bot_id, with_for_update=True)
    address = db.session.get_one(BotAddress, bot_id)
    addresses.lost(address, detail, now)
    if compute.phase is Phase.ASLEEP:
        words = f"its address {address.ip} is lost: {detail}"
        waits.block(compute, words, now, cause=Cause.LOST.value, until=None)
