"""What a backtest is asked for: the period, the account, and what candles do not tell."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.domain.errors import Invalid
from app.domain.venues import VENUES
from app.models import StrategyVersion
from runner.strategy import TIMEFRAMES

MOST_CANDLES = 3_000_000
MOST_SYMBOLS = 5


@dataclass(frozen=True)
class Assumed:
    """What candles do not tell; see docs/backtest.md. Shares, percents and quote currency.

    Fees are shares of the notional, those of the venue where ``None``, as is the funding.
    """

    spread_percent: Decimal = Decimal("0.02")
    depth: Decimal = Decimal(250_000)
    taker_fee: Decimal | None = None
    maker_fee: Decimal | None = None
    funding_rate: Decimal | None = None


@dataclass(frozen=True)
class Plan:
    """What to test on. Times UTC; ``balance`` in quote currency."""

    exchange: str
    symbols: tuple[str, ...]
    since: datetime
    until: datetime
    balance: Decimal = Decimal(10_000)
    seed: int = 1
    assumed: Assumed = field(default_factory=Assumed)


def check(version: StrategyVersion, plan: Plan, now: datetime) -> None:
    """What the platform can know without history; the runner names the rest.

    Raises:
        Invalid: it cannot be run; names the field.
    """
    venue = VENUES.get(plan.exchange)
    if venue is None:
        raise Invalid("Choose one of the exchanges.", "exchange")
    if not plan.symbols or not set(plan.symbols) <= set(venue.symbols):
        raise Invalid(f"Choose symbols that {venue.title} trades.", "symbols")
    if len(plan.symbols) > MOST_SYMBOLS:
        raise Invalid(f"Choose at most {MOST_SYMBOLS} symbols.", "symbols")
    if version.rules["market_type"] != "linear":
        raise Invalid("Only strategies for linear markets can be tested so far.", "version")
    if fault := venue.frame_fault(version.rules["timeframe"]):
        raise Invalid(fault, "version")
    span = TIMEFRAMES[version.rules["timeframe"]]
    if plan.until > now:
        raise Invalid("The end lies in the future; choose one that has passed.", "until")
    count = int((plan.until - plan.since).total_seconds()) // span
    if count < 1:
        raise Invalid("The period holds no candle; choose a later end.", "until")
    if count * len(plan.symbols) > MOST_CANDLES:
        text = f"{count * len(plan.symbols):,} candles are too many, {MOST_CANDLES:,} are the most."
        raise Invalid(f"{text} Choose a later beginning or fewer symbols.", "since")
    _check_numbers(plan)


def _check_numbers(plan: Plan) -> None:
    assumed = plan.assumed
    if not 0 < plan.balance <= 1_000_000_000:
        raise Invalid("Write a balance from above 0 to 1,000,000,000.", "balance")
    if not 0 <= plan.seed <= 2**31:
        raise Invalid("Write a whole number from 0 to 2,147,483,648.", "seed")
    if not 0 <= assumed.spread_percent < 50:
        raise Invalid("Write a spread from 0 to below 50 % of the price.", "spread_percent")
    if not 0 < assumed.depth <= 1_000_000_000:
        raise Invalid("Write a depth from above 0 to 1,000,000,000.", "depth")
    for name in ("taker_fee", "maker_fee"):
        fee = getattr(assumed, name)
        if fee is not None and not Decimal("-0.01") <= fee <= Decimal("0.05"):
            raise Invalid("Write a fee from -1 to 5 %, or leave it empty.", name)
    if assumed.funding_rate is not None and abs(assumed.funding_rate) > Decimal("0.05"):
        text = "Write a funding rate from -5 to 5 %, or leave it empty."
        raise Invalid(text, "funding_rate")


def plain(plan: Plan) -> dict[str, Any]:
    """The request as the runner reads it, without rules and without where files lie."""
    assumed = {name: value for name, value in asdict(plan.assumed).items() if value is not None}
    return {
        "exchange": plan.exchange,
        "symbols": list(plan.symbols),
        "since": plan.since.isoformat(),
        "until": plan.until.isoformat(),
        "balance": f"{plan.balance:f}",
        "quote": VENUES[plan.exchange].quote,
        "seed": plan.seed,
        "model": {name: f"{value:f}" for name, value in assumed.items()},
    }
