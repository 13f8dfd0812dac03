"""What runners tell that rings, and what they tell that ends it."""

from datetime import datetime

from sqlalchemy import select

from app.domain import bot_alarms, money_events
from app.domain.bot_alarms import STOP_MISSING, STOP_REFUSED
from app.domain.sources import Source
from app.extensions import db
from app.models import ProtectionRow
from runner import protocol
from runner.protocol import ALARM, OVER, ProtectionState

OF_A_START = ("cannot_run", "unreadable_event")
"""Told while a runner starts or of one event: over once a runner trades."""


def heard(source: Source, data: protocol.Notice) -> protocol.Notice | None:
    """Ring or end by what a runner says; what of it people shall read, if anything."""
    if data.level == ALARM:
        bot_alarms.ring(source.bot, data.code, data.text, source.now)
    if data.level != OVER:
        return data
    if data.code == STOP_MISSING and _missing(source):
        return None
    if not bot_alarms.end(source.bot.id, [data.code], source.now):
        return None
    return protocol.Notice("info", data.code, f"Over: {data.code.replace('_', ' ')}")


def preflight(source: Source, data: protocol.Preflight) -> None:
    """A runner that begins to trade has what kept it from starting behind it."""
    if not data.passed:
        return
    clean = any(check.name == "reconcile" and check.ok for check in data.checks)
    codes = (*OF_A_START, "foreign", "foreign_trades") if clean else OF_A_START
    bot_alarms.end(source.bot.id, codes, source.now)


def protection(source: Source, data: protocol.Protection, at: datetime) -> None:
    """A position without a stop rings; all of them with one end it."""
    money_events.protection(source, data, at)
    if data.state is ProtectionState.MISSING:
        text = f"{data.symbol}: {data.why}" if data.why else f"{data.symbol} has no stop"
        bot_alarms.ring(source.bot, STOP_MISSING, text, source.now)
    elif not _missing(source):
        bot_alarms.end(source.bot.id, [STOP_MISSING, STOP_REFUSED], source.now)


def _missing(source: Source) -> bool:
    """Whether any position of the bot is known to have no stop."""
    mine = ProtectionRow.bot_id == source.bot.id, ProtectionRow.state == ProtectionState.MISSING
    return db.session.scalar(select(ProtectionRow.symbol).where(*mine).limit(1)) is not None
