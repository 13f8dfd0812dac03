"""What a code strategy derives from and is given: the module ``plutarc`` of its imports."""

from __future__ import annotations

import inspect
import json
from collections import deque
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple

from runner.strategy.source_names import INDICATORS

MOST_STATE = 16 * 1024
"""Bytes of a strategy's state as JSON, for each symbol."""
MOST_OUTPUT = 2_000
"""Characters kept of what a hook prints."""
MOST_WORDS = 200
_FAMILIES = ("averages", "oscillators", "rolling", "structure", "trend", "volatility", "volume")
_PRICES = ("open", "high", "low", "close", "volume")


class Candle(NamedTuple):
    """A closed candle; ``time`` is when it opened, UTC."""

    time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


class Position(NamedTuple):
    """What is held. ``side``: "long" or "short"; ``candles``: closed since the entry."""

    side: str
    entry_price: float
    candles: int
    opened_at: datetime | None
    stop: float | None


class Fill(NamedTuple):
    """An execution of one of the bot's orders. ``side``: "buy" or "sell"."""

    time: datetime
    side: str
    price: float
    quantity: float
    fee: float


class Used:
    """An indicator that reads every candle."""

    def __init__(self, indicator: Any, places: tuple[int, ...]) -> None:
        self._indicator, self._places = indicator, places
        self.value: Any = None

    def read_(self, row: list[float]) -> None:
        self.value = self._indicator.update(*(row[place] for place in self._places))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._indicator, name)


class Strategy:
    """Derive from it; see docs/code-strategies.md. Each symbol of a bot has one of its own."""

    symbol: str
    timeframe: str
    params: dict[str, Any]
    state: dict[str, Any]
    candles: deque[Candle]
    position: Position | None

    def on_start(self) -> None:
        """Called when a machine begins, before it has read history; ``state`` is there already."""

    def on_candle(self, candle: Candle) -> None:
        """Called for each candle that closed while the bot is awake."""

    def on_fill(self, fill: Fill) -> None:
        """Called for each execution, before the next candle."""

    def on_stop(self) -> None:
        """Called before a machine ends in order; what it leaves in ``state`` is kept."""

    def use(self, indicator: Any, price: str = "close") -> Any:
        """Have an indicator read every candle, the history's included, before ``on_candle``.

        ``value`` of what is returned is what the indicator made of the last candle, ``None`` while
        it warms up; its own attributes, such as ``upper``, are there, too.
        """
        if price not in _PRICES:
            raise ValueError(f"price must be one of {', '.join(_PRICES)}")
        used = Used(indicator, _reads(indicator.update, price))
        self._used.append(used)
        return used

    def enter_long(self, reason: str = "", *, stop: float | None = None) -> None:
        """Ask for a long position; nothing comes of it while one is held."""
        self._wish(1, reason, stop)

    def enter_short(self, reason: str = "", *, stop: float | None = None) -> None:
        """Ask for a short position; nothing comes of it while one is held."""
        self._wish(-1, reason, stop)

    def exit(self, reason: str = "") -> None:
        """Ask to leave the position."""
        self._wanted["leave"] = True
        self._wanted["why"] = _words(reason)

    def set_stop(self, price: float) -> None:
        """Let the position's stop rest here; it only moves in the position's favour."""
        self._wanted["stop"] = _price(price)

    def say(self, reason: str) -> None:
        """What the decision log is to say of this candle."""
        self._wanted["why"] = _words(reason)

    def print(self, *values: object) -> None:
        """Write a line to the output that a dry run shows."""
        text = " ".join(str(value) for value in values)
        if self._room > 0:
            self._output.append(text[: self._room])
            self._room -= len(text) + 1

    # -- what the process that runs it works with ------------------------------------------------

    def begin_(self, start: dict[str, Any]) -> None:
        self.symbol, self.timeframe = str(start["symbol"]), str(start["timeframe"])
        self.params, self.state = dict(start["params"]), dict(start["state"])
        self.candles, self.position = deque(maxlen=int(start["warmup"])), None
        self._used: list[Used] = []
        self._kept = json.dumps(self.state, sort_keys=True)
        self.prepare_()

    def prepare_(self) -> None:
        """Before each hook."""
        self._wanted: dict[str, Any] = {}
        self._output: list[str] = []
        self._room = MOST_OUTPUT

    def read_(self, row: list[float]) -> Candle:
        """Take a candle: six numbers, seconds since the epoch first."""
        candle = Candle(datetime.fromtimestamp(row[0], UTC), *row[1:6])
        self.candles.append(candle)
        for used in self._used:
            used.read_(row)
        return candle

    def answer_(self) -> dict[str, Any]:
        """What a hook asked for, said and left to be kept."""
        answer = {"ok": True, "said": "\n".join(self._output)[:MOST_OUTPUT], **self._wanted}
        kept = self._written()
        if kept != self._kept:
            answer["state"], self._kept = json.loads(kept), kept
        return answer

    def forget_(self) -> None:
        """A hook failed: what it changed of the state does not count."""
        self.state = json.loads(self._kept)

    def _written(self) -> str:
        if not isinstance(self.state, dict) or not all(isinstance(key, str) for key in self.state):
            raise TypeError("self.state must be a dict with text as keys")
        text = json.dumps(self.state, sort_keys=True, allow_nan=False)
        if len(text) > MOST_STATE:
            raise ValueError(f"self.state is {len(text):,} bytes as JSON, {MOST_STATE:,} at most")
        return text

    def _wish(self, side: int, reason: str, stop: float | None) -> None:
        self._wanted["wish"], self._wanted["why"] = side, _words(reason)
        if stop is not None:
            self._wanted["stop"] = _price(stop)


def _words(reason: object) -> str:
    return " ".join(str(reason).split())[:MOST_WORDS]


def _price(price: object) -> float:
    number = float(price)  # type: ignore[arg-type] # whatever it is, a user wrote it
    if not 0 < number < 1e15:
        raise ValueError(f"a stop at {number} is no price")
    return number


def _reads(update: Any, price: str) -> tuple[int, ...]:
    """Which numbers of a candle an indicator reads, by the names of its parameters."""
    names = list(inspect.signature(update).parameters)
    if len(names) == 1:
        return (1 + _PRICES.index(price),)
    return tuple(0 if name == "at" else 1 + _PRICES.index(name) for name in names)


def names() -> dict[str, Any]:
    """All that ``plutarc`` holds."""
    found: dict[str, Any] = {
        "Candle": Candle,
        "Fill": Fill,
        "Position": Position,
        "Strategy": Strategy,
    }
    for family in _FAMILIES:
        module = import_module(f"runner.strategy.indicators.{family}")
        found |= {name: getattr(module, name) for name in INDICATORS if hasattr(module, name)}
    return found
