"""Writing off what a venue lists no more: a person's word stands in for the venue's.

Its runner can neither see nor close it and calls itself unknown, so its machine would stay.
"""

from datetime import datetime

from app.domain import audit, bot_events, commands, machines, workspaces
from app.domain.audit import Actor
from app.domain.errors import Invalid, Refused
from app.models import Bot
from runner.protocol import CommandKind

REASON = 100
MOST = 50


def symbols(bot: Bot) -> list[str]:
    """Where its runner says that something is left which the venue does not list any more."""
    machine = machines.current_machine(bot.id)
    told = machine.health.get("unlisted") if machine is not None else None
    found = told if isinstance(told, list) else []
    return [symbol for symbol in found if isinstance(symbol, str)][:MOST]


def asked(bot: Bot) -> set[str]:
    """What was written off and is not done yet."""
    waiting = commands.pending(bot.id)
    return {it.arguments["symbol"] for it in waiting if it.kind is CommandKind.WRITE_OFF}


def write_off(bot: Bot, symbol: str, reason: str, *, by: Actor, now: datetime) -> None:
    """Let the bot forget what it has on ``symbol``; its runner looks once more before it does.

    What is asked for already stays as it was asked, and is recorded once.

    Raises:
        Refused: its runner does not say that the venue lists it no more.
        Invalid: without a reason.
    """
    if symbol not in symbols(bot):
        raise Refused(
            f"Its runner does not say that {symbol} is gone from the exchange. What is listed can "
            "be closed: flatten the bot."
        )
    reason = " ".join(reason.split())
    if not reason or len(reason) > REASON:
        raise Invalid(f"Say in at most {REASON} characters what became of it.", "reason")
    workspaces.lock(bot.workspace)
    if symbol in asked(bot):
        return
    commands.send(bot, CommandKind.WRITE_OFF, now, {"symbol": symbol, "reason": reason})
    changes = [audit.Change("symbol", symbol, None)]
    bot_events.record("position.write_off", bot, by, now, changes, reason)
