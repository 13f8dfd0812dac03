"""The machines of a bot: the one that may exist, and what its predecessors left behind."""

import hashlib
from datetime import datetime
from itertools import takewhile

from sqlalchemy import select

from app.domain import lifecycle
from app.domain.planner import SUCCESSOR
from app.extensions import db
from app.models import Bot, BotCompute, Machine, Phase


def expect(bot: Bot, now: datetime) -> None:
    """The planner's row of a new bot, which it looks at as soon as it can."""
    place = {"bot_id": bot.id, "workspace_id": bot.workspace_id}
    db.session.add(BotCompute(**place, phase_since=now, due_at=now, lease_until=now))
    db.session.flush()


def exchanges() -> list[str]:
    """Those that bots have: a machine's program is made for one."""
    query = select(Bot.exchange).where(Bot.deleted_at.is_(None)).distinct()
    return list(db.session.scalars(query.order_by(Bot.exchange)))


def current_machine(bot_id: str) -> Machine | None:
    """The one machine of a bot that is not proven gone."""
    return db.session.scalar(
        select(Machine).where(Machine.bot_id == bot_id, Machine.gone_at.is_(None))
    )


def named(bot_id: str, name: str) -> Machine | None:
    """The machine of a bot that bears this name, of whatever generation."""
    return db.session.scalar(select(Machine).where(Machine.bot_id == bot_id, Machine.name == name))


def resurrect(compute: BotCompute, now: datetime) -> bool:
    """A machine that was thought gone and has been seen since is taken for what it is: there.

    It is deleted once more before anything else; it can claim nothing, being of the past.
    """
    seen_since = (Machine.bot_id == compute.bot_id, Machine.observed_at > Machine.gone_at)
    query = select(Machine).where(*seen_since).order_by(Machine.generation.desc())
    found = db.session.scalar(query.limit(1))
    if found is None:
        return False
    db.session.flush()  # of a bot's machines one alone may be there
    found.gone_at, found.dead_at = None, found.dead_at or now
    move(compute, Phase.DELETING, now)
    return True


def failed_boots(bot_id: str) -> int:
    """How many machines ran, one after the other and up to now, whose runner never reported."""
    query = select(Machine.claimed_at).where(
        Machine.bot_id == bot_id, Machine.running_at.is_not(None)
    )
    latest = db.session.scalars(query.order_by(Machine.generation.desc()).limit(10))
    return len(list(takewhile(lambda claimed_at: claimed_at is None, latest)))


def stranded(bot_id: str, before: int | None = None) -> bool:
    """Whether the last machine that ever traded went without proving that it was flat.

    ``before`` looks only at generations older than that one.
    """
    query = select(Machine).where(Machine.bot_id == bot_id, Machine.claimed_at.is_not(None))
    if before is not None:
        query = query.where(Machine.generation < before)
    last = db.session.scalar(query.order_by(Machine.generation.desc()).limit(1))
    return last is not None and last.gone_at is not None and not last.proven_flat


def succeeds(bot_id: str) -> bool:
    """Whether the machine to come only replaces the one that ran last: that one is not taken."""
    ran = select(Machine.end_reason).where(
        Machine.bot_id == bot_id, Machine.claimed_at.is_not(None)
    )
    return db.session.scalar(ran.order_by(Machine.generation.desc()).limit(1)) == SUCCESSOR


def move(compute: BotCompute, phase: Phase, now: datetime) -> None:
    """Change the phase by the book."""
    lifecycle.check_transition(compute.phase, phase)
    if compute.phase is not phase:
        compute.phase, compute.phase_since = phase, now


def token_digest(token: str) -> str:
    """What is stored of a claim token or a claim id."""
    return hashlib.sha256(token.encode()).hexdigest()
