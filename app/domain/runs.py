"""Runs: one stretch of one bot in one mode, on one version, with its symbols and its account."""

from datetime import datetime

from sqlalchemy import select

from app.domain import machines
from app.domain.planner import PROOF_AGE
from app.extensions import db
from app.models import Bot, Machine, Run
from runner.protocol import Mode, PositionState


def current(bot_id: str) -> Run | None:
    """The run of a bot that has not ended."""
    query = select(Run).where(Run.bot_id == bot_id, Run.ended_at.is_(None))
    return db.session.scalar(query.order_by(Run.started_at.desc()).limit(1))


def fits(run: Run, bot: Bot) -> bool:
    """Whether the bot is still what the run was begun as, and its paper account the same."""
    reset = bot.paper_reset_at
    if bot.mode is Mode.PAPER and reset is not None and run.started_at < reset:
        return False
    return (run.mode, run.strategy_version_id, run.symbols, run.connection_id) == (
        bot.mode,
        bot.strategy_version_id,
        bot.symbols,
        _account(bot),
    )


def begin(bot: Bot, now: datetime) -> Run:
    """Begin a run with what the bot is now; an older one ends."""
    end(bot, now)
    run = Run(
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        mode=bot.mode,
        strategy_version_id=bot.strategy_version_id,
        symbols=bot.symbols,
        connection_id=_account(bot),
        starting_balance=bot.starting_balance,
        started_at=now,
    )
    db.session.add(run)
    db.session.flush()
    return run


def end(bot: Bot, now: datetime) -> None:
    """End the run of a bot, if one goes on."""
    run = current(bot.id)
    if run is not None:
        run.ended_at = now


def end_if_asleep(bot: Bot, now: datetime) -> None:
    """A bot changed while it sleeps, proven flat, has nothing left to do for its old run."""
    run = current(bot.id)
    asleep = machines.current_machine(bot.id) is None and not machines.stranded(bot.id)
    if run is not None and asleep and not fits(run, bot):
        run.ended_at = now


def is_flat(bot: Bot, now: datetime) -> bool:
    """Whether the bot is known to hold nothing. Unknown is not flat, nor is an old report."""
    return is_flat_on(bot.id, machines.current_machine(bot.id), now)


def is_flat_on(bot_id: str, machine: Machine | None, now: datetime) -> bool:
    """The same, for whoever has looked up the bot's present machine."""
    if machine is None:
        return not machines.stranded(bot_id)
    if machine.claimed_at is None:
        return not machines.stranded(bot_id, before=machine.generation)
    return reported_flat(machine, now)


def reported_flat(machine: Machine, now: datetime) -> bool:
    """Whether the runner has said just now that it holds nothing and has no order."""
    return (
        machine.position_state is PositionState.FLAT
        and machine.open_orders == 0
        and machine.report_sent_at is not None
        and machine.synced_at is not None
        and now - machine.synced_at <= PROOF_AGE
    )


def _account(bot: Bot) -> str | None:
    """The connection whose account the bot's orders go to; paper has none."""
    if bot.mode is Mode.LIVE:
        return bot.live_connection_id
    return bot.testnet_connection_id if bot.mode is Mode.TESTNET else None
