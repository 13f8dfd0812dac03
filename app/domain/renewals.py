"""Giving a bot another machine while it lives: for a newer runner, or because this one is old.

The planner carries it out: the machine drains, is proven flat, goes, and its successor is inserted
with the newest runner. Nothing here deletes anything.
"""

from datetime import datetime

from sqlalchemy import update

from app.domain import audit, clock, commands, machines
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid, Refused
from app.extensions import change, db
from app.models import Bot, BotCompute, Phase, Renewal
from runner import __version__
from runner.protocol import CommandKind

NEWEST = __version__[:20]
"""The version of the runner that every machine gets from now on, as far as rows keep it."""

RENEWABLE = (Phase.CREATING, Phase.BOOTING, Phase.READY, Phase.DRAINING)
REASON = 200

NO_MACHINE = "It has no machine to renew; the next one is new anyway."


def ask(bot: Bot, policy: Renewal, why: str, *, by: Actor, now: datetime) -> None:
    """Have its machine replaced under this policy; a later one takes the place of an earlier one.

    Raises:
        Invalid: no reason is given.
        Refused: it has no machine.
    """
    reason = " ".join(why.split())
    if not 1 <= len(reason) <= REASON:
        raise Invalid(f"Say why, in 1 to {REASON} characters; its owners can read it.", "why")
    before = db.session.get_one(BotCompute, bot.id).renewal
    _set(bot, policy, reason, now)
    machine = machines.current_machine(bot.id)
    if policy is Renewal.FLATTEN and machine is not None and _draining(bot):
        commands.send(bot, CommandKind.FLATTEN, now)
    _record("bot.renew", bot, [Change("renewal", before, policy)], reason, by, now)


def call_off(bot: Bot, why: str = "", *, by: Actor, now: datetime) -> None:
    """Leave the machine where it is; a drain under way for this alone is taken back.

    Raises ``Conflict`` if no renewal was asked for, or its successor is there already.
    """
    before = db.session.get_one(BotCompute, bot.id).renewal
    mine = BotCompute.bot_id == bot.id, BotCompute.renewal.is_not(None)
    values = {"renewal": None, "renewal_why": "", "due_at": clock.moment(now)}
    if change(update(BotCompute).where(*mine).values(values)) != 1:
        raise Conflict("No renewal is asked for; look again.")
    db.session.refresh(db.session.get_one(BotCompute, bot.id))
    _record("bot.renew_off", bot, [Change("renewal", before, None)], why, by, now)


def _set(bot: Bot, policy: Renewal, reason: str, now: datetime) -> None:
    """By a conditional update: between the page and the button the machine may have gone."""
    mine = BotCompute.bot_id == bot.id, BotCompute.phase.in_(RENEWABLE)
    values = {"renewal": policy, "renewal_why": reason, "due_at": clock.moment(now)}
    if change(update(BotCompute).where(*mine).values(values)) != 1:
        raise Refused(NO_MACHINE)
    db.session.refresh(db.session.get_one(BotCompute, bot.id))


def _draining(bot: Bot) -> bool:
    return db.session.get_one(BotCompute, bot.id).phase is Phase.DRAINING


def _record(
    action: str, bot: Bot, changes: list[Change], reason: str, by: Actor, now: datetime
) -> None:
    """In the log of its workspace: their owners may see who meddled with their bot."""
    machine = machines.current_machine(bot.id)
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=bot.workspace_id,
        target_id=bot.id,
        target_label=bot.name,
        changes=changes,
        reason=reason,
        correlation_id=machine.id if machine is not None else None,
    )
