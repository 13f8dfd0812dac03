"""What a backtest is asked for, read from JSON; what is wrong is named by component and field."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.history.files import Span
from runner.protocol import Limits, ProtocolError, Window, from_plain
from runner.strategy import validate
from runner.strategy.spec import TIMEFRAMES

MOST_CANDLES = 3_000_000
"""Two years of minutes of three symbols: more neither fits the memory nor anybody's patience."""


class Refused(RunnerError):
    """A request that cannot be run. ``component`` and ``field`` say where to look."""

    def __init__(self, component: str, field_name: str, text: str) -> None:
        super().__init__(text)
        self.component = component
        self.field = field_name


@dataclass(frozen=True)
class Model:
    """What a backtest on candles alone has to assume; it stands on the result.

    ``spread_percent``: of the price, the whole width. ``depth``: what each of ``levels`` levels
    shows, in quote currency; ``step_percent`` lies between two of them. ``taker_fee``,
    ``maker_fee``: shares of the notional; the venue's own where ``None``. ``funding_rate``: paid by
    longs every ``funding_hours``, a share, zero is none; what the venue settled where ``None``.
    """

    spread_percent: Decimal = Decimal("0.02")
    depth: Decimal = Decimal(250_000)
    levels: int = 5
    step_percent: Decimal = Decimal("0.02")
    taker_fee: Decimal | None = None
    maker_fee: Decimal | None = None
    funding_rate: Decimal | None = None
    funding_hours: int = 8


@dataclass(frozen=True)
class Request:
    """One backtest. Times UTC, amounts in quote currency; ``windows`` ``None`` is always open.

    ``rows``: the most trades, and fills, that the result lists. ``warm``: candles to be read before
    the period where other rules than these may be tried on it.
    """

    rules: dict[str, Any]
    exchange: str
    symbols: tuple[str, ...]
    since: datetime
    until: datetime
    folder: Path
    balance: Decimal = Decimal(10_000)
    quote: str = "USDT"
    endpoint: str | None = None
    limits: Limits = field(default_factory=Limits)
    windows: tuple[Window, ...] | None = None
    end_policy: str = "hold"
    quiet_minutes: int = 0
    model: Model = field(default_factory=Model)
    recording: Path | None = None
    seed: int = 1
    rows: int = 10_000
    warm: int = 0

    @property
    def period(self) -> Span:
        """Seconds since the epoch, half-open, in whole candles."""
        span = TIMEFRAMES[self.rules["timeframe"]]
        return (
            -(-int(self.since.timestamp()) // span) * span,
            int(self.until.timestamp()) // span * span,
        )

    @property
    def digest(self) -> str:
        """Pins the strategy: the same rules, however they are written, have the same."""
        told = json.dumps(self.rules, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(told.encode()).hexdigest()


def read(plain: Any) -> Request:
    """A request of its JSON.

    Raises:
        Refused: something is missing, of the wrong kind or impossible.
    """
    if not isinstance(plain, dict):
        raise Refused("request", "", "the request must be a JSON object")
    unknown = sorted(set(plain) - {*_FIELDS, *_REQUIRED, "mode", "options"})
    if unknown:
        raise Refused("request", unknown[0][:60], "unknown setting; remove it")
    for name in _REQUIRED:
        if plain.get(name) in (None, "", []):
            raise Refused("request", name, f"{name} is missing")
    rules = checked_rules(plain["rules"])
    known = {
        name: _read(name, make, plain[name])
        for name, make in (*_REQUIRED.items(), *_FIELDS.items())
        if plain.get(name) is not None
    }
    request = Request(**{**known, "rules": rules})
    _check(request)
    return request


def checked_rules(rules: Any) -> dict[str, Any]:
    """Rules that a runner could trade.

    Raises:
        Refused: naming the first fault's component and field.
    """
    faults = validate(rules)
    if faults:
        first = faults[0]
        place, _, name = first.path.partition(".")
        raise Refused(_component(rules, place), name or place, f"{first.path}: {first.message}")
    found: dict[str, Any] = rules
    return found


def _component(rules: Any, place: str) -> str:
    """The kind of component a path like ``signals[0]`` means."""
    section, _, index = place.partition("[")
    try:
        return str(rules[section][int(index.rstrip("]"))]["kind"])
    except (KeyError, IndexError, ValueError, TypeError):
        return section or "rules"


def _check(request: Request) -> None:
    first, last = request.period
    if last <= first:
        raise Refused("request", "until", "the period holds no candle; choose a later end")
    count = (last - first) // TIMEFRAMES[request.rules["timeframe"]] * len(request.symbols)
    if count > MOST_CANDLES:
        raise Refused(
            "request",
            "since",
            f"{count:,} candles are too many, {MOST_CANDLES:,} are the most; choose a shorter "
            "period, a longer time frame or fewer symbols",
        )
    if request.balance <= 0:
        raise Refused("request", "balance", "the starting balance must be above zero")
    if request.rules["market_type"] != "linear":
        raise Refused("rules", "market_type", "only linear markets can be tested so far")
    model = request.model
    for name in ("spread_percent", "step_percent"):
        if not 0 <= getattr(model, name) < 50:
            raise Refused("model", name, "must be from 0 to 50 % of the price")
    if model.depth <= 0 or not 1 <= model.levels <= 50 or not 1 <= model.funding_hours <= 24:
        raise Refused("model", "depth", "depth must be above zero, levels 1 to 50, hours 1 to 24")


def _read(name: str, make: Callable[[Any], Any], value: Any) -> Any:
    try:
        return make(value)
    except (ValueError, TypeError, ArithmeticError, KeyError, ProtocolError) as error:
        raise Refused("request", name, f"{name} cannot be read: {error}") from error


def _moment(text: Any) -> datetime:
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone, as in 2026-07-01T00:00:00Z")
    return moment.astimezone(UTC)


def _decimal(text: Any) -> Decimal:
    number = Decimal(str(text))
    if not number.is_finite():
        raise ValueError("it is no number")
    return number


def _symbols(names: Any) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("it must be a list of symbols")
    return tuple(dict.fromkeys(names))


def _windows(rows: Any) -> tuple[Window, ...]:
    return tuple(Window(_moment(opens), _moment(closes)) for opens, closes in rows)


def _model(plain: Any) -> Model:
    return from_plain(Model, plain)


def _limits(plain: Any) -> Limits:
    return from_plain(Limits, plain)


_REQUIRED: dict[str, Callable[[Any], Any]] = {
    "rules": lambda rules: rules,
    "exchange": str,
    "symbols": _symbols,
    "since": _moment,
    "until": _moment,
    "folder": Path,
}
_FIELDS: dict[str, Callable[[Any], Any]] = {
    "balance": _decimal,
    "quote": str,
    "endpoint": str,
    "limits": _limits,
    "windows": _windows,
    "end_policy": str,
    "quiet_minutes": int,
    "model": _model,
    "recording": Path,
    "seed": int,
    "rows": int,
}
