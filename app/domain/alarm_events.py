"""What runners tell that rings, and what they tell that ends it."""

from datetime import datetime

from sqlalchemy import select

from app.domain import bot_alarms, bot_warnings, money_events
from app.domain.bot_alarms import OF_A_START, RECONCILED, STOP_MISSING
from app.domain.sources import Source
from app.extensions import db
from app.models import ProtectionRow
from runner import protocol
from runner.protocol import ALARM, OVER, ProtectionState

OF_AN_END = ("left_unprotected", "end_unproven", "entry_left")
"""Told by a runner that went: over once another one knows what is held."""
BY_SYMBOL = (STOP_MISSING, RECONCILED)
"""Of these each symbol rings on its own: the words begin with it."""


def heard(source: Source, data: protocol.Notice) -> protocol.Notice | None:
    """Ring or end by what a runner says; what of it people shall read, if anything."""
    if data.level == ALARM:
        bot_alarms.ring(source.bot, _code(source, data), data.text, source.now)
    if data.level != OVER:
        return data
    if data.code == STOP_MISSING and _missing(source):
        return None
    ended = bot_alarms.end(source.bot.id, [data.code], source.now)
    if not ended and not bot_warnings.stands(source.bot.id, data.code):
        return None
    return protocol.Notice("info", data.code, f"Over: {data.code.replace('_', ' ')}")


def preflight(source: Source, data: protocol.Preflight) -> None:
    """A runner that begins to trade has what kept it from starting behind it."""
    if not data.passed:
        return
    clean = any(check.name == "reconcile" and check.ok for check in data.checks)
    codes = (*OF_A_START, *OF_AN_END, "foreign", "foreign_trades") if clean else OF_A_START
    bot_alarms.end(source.bot.id, codes, source.now)
    claimed = source.machine.claimed_at
    if clean and claimed is not None:
        bot_alarms.end(source.bot.id, [RECONCILED], source.now, told_before=claimed)


def protection(source: Source, data: protocol.Protection, at: datetime) -> None:
    """A position without a stop rings; all of them with one end it."""
    money_events.protection(source, data, at)
    if data.state is ProtectionState.MISSING:
        text = f"{data.symbol}: {data.why}" if data.why else f"{data.symbol} has no stop"
        bot_alarms.ring(source.bot, f"{STOP_MISSING} {data.symbol}", text, source.now)
        return
    code = STOP_MISSING if not _missing(source) else f"{STOP_MISSING} {data.symbol}"
    bot_alarms.end(source.bot.id, [code], source.now)


def _code(source: Source, data: protocol.Notice) -> str:
    if data.code not in BY_SYMBOL:
        return data.code
    named = (symbol for symbol in source.bot.symbols if data.text.startswith(f"{symbol}: "))
    return " ".join([data.code, *named])


def _missing(source: Source) -> bool:
    """Whether any position of the bot is known to have no stop."""
    mine = ProtectionRow.bot_id == source.bot.id, ProtectionRow.state == ProtectionState.MISSING
    return db.session.scalar(select(ProtectionRow.symbol).where(*mine).limit(1)) is not None
