"""One backtest from its request to its result; candles are fetched where they are not kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from runner.backtest.account import Account
from runner.backtest.candles import CandleRun
from runner.backtest.lane import Lane
from runner.backtest.replay import Replay
from runner.backtest.request import Refused, Request
from runner.backtest.result import Result
from runner.code.engine import end, listen
from runner.errors import Operational
from runner.exchange.base import Instrument
from runner.history import funding, listing
from runner.history.columns import of_candles
from runner.history.files import Files, Series, Span
from runner.history.reading import History, Recorded, fetch, load
from runner.history.recording import Head, digest_of, head_of, seen
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
        if request.model.funding_rate is None:
            paid = funding.load(request.folder, request.exchange, symbol, *_paid(request))
            history = replace(history, funding=paid)
        found.append(history)
    return found


def _paid(request: Request) -> Span:
    """The payments a run reads: the first candle may be judged by one of the day before."""
    first, last = needed(request)
    return first - funding.DAY, last + 1


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
    # Most runs find their candles kept, and ccxt alone would take more memory than they do.
    from runner.exchange.ccxt import CcxtMarket, connect  # noqa: PLC0415 - as said

    market = CcxtMarket(*connect(_public(request), None, None))
    timeframe, files = request.rules["timeframe"], Files(request.folder)
    try:
        await market.open(request.symbols)
        for symbol in request.symbols:
            listing.keep(request.folder, request.exchange, market.instrument(symbol))
            series = Series(request.exchange, symbol, timeframe)
            await fetch(market, files, series, needed(request), now, tell)
            if request.model.funding_rate is None:
                place = request.folder, request.exchange, symbol
                await funding.fetch(market, *place, _paid(request), now)
    finally:
        await market.close()


def simulate(
    request: Request, found: list[History], rules: dict[str, Instrument], tell: Tell
) -> Result:
    """The run itself: no clock, no network, no chance."""
    account = Account(request, rules)
    first, last = request.period
    lanes = []
    for history in found:
        before = len(history.columns.between(needed(request)[0], first))
        lane = Lane(history.series.symbol, request, history, before)
        listen(lane.engine, account.fills)
        lanes.append(lane)
    told = first

    def progress(at: int) -> None:
        nonlocal told
        if at >= told:
            told = at + max((last - first) // 100, 1)
            tell("simulation", at - first, last - first)

    try:
        for lane in lanes:
            lane.warm()
        CandleRun(request, account, lanes).run(progress)
    finally:
        output = end(lane.engine for lane in lanes)
    tell("simulation", last - first, last - first)
    logs = {lane.symbol: lane.log for lane in lanes}
    columns = {lane.symbol: lane.columns for lane in lanes}
    return Result(request, account, logs, found, columns, output)


async def learn(request: Request) -> None:
    """Fetch the venue's rules of every symbol. Raises ``Temporary`` or ``Operational``."""
    from runner.exchange.ccxt import CcxtMarket, connect  # noqa: PLC0415 - as in ``obtain``

    market = CcxtMarket(*connect(_public(request), None, None))
    try:
        await market.open(request.symbols)
        for symbol in request.symbols:
            listing.keep(request.folder, request.exchange, market.instrument(symbol))
    finally:
        await market.close()


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


def replayed(request: Request, path: Path, tell: Tell) -> Result:
    """The run on a recording: its own pictures of the book, its own candles.

    Raises:
        Refused: the file is none, or a recording of something else.
    """
    head = _head(request, path)
    account = Account(request, {s: head.rules()[s] for s in request.symbols})
    replay = Replay(request.rules, account, request.symbols, asks=head.asks)
    last = request.since
    tell("replay", 0, 1)
    try:
        for one in seen(path):
            if request.since <= one.at < request.until:
                replay.see(one)
                last = one.at
    finally:
        output = end(track.engine for track in replay.tracks.values())
    tell("replay", 1, 1)
    span = timedelta(seconds=TIMEFRAMES[request.rules["timeframe"]])
    columns = {name: of_candles(track.judged) for name, track in replay.tracks.items()}
    found = [
        Recorded(Series(request.exchange, name, head.timeframe), part, (), digest_of(path))
        for name, part in columns.items()
    ]
    firsts = [track.judged[0].opened_at for track in replay.tracks.values() if track.judged]
    if not firsts:
        raise Refused("recording", "since", "the recording holds no candle of this period")
    ends = min(request.until, last + span)
    seen_of = replace(request, since=min(firsts), until=ends, recording=path)
    logs = {name: track.log for name, track in replay.tracks.items()}
    return Result(seen_of, account, logs, list(found), columns, output)


def _head(request: Request, path: Path) -> Head:
    try:
        head = head_of(path)
    except Operational as error:
        raise Refused("recording", "recording", str(error)) from error
    wanted = {
        "exchange": (request.exchange, head.exchange),
        "timeframe": (request.rules["timeframe"], head.timeframe),
    }
    for name, (asked, there) in wanted.items():
        if asked != there:
            raise Refused("recording", name, f"the recording is of {there}, not of {asked}")
    missing = [symbol for symbol in request.symbols if symbol not in head.instruments]
    if missing:
        raise Refused("recording", "symbols", f"the recording holds no {missing[0]}")
    return head
