"""Starting paper afresh: a new run with a balance of its own; what the old one traded stays."""

from datetime import datetime
from decimal import Decimal

from app.domain import audit, bot_events, bot_rules, clock, workspaces
from app.domain.audit import Actor
from app.domain.errors import Refused
from app.extensions import db
from app.models import Bot
from runner.protocol import Mode


def check(bot: Bot) -> None:
    """Raises ``Refused`` where there is no paper balance."""
    if bot.mode is not Mode.PAPER:
        raise Refused(f"Only paper has a balance to reset; {bot.name} is in {bot.mode} mode.")


def reset(bot: Bot, balance: Decimal, *, by: Actor, now: datetime) -> None:
    """End the present paper run; the next one begins with ``balance``, in quote currency.

    A runner that is awake takes it up within seconds, one that sleeps when it wakes.

    Raises:
        Refused: it is not on paper, or a position may be open.
        Invalid: the balance does not do.
    """
    workspaces.lock(bot.workspace)
    db.session.refresh(bot)
    check(bot)
    bot_rules.require_flat(bot, "Resetting the paper balance", now)
    balance = bot_rules.clean_balance(balance)
    now = clock.database_now(now)
    before = {"starting_balance": bot.starting_balance, "paper_reset_at": bot.paper_reset_at}
    bot.starting_balance, bot.paper_reset_at = balance, now
    after = {"starting_balance": balance, "paper_reset_at": now}
    bot_events.reconfigured("bot.reset_paper", bot, by, now, audit.changes_between(before, after))
