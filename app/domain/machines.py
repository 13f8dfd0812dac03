"""The machines of a bot: the one that may exist, and what its predecessors left behind."""

import hashlib
from datetime import datetime

from sqlalchemy import select

from app.domain import lifecycle
from app.extensions import db
from app.models import Bot, BotCompute, Machine, Phase


def expect(bot: Bot, now: datetime) -> None:
    """The planner's row of a new bot, which it looks at as soon as it can."""
    place = {"bot_id": bot.id, "workspace_id": bot.workspace_id}
    db.session.add(BotCompute(**place, phase_since=now, due_at=now, lease_until=now))
    db.session.flush()


def current_machine(bot_id: str) -> Machine | None:
    """The one machine of a bot that is not proven gone."""
    return db.session.scalar(
        select(Machine).where(Machine.bot_id == bot_id, Machine.gone_at.is_(None))
    )


def stranded(bot_id: str, before: int | None = None) -> bool:
    """Whether the last machine that ever traded went without proving that it was flat.

    ``before`` looks only at generations older than that one.
    """
    query = select(Machine).where(Machine.bot_id == bot_id, Machine.claimed_at.is_not(None))
    if before is not None:
        query = query.where(Machine.generation < before)
    last = db.session.scalar(query.order_by(Machine.generation.desc()).limit(1))
    return last is not None and last.gone_at is not None and not last.proven_flat


def move(compute: BotCompute, phase: Phase, now: datetime) -> None:
    """Change the phase by the book."""
    lifecycle.check_transition(compute.phase, phase)
    if compute.phase is not phase:
        compute.phase, compute.phase_since = phase, now


def token_digest(token: str) -> str:
    """What is stored of a claim token or a claim id."""
    return hashlib.sha256(token.encode()).hexdigest()
