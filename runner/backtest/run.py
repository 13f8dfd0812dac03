"""One backtest from its request to its result; candles are fetched where they are not kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from runner.backtest.account import Account
from runner.backtest.candles import CandleRun
from runner.backtest.lane import Lane
from runner.backtest.request import Refused, Request
from runner.backtest.result import Result
from runner.errors import Operational
from runner.exchange.base import Instrument
from runner.exchange.ccxt import CcxtMarket, connect
from runner.history import listing
from runner.history.files import Files, Series, Span
from runner.history.reading import History, fetch, load
from runner.protocol import Configuration, Mode
from runner.strategy import warmup
from runner.strategy.spec import TIMEFRAMES

Tell = Callable[[str, int, int], None]
"""Told of progress: the step, how much of it is done, of how much."""


def needed(request: Request) -> Span:
    """The candles a run reads: those of the period and what it takes to warm up before."""
    first, last = request.period
    span = TIMEFRAMES[request.rules["timeframe"]]
    return first - max(warmup(request.rules), request.warm) * span, last


def histories(request: Request) -> list[History]:
    """The candles of every symbol, from the files alone. Raises ``Operational``."""
    files, timeframe = Files(request.folder), request.rules["timeframe"]
    found = []
    for symbol in request.symbols:
        history = load(files, Series(request.exchange, symbol, timeframe), *needed(request))
        if not len(history.columns):
            text = f"{request.exchange} has no candles of {symbol} in this period; choose another"
            raise Refused("history", symbol, text)
        found.append(history)
    return found


def instruments(request: Request) -> dict[str, Instrument]:
    """The venue's rules of every symbol as they are kept. Raises ``Operational``."""
    found = {}
    for symbol in request.symbols:
        kept = listing.known(request.folder, request.exchange, symbol)
        if kept is None:
            raise Operational(f"the rules of {symbol} at {request.exchange} were not fetched")
        found[symbol] = kept
    return found


async def obtain(request: Request, now: datetime, tell: Tell) -> None:
    """Fetch what the files do not hold. Raises ``Temporary`` or ``Operational``."""
    market = CcxtMarket(*connect(_public(request), None, None))
    timeframe, files = request.rules["timeframe"], Files(request.folder)
    try:
        await market.open(request.symbols)
        for symbol in request.symbols:
            listing.keep(request.folder, request.exchange, market.instrument(symbol))
            series = Series(request.exchange, symbol, timeframe)
            await fetch(market, files, series, needed(request), now, tell)
    finally:
        await market.close()


def simulate(
    request: Request, found: list[History], rules: dict[str, Instrument], tell: Tell
) -> Result:
    """The run itself: no clock, no network, no chance."""
    account = Account(request, rules)
    half = float(request.model.spread_percent) / 200
    first, last = request.period
    lanes = []
    for history in found:
        before = len(history.columns.between(needed(request)[0], first))
        lane = Lane(history.series.symbol, request.rules, history, before, half)
        lane.warm()
        lanes.append(lane)
    told = first

    def progress(at: int) -> None:
        nonlocal told
        if at >= told:
            told = at + max((last - first) // 100, 1)
            tell("simulation", at - first, last - first)

    CandleRun(request, account, lanes).run(progress)
    tell("simulation", last - first, last - first)
    logs = {lane.symbol: lane.log for lane in lanes}
    columns = {lane.symbol: lane.columns for lane in lanes}
    return Result(request, account, logs, found, columns)


def _public(request: Request) -> Configuration:
    """Enough of a configuration to read public data; there is no key."""
    return Configuration(
        bot="backtest",
        bot_name="backtest",
        run="backtest",
        mode=Mode.PAPER,
        exchange=request.exchange,
        market_type=request.rules["market_type"],
        symbols=request.symbols,
        strategy="",
        strategy_version=0,
        rules=request.rules,
        quote=request.quote,
        endpoint=request.endpoint,
    )
