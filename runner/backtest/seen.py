"""What a bot saw and concluded, as the platform has kept it, read from a request's options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from runner.backtest.request import Refused, Request
from runner.history.columns import of_candles
from runner.history.files import Series
from runner.history.reading import History
from runner.protocol import Candle, Window
from runner.strategy.spec import TIMEFRAMES


class Judged(NamedTuple):
    """One conclusion of a bot. ``fired`` is ``None`` where no position was held.

    ``values`` are those of the components in the order of the rules; empty where the candle was
    not fit to be judged.
    """

    at: int
    action: str
    close: Decimal
    values: tuple[int | None, ...]
    fired: tuple[int, ...] | None


class Held(NamedTuple):
    """A position of a bot: from when to when, and what it was; seconds since the epoch."""

    opened: float
    closed: float | None
    side: int
    entry_price: Decimal
    decided: int


@dataclass(frozen=True)
class Seen:
    """One symbol. ``starts``: when a new process of the bot began; all of it oldest first."""

    symbol: str
    candles: tuple[Candle, ...]
    judged: tuple[Judged, ...]
    starts: tuple[float, ...] = ()
    held: tuple[Held, ...] = ()

    def history(self, request: Request) -> History:
        """Its candles as a backtest reads them, gaps named."""
        span = TIMEFRAMES[request.rules["timeframe"]]
        times = [int(candle.opened_at.timestamp()) for candle in self.candles]
        gaps = tuple((a + span, b) for a, b in pairwise(times) if b > a + span)
        series = Series(request.exchange, self.symbol, request.rules["timeframe"])
        return History(series, of_candles(self.candles), gaps)


def read(options: Any, request: Request) -> list[Seen]:
    """What was seen of every symbol of the request.

    Raises:
        Refused: something is missing or cannot be read.
    """
    plain = options.get("seen") if isinstance(options, dict) else None
    if not isinstance(plain, dict):
        raise Refused("options", "seen", "what the bot saw is missing")
    found = []
    for symbol in request.symbols:
        try:
            found.append(_seen(symbol, plain[symbol]))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            text = f"what the bot saw of {symbol} cannot be read: {error}"
            raise Refused("options", "seen", text) from error
    if not any(one.judged for one in found):
        raise Refused("options", "seen", "the bot has judged no candle yet")
    return found


def windows(seen: list[Seen], span: int) -> tuple[Window, ...]:
    """When the bot was there to enter: at the closes of the candles it judged."""
    closes = sorted({one.at + span for each in seen for one in each.judged})
    return tuple(
        Window(_moment(first), _moment(last) + timedelta(seconds=1))
        for first, last in _stretches(closes, span)
    )


def _stretches(times: list[int], span: int) -> Iterator[tuple[int, int]]:
    first = last = times[0]
    for at in times[1:]:
        if at > last + span:
            yield first, last
            first = at
        last = at
    yield first, last


def _seen(symbol: str, plain: dict[str, Any]) -> Seen:
    candles = tuple(
        Candle(_moment(at), *(Decimal(number) for number in numbers))
        for at, *numbers in plain["candles"]
    )
    times = [candle.opened_at for candle in candles]
    if any(a >= b for a, b in pairwise(times)):
        raise ValueError("its candles are not in the order of time")
    judged = tuple(
        Judged(
            int(at),
            str(action),
            Decimal(close),
            tuple(values),
            None if fired is None else tuple(fired),
        )
        for at, action, close, values, fired in plain["judged"]
    )
    if any(a.at >= b.at for a, b in pairwise(judged)):
        raise ValueError("its decisions are not in the order of time")
    held = tuple(
        Held(float(opened), closed, int(side), Decimal(price), int(decided))
        for opened, closed, side, price, decided in plain.get("held", ())
    )
    return Seen(symbol, candles, judged, tuple(plain.get("starts", ())), held)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
