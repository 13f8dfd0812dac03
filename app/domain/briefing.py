"""What a runner is told at its claim: what to trade and how, with which keys, and what it knew."""

from typing import Any

from app.domain.venues import VENUES
from app.extensions import db
from app.gateways.vault import Opener
from app.models import Bot, Checkpoint, Connection, Run, StrategyVersion
from runner.protocol import Configuration, Credentials, Limits, Mode, from_plain

GRACE = {Mode.PAPER: 3600, Mode.TESTNET: 3600, Mode.LIVE: 0}


def configuration(
    bot: Bot, run: Run, endpoints: dict[str, str], *, draining: bool
) -> Configuration:
    """The run's rules and limits, and where it trades."""
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
        quote=VENUES[bot.exchange].quote,
        endpoint=endpoints.get(bot.exchange),
        grace_seconds=GRACE[run.mode],
        paused=bot.paused,
        draining=draining,
        account=_account(run),
    )


def credentials(run: Run, opener: Opener) -> Credentials | None:
    """The keys of the run's mode. Paper has none: what is not there cannot be misused.

    One that is switched off or deleted is handed to nobody.
    """
    if run.mode is not Mode.TESTNET or run.connection_id is None:
        return None
    connection = db.session.get_one(Connection, run.connection_id)
    if connection.inactive_at is not None or connection.deleted_at is not None:
        return None
    fields = opener.open(connection.sealed, connection.seal_context)
    return Credentials(fields["api_key"], fields["secret"], fields.get("passphrase"))


def _account(run: Run) -> str:
    """The venue account of a run, opaque: the same for every connection to it."""
    if run.connection_id is None:
        return ""
    return db.session.get_one(Connection, run.connection_id).account_digest[:16]


def restored(run: Run) -> dict[str, Any]:
    """What the run remembers of itself."""
    checkpoint = db.session.get(Checkpoint, run.id)
    return checkpoint.state if checkpoint else {}
