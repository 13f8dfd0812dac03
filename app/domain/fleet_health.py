"""Which bots of the whole installation need somebody's attention."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from app.domain import fleet, lifecycle
from app.domain.lifecycle import Reading, Tempo, Tone
from app.extensions import db
from app.models import BotCompute, Machine, Phase


@dataclass(frozen=True)
class Trouble:
    """A bot that cannot go on by itself. Its name is its owner's affair and not told here."""

    bot_id: str
    reading: Reading


def in_trouble(now: datetime, tempo: Tempo) -> list[Trouble]:
    """Every bot whose reading is bad: blocked, or not heard of; in the order of their ids."""
    machine_of_now = and_(Machine.bot_id == BotCompute.bot_id, Machine.gone_at.is_(None))
    query = (
        select(BotCompute, Machine)
        .outerjoin(Machine, machine_of_now)
        .where(BotCompute.phase != Phase.RELEASED)
        .options(joinedload(BotCompute.bot))
        .order_by(BotCompute.bot_id)
    )
    read = [
        Trouble(
            compute.bot_id,
            lifecycle.reading(now, fleet.situation(compute.bot, compute, machine, 0, now, tempo)),
        )
        for compute, machine in db.session.execute(query)
    ]
    return [trouble for trouble in read if trouble.reading.tone is Tone.BAD]
