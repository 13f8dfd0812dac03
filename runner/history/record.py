"""``python -m runner record``: writes down a market for a while, for backtests with a real book.

JSON on stdin: ``exchange``, ``symbols``, ``timeframe``, ``seconds``, ``file``; ``endpoint`` where
the exchange needs one. SIGTERM and SIGINT end it early; what was recorded until then is whole.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from typing import Any, TextIO

from runner.clock import Clock
from runner.errors import Operational, RunnerError, Temporary
from runner.exchange.base import Market
from runner.exchange.ccxt import CcxtMarket, connect
from runner.history.recording import BOTH, FORMAT, Head, Recorder, Tap
from runner.protocol import Configuration, Mode, ProtocolError, from_plain, to_plain
from runner.strategy.spec import TIMEFRAMES

_EVERY = 1.0
_CANDLES_AT_START, _CANDLES = 500, 3
_RARELY = 60


@dataclass(frozen=True)
class Wanted:
    """What to record, and where to."""

    exchange: str
    symbols: tuple[str, ...]
    timeframe: str
    seconds: int
    file: str
    endpoint: str | None = None


async def record(wanted: Wanted, clock: Clock, errors: TextIO) -> int:
    """Look once a second; how often it looked. Raises ``Operational`` where nothing can be seen."""
    market = CcxtMarket(*connect(_configuration(wanted), None, None))
    try:
        await market.open(wanted.symbols)
        listed = {name: to_plain(market.instrument(name)) for name in wanted.symbols}
        head = Head(FORMAT, wanted.exchange, wanted.timeframe, listed)
        recorder = Recorder(wanted.file, head)
        try:
            return await _looks(Tap(market, clock, recorder, BOTH), wanted, clock, errors)
        finally:
            recorder.close()
    finally:
        await market.close()


async def _looks(market: Market, wanted: Wanted, clock: Clock, errors: TextIO) -> int:
    ended = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, ended.set)
    until, looks = clock.monotonic() + wanted.seconds, 0
    while clock.monotonic() < until and not ended.is_set():
        started = clock.monotonic()
        for symbol in wanted.symbols:
            try:
                await _look(market, symbol, wanted.timeframe, looks)
            except Temporary as error:
                errors.write(f"{symbol}: {error}; going on\n")
        looks += 1
        await clock.sleep(_EVERY - (clock.monotonic() - started))
    return looks


async def _look(market: Market, symbol: str, timeframe: str, looks: int) -> None:
    """The book before the candles: a decision on them meets the next picture, not this one."""
    await market.book(symbol)
    await market.trades(symbol)
    await market.mark(symbol)
    if looks % _RARELY == 0:
        await market.funding(symbol)
        await market.open_interest(symbol)
    await market.candles(symbol, timeframe, _CANDLES if looks else _CANDLES_AT_START)


def command(source: TextIO, answer: TextIO, errors: TextIO) -> int:
    """Run one request; the exit status."""
    try:
        wanted = _wanted(json.loads(source.read()))
        looks = asyncio.run(record(wanted, Clock(), errors))
    except (RunnerError, ValueError) as error:
        json.dump({"ok": False, "error": str(error)}, answer)
        return 2
    json.dump({"ok": True, "file": wanted.file, "looks": looks}, answer)
    return 0


def main() -> int:
    """On the standard streams."""
    return command(sys.stdin, sys.stdout, sys.stderr)


def _wanted(plain: Any) -> Wanted:
    try:
        wanted: Wanted = from_plain(Wanted, plain)
    except ProtocolError as error:
        raise Operational(f"the request cannot be read: {error}") from error
    if wanted.timeframe not in TIMEFRAMES:
        raise Operational(f"timeframe: choose one of {', '.join(TIMEFRAMES)}")
    if not wanted.symbols or wanted.seconds < 1:
        raise Operational("name at least one symbol and at least one second")
    return wanted


def _configuration(wanted: Wanted) -> Configuration:
    """Enough of a configuration to read public data; there is no key."""
    return Configuration(
        bot="record",
        bot_name="record",
        run="record",
        mode=Mode.PAPER,
        exchange=wanted.exchange,
        market_type="linear",
        symbols=wanted.symbols,
        strategy="",
        strategy_version=0,
        rules={},
        endpoint=wanted.endpoint,
    )
