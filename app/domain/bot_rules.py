"""What must hold before a bot may be what somebody wants it to be."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.domain import limits, revisions, rivals, runs
from app.domain.certification import at_work
from app.domain.errors import Invalid, Refused
from app.domain.venues import VENUES, Venue, known
from app.extensions import db
from app.models import Bot, Connection, StrategyVersion
from runner.protocol import Mode

GONE = (
    "is no longer one of this installation's exchanges, so no machine can trade there. Look at its "
    "account at the exchange, and close by hand what the bot may have left."
)
"""After the title of an exchange that is listed no more."""
NEEDED_LIMITS = ("max_position_notional", "max_daily_loss")
MIN_BALANCE, MAX_BALANCE = Decimal(10), Decimal(1_000_000_000)


def require_flat(bot: Bot, what: str, now: datetime) -> None:
    """Refuse while a position or an order may be open. Raises ``Refused``."""
    if not runs.is_flat(bot, now):
        raise Refused(
            f"{what} needs a bot without position and orders. Flatten it, or wait for its exit."
        )


def require_not_live(bot: Bot) -> None:
    """A live bot trades what was approved and nothing else. Raises ``Refused``."""
    if bot.mode is Mode.LIVE:
        raise Refused(
            "A live bot keeps the strategy and the symbols it was approved with. Switch it to "
            "paper, change it, then ask to go live again."
        )


def check_born(mode: Mode) -> None:
    """A bot goes live later, and not by being made so. Raises ``Refused``."""
    if mode is Mode.LIVE:
        raise Refused("A bot begins in paper or testnet mode. Create it, then ask to go live.")


def check_mode(bot: Bot, mode: Mode, connection: Connection | None) -> None:
    """Whether a bot may be in this mode. Raises ``Refused`` or ``Invalid``."""
    check_offered(venue_of(bot), mode, "mode")
    if mode is Mode.LIVE:
        check_live_limits(bot.limits)
    if mode is Mode.PAPER:
        return
    _check_connection(bot, mode, connection)


def _check_connection(bot: Bot, mode: Mode, connection: Connection | None) -> None:
    if connection is None:
        raise Invalid(f"{mode.title()} orders need a {mode} connection; choose one.", "connection")
    # It was loaded before the workspace was locked; somebody may have deleted it since.
    db.session.refresh(connection)
    if connection.deleted_at is not None:
        raise Invalid("This connection is deleted; choose another one.", "connection")
    if connection.exchange != bot.exchange or connection.environment != mode.value:
        raise Invalid(f"Choose a {mode} connection at the bot's exchange.", "connection")
    check_active(connection)
    rivals.check(bot, connection)


def check_active(connection: Connection | None) -> None:
    """Raises ``Invalid`` if the key is switched off, so that no runner is given it, or busy."""
    if connection is None:
        return
    if connection.inactive_at is not None:
        raise Invalid(
            f"The connection {connection.label} is switched off. Switch it on first, or choose "
            "another one.",
            "connection",
        )
    at_work.check(connection)


def check_live_limits(bounds: Mapping[str, Any]) -> None:
    """What moves real money has a bound: how much it may hold, and how much it may lose.

    Raises ``Refused`` where these limits, plain, lack one.
    """
    missing = missing_limits(bounds)
    if missing:
        raise Refused(f"A live bot needs risk limits: set {' and '.join(missing)} first.")


def missing_limits(bounds: Mapping[str, Any]) -> list[str]:
    """What a live bot needs and these limits lack, by their titles."""
    return [limits.TITLES[name] for name in NEEDED_LIMITS if bounds.get(name) is None]


def check_start(bot: Bot) -> None:
    """Whether a bot may begin to trade. Raises ``Invalid`` for its key, ``Refused`` else."""
    venue_of(bot)
    if bot.mode is Mode.LIVE:
        check_live_limits(bot.limits)
        revisions.check(bot)
    if bot.connection is not None:
        check_active(bot.connection)
        rivals.check(bot, bot.connection)


def venue_named(exchange: str) -> Venue:
    """The venue by its id. Raises ``Invalid``."""
    venue = VENUES.get(exchange)
    if venue is None:
        raise Invalid("Choose one of the exchanges.", "exchange")
    return venue


def venue_of(kept: Bot | Connection) -> Venue:
    """Where a bot trades, or what a key is for. Raises ``Refused`` if it is listed no more."""
    venue = known(kept.exchange)
    if venue.gone:
        raise Refused(f"{venue.title} {GONE}")
    return venue


def check_offered(venue: Venue, mode: Mode, field: str) -> None:
    """Whether the venue has this mode. Raises ``Invalid``, beside ``field``."""
    fault = venue.mode_fault(mode)
    if fault is not None:
        raise Invalid(fault, field)


def symbols_at(symbols: tuple[str, ...], venue: Venue, version: StrategyVersion) -> list[str]:
    """The symbols, if the venue trades them. Raises ``Invalid``."""
    if not symbols:
        raise Invalid("Choose a symbol.", "symbol")
    for symbol in symbols:
        if symbol not in venue.symbols:
            raise Invalid(f"{venue.title} does not trade {symbol}.", "symbol")
    if version.rules["market_type"] != "linear":
        raise Invalid(f"{venue.title} has linear contracts only.", "strategy")
    if fault := venue.frame_fault(version.rules["timeframe"]):
        raise Invalid(fault, "strategy")
    return list(symbols)


def clean_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= 60:
        raise Invalid("Give it a name of 1 to 60 characters.", "name")
    return cleaned


def clean_balance(balance: Decimal) -> Decimal:
    if not balance.is_finite() or not MIN_BALANCE <= balance <= MAX_BALANCE:
        raise Invalid(f"Start with {MIN_BALANCE} to {MAX_BALANCE:,}.", "starting_balance")
    return balance
