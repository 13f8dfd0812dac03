"""Warnings of a bot's runner that still hold: what keeps it from entering, or went wrong just now.

Each is a notice among the others; the end of one is a notice of the same code that warns no more.
"""

from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain import alarm_kinds
from app.extensions import db
from app.models import Machine, RunnerNotice

WARNING = "warning"
FRESH = timedelta(hours=1)
"""So long a warning about one moment is shown on top of the page; the activity keeps it."""
_NEWEST = 200


def of_machine(machine: Machine | None, now: datetime) -> list[RunnerNotice]:
    """What the present machine warns of, newest first, one of each code."""
    if machine is None or machine.claimed_at is None:
        return []
    newest: dict[str, RunnerNotice] = {}
    mine = RunnerNotice.bot_id == machine.bot_id, RunnerNotice.at >= machine.claimed_at
    query = select(RunnerNotice).where(*mine).order_by(RunnerNotice.number.desc())
    for notice in db.session.scalars(query.limit(_NEWEST)):
        newest.setdefault(notice.code, notice)
    return [it for it in newest.values() if it.level == WARNING and _holds(it, now)]


def stands(bot_id: str, code: str) -> bool:
    """Whether the newest word about a code, among the latest of the bot, is a warning."""
    mine = select(RunnerNotice.code, RunnerNotice.level).where(RunnerNotice.bot_id == bot_id)
    newest = db.session.execute(mine.order_by(RunnerNotice.number.desc()).limit(_NEWEST))
    return next((level == WARNING for told, level in newest if told == code), False)


def _holds(notice: RunnerNotice, now: datetime) -> bool:
    return notice.code in alarm_kinds.LASTING or now - notice.at < FRESH
