"""What a runner is told at its claim: what to trade and how, with which keys, and what it knew."""

from typing import Any

from sqlalchemy import select

from app.domain import limit_breaches, revisions, runs
from app.domain.venues import known
from app.extensions import db
from app.gateways.vault import Opener
from app.models import Bot, Checkpoint, Connection, Run, StrategyVersion
from runner.protocol import Configuration, Credentials, Limits, LiveKey, Mode, from_plain


def configuration(
    bot: Bot, run: Run, endpoints: dict[str, str], *, draining: bool, streams: bool = False
) -> Configuration:
    """The run's rules and limits, and where it trades.

    Live has the exchange's own hosts and no other. A live bot that is not what was approved keeps
    its exits and makes no entries, nor does one whose passed limit a worker has yet to see to, nor
    an old run that goes on until it is flat: the bot is to trade something else.
    """
    fits = runs.fits(run, bot) and revisions.stands(bot)
    version = db.session.get_one(StrategyVersion, run.strategy_version_id)
    return Configuration(
        bot=bot.id,
        bot_name=bot.name,
        run=run.id,
        mode=run.mode,
        exchange=bot.exchange,
        market_type=version.rules["market_type"],
        symbols=tuple(run.symbols),
        strategy=version.strategy.name,
        strategy_version=version.number,
        rules=version.rules,
        limits=from_plain(Limits, bot.limits),
        starting_balance=run.starting_balance,
        quote=known(bot.exchange).quote or _settled_in(run),
        endpoint=None if run.mode is Mode.LIVE else endpoints.get(bot.exchange),
        grace_seconds=revisions.grace_seconds(bot, run.mode),
        paused=bot.paused or not fits or limit_breaches.awaited(run),
        draining=draining,
        account=_account(run),
        disaster_stop_percent=bot.disaster_stop_percent,
        on_end=bot.on_end,
        streams=streams,
    )


def credentials(run: Run, opener: Opener) -> Credentials | None:
    """The keys of the run's mode. Paper has none: what is not there cannot be misused.

    One that is switched off or deleted is handed to nobody, nor is one of another environment.
    """
    if run.mode is Mode.PAPER or run.connection_id is None:
        return None
    return opened(db.session.get_one(Connection, run.connection_id), run.mode, opener)


def live_key(bot: Bot, run: Run, opener: Opener) -> LiveKey | None:
    """The live key of a bot that is not live yet: its machine looks at it and sends no order."""
    connection = bot.live_connection
    if Mode.LIVE in (bot.mode, run.mode) or connection is None:
        return None
    fields = opened(connection, Mode.LIVE, opener)
    return LiveKey(connection.id, fields) if fields is not None else None


def opened(connection: Connection, mode: Mode, opener: Opener) -> Credentials | None:
    """The key, if it is one of this mode that may be handed out."""
    if connection.inactive_at is not None or connection.deleted_at is not None:
        return None
    if connection.environment.value != mode.value:
        return None
    fields = opener.open(connection.sealed, connection.seal_context)
    return Credentials(fields["api_key"], fields["secret"], fields.get("passphrase"))


def _settled_in(run: Run) -> str:
    """The currency of a run whose exchange is listed no more: what it holds is still managed."""
    return str(run.symbols[0]).rpartition(":")[2]


def _account(run: Run) -> str:
    """The venue account of a run, opaque: the same for every connection to it."""
    if run.connection_id is None:
        return ""
    return db.session.get_one(Connection, run.connection_id).account_digest[:16]


def restored(run: Run) -> dict[str, Any]:
    """What the run remembers of itself; a new one, under ``earlier``, what the one before it knew.

    Its runner takes from that what belongs to the day and the account, and not to the run.
    """
    checkpoint = db.session.get(Checkpoint, run.id)
    if checkpoint is not None:
        return checkpoint.state
    if run.mode is Mode.PAPER:
        return {}
    # By the account and not by the key: a day that was lost is not over by a stay elsewhere.
    same = Connection.account_digest.startswith(_account(run), autoescape=True)
    others = select(Checkpoint).join(Run, Run.id == Checkpoint.run_id)
    others = others.join(Connection, Connection.id == Run.connection_id).where(same)
    others = others.where(Run.bot_id == run.bot_id, Run.mode == run.mode, Run.id != run.id)
    before = db.session.scalar(others.order_by(Checkpoint.at.desc()).limit(1))
    return {"earlier": before.state} if before is not None else {}
