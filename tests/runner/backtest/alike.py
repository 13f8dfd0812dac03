"""A real runner at the practice market, its recording, and a backtest of that, side by side."""

import asyncio
import itertools
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from runner.backtest.request import Request
from runner.backtest.run import replayed
from runner.bench import Bench
from runner.code.coder import PATIENCE as PATIENCE_WITH_A_CLASS
from runner.code.engine import is_code
from runner.decision_log import action_of
from runner.desk import Desk
from runner.entries import Standing
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.paper import PaperBroker
from runner.exchange.paper_state import PaperState
from runner.history.recording import DESK, FORMAT, VENUE, Head, HeldClock, Recorder, Tap, noting
from runner.journal import Journal
from runner.link import Link
from runner.loop import Loop
from runner.memory import Memory
from runner.outbox import Outbox
from runner.protocol import ClaimAnswer, EventKind, Lease, Mode, Window, payload, to_plain
from runner.step import Reason
from runner.store import Store
from tests.runner.machine import SYMBOL, configuration, practice_credentials
from tests.waiting import PATIENCE

ALWAYS = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


@asynccontextmanager
async def recorded(directory, endpoint, mode, plan):
    """A real runner's loop whose every answer of the venue is written down."""
    credentials = practice_credentials() if mode is Mode.TESTNET else None
    settings = configuration(endpoint, mode, plan, account="a")
    store, clock = Store(directory / "journal.sqlite"), HeldClock()
    memory = Memory(store, settings, 1, {}, clock.now() - timedelta(minutes=1))
    outbox = Outbox(store, 1, 1)
    exchange, venue, url = connect(settings, credentials, None)
    market = CcxtMarket(exchange, venue, url)
    await market.open((SYMBOL,))
    listed = {SYMBOL: to_plain(market.instrument(SYMBOL))}
    head = Head(FORMAT, "practice", "1s", listed, asks=is_code(plan))
    recorder = Recorder(directory / "seen.jsonl.gz", head)
    broker = CcxtBroker(exchange, venue, "USDT")
    filling = Tap(market, clock, recorder, VENUE)
    if mode is Mode.PAPER:
        broker = PaperBroker(filling, clock, PaperState(Decimal(10_000)), memory.keep_paper)
    else:
        broker.place = _pictured(broker.place, filling)
    bench = Bench(
        bot="bot_a",
        generation=1,
        configuration=settings,
        market=Tap(market, clock, recorder, DESK),
        broker=broker,
        journal=Journal(store, outbox),
        outbox=outbox,
        memory=memory,
        standing=Standing((ALWAYS,), clock.monotonic() + 10**6, 0, preflight_passed=True),
        clock=clock,
    )
    desk, now = Desk(bench), clock.now()
    answer = ClaimAnswer("c", now, "", settings, (ALWAYS,), "hold", Lease(now))
    loop = Loop(answer, bench, desk, Link(None, outbox, clock), store)
    (trader,) = loop._traders
    if trader.coder is not None:
        trader.coder.note = noting(SYMBOL, clock, recorder)
        trader.coder._process.ask = _held_up(trader.coder._process.ask)

    async def tick():
        await loop._trade()
        await asyncio.sleep(1)

    try:
        yield bench, desk, tick
    finally:
        loop.leave_nothing()
        recorder.close()
        await market.close()
        store.close()


def _pictured(place, market):
    """The venue fills by itself; a picture of its book at that moment is all a replay gets."""

    async def placed(request):
        report = await place(request)
        await market.book(request.symbol)
        return report

    return placed


def _held_up(ask):
    """Every fourth answer comes after its tick: the machine was busy with something else."""
    count = itertools.count(1)

    def asked(*question):
        if next(count) % 4 == 0:
            time.sleep(3 * PATIENCE_WITH_A_CLASS)
        return ask(*question)

    return asked


def decisions(bench):
    told = bench.outbox.pending(10**6)
    return [payload(event) for event in told if event.kind is EventKind.DECISION]


async def live(directory, endpoint, mode, plan, trades):
    """Let the runner trade until so many positions were opened and closed."""
    async with recorded(directory, endpoint, mode, plan) as (bench, desk, tick):
        await desk.settle()
        end = time.monotonic() + PATIENCE
        while sum(d.action.startswith("enter") for d in decisions(bench)) <= trades:
            assert time.monotonic() < end, "the strategy did not trade"
            await tick()
        while desk.positions or desk.live():
            assert time.monotonic() < end, "the position stayed open"
            await tick()
        return decisions(bench)


def again(directory, plan):
    since = datetime(2026, 1, 1, tzinfo=UTC)
    path = directory / "seen.jsonl.gz"
    request = Request(plan, "practice", (SYMBOL,), since, since + timedelta(days=3650), directory)
    return replayed(request, path, lambda *_: None)


def logged(result):
    return list(result.logs[SYMBOL].rows())


def blocker_at(state):
    return state.blocker if state.code == Reason.FILTERED else -1


def agrees(told, row):
    """Action, every component's value, and whatever words were kept."""
    at, state, words = row
    assert int(told.candle.opened_at.timestamp()) == at
    assert told.action == action_of(state), (told.reason, state, words)
    assert (told.code, told.blocker) == (state.code, blocker_at(state)), (told.reason, state)
    values = [*state.values, *state.fired] if told.verdicts else []
    assert [verdict.value for verdict in told.verdicts] == values
    if words is not None:
        assert told.reason == words.reason
        assert [verdict.detail for verdict in told.verdicts] == list(words.details)
