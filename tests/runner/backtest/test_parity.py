"""What a runner decided on the practice market, a backtest of its recording decides as well."""

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.backtest.request import Request
from runner.backtest.run import replayed
from runner.bench import Bench
from runner.decision_log import action_of
from runner.desk import Desk
from runner.entries import Standing
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.paper import PaperBroker
from runner.exchange.paper_state import PaperState
from runner.history.recording import DESK, FORMAT, VENUE, Head, HeldClock, Recorder, Tap
from runner.journal import Journal
from runner.link import Link
from runner.loop import Loop
from runner.memory import Memory
from runner.outbox import Outbox
from runner.protocol import ClaimAnswer, EventKind, Lease, Mode, Window, payload, to_plain
from runner.step import Reason
from runner.store import Store
from tests.runner.backtest.hand_history import rules
from tests.runner.machine import SYMBOL, configuration, practice_credentials
from tests.waiting import PATIENCE

WHOLE = {
    **rules(
        [{"kind": "ema_cross", "params": {"fast": 2, "slow": 3}}],
        [
            {"kind": "stop_loss", "params": {"percent": 0.05}},
            {"kind": "take_profit", "params": {"percent": 0.05}},
            {"kind": "time_stop", "params": {"candles": 4}},
        ],
        "both",
    ),
    "timeframe": "1s",
    "filters": [{"kind": "min_volatility", "params": {"period": 2, "percent": 0.002}}],
}
# Where the venue fills by itself, no text may depend on the price of its fills.
BY_TIME = {**WHOLE, "exits": [{"kind": "time_stop", "params": {"candles": 3}}]}
# As both rates are read from the venue, an entry proves that the recording had them as well.
BY_RATES = {
    **WHOLE,
    "filters": [{"kind": "open_interest_change", "params": {"period": 1, "percent": -50}}],
    "gates": [{"kind": "funding_gate", "params": {"percent": 1}}],
}
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
    recorder = Recorder(directory / "seen.jsonl.gz", Head(FORMAT, "practice", "1s", listed))
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

    async def tick():
        await loop._trade()
        await asyncio.sleep(1)

    try:
        yield bench, desk, tick
    finally:
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


def decisions(bench):
    told = bench.outbox.pending(10**6)
    return [payload(event) for event in told if event.kind is EventKind.DECISION]


async def _live(directory, endpoint, mode, plan, trades):
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


def _again(directory, plan):
    since = datetime(2026, 1, 1, tzinfo=UTC)
    path = directory / "seen.jsonl.gz"
    request = Request(plan, "practice", (SYMBOL,), since, since + timedelta(days=3650), directory)
    return replayed(request, path, lambda *_: None)


def _logged(result):
    return list(result.logs[SYMBOL].rows())


def blocker_at(state):
    return state.blocker if state.code == Reason.FILTERED else -1


def _agrees(told, row):
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


@pytest.fixture(scope="module")
def paper(practice, tmp_path_factory):
    """A recording of a paper runner, and what it decided."""
    directory = tmp_path_factory.mktemp("paper")
    told = asyncio.run(_live(directory, practice.url, Mode.PAPER, WHOLE, trades=3))
    return directory, told


def test_paper_and_its_recording_decide_alike(paper):
    directory, told = paper
    rows = _logged(_again(directory, WHOLE))
    assert len(told) == len(rows)
    assert sum(decision.action.startswith("enter") for decision in told) > 3
    for decision, row in zip(told, rows, strict=True):
        _agrees(decision, row)


def test_rates_that_were_read_decide_alike(practice, tmp_path):
    told = asyncio.run(_live(tmp_path, practice.url, Mode.PAPER, BY_RATES, trades=1))
    rows = _logged(_again(tmp_path, BY_RATES))
    assert len(told) == len(rows)
    for decision, row in zip(told, rows, strict=True):
        _agrees(decision, row)


def test_the_practice_market_and_its_recording_decide_alike(practice, tmp_path):
    told = asyncio.run(_live(tmp_path, practice.url, Mode.TESTNET, BY_TIME, trades=3))
    rows = _logged(_again(tmp_path, BY_TIME))
    lines = [(d.action, action_of(state)) for d, (_, state, _) in zip(told, rows, strict=True)]
    assert [one for one, _ in lines] == [other for _, other in lines], [
        (d.candle.opened_at, d.reason, row[1:]) for d, row in zip(told, rows, strict=True)
    ]


def test_a_recording_gives_the_same_result_each_time(paper):
    first, second = _again(paper[0], WHOLE).plain(), _again(paper[0], WHOLE).plain()
    assert first == second
    assert first["pinned"]["model"] == {"name": "recording"}
    assert first["trades_total"] > 2


def test_other_rules_decide_otherwise_on_the_same_recording(paper):
    other = {**WHOLE, "direction": "long"}
    assert _again(paper[0], other).plain()["digest"] != _again(paper[0], WHOLE).plain()["digest"]


@pytest.mark.parametrize("cut", [1, 7, 100])
def test_a_recording_that_was_cut_off_is_read_to_its_end(paper, tmp_path, cut):
    whole = (paper[0] / "seen.jsonl.gz").read_bytes()
    (tmp_path / "seen.jsonl.gz").write_bytes(whole[:-cut])
    assert 0 < len(_logged(_again(tmp_path, WHOLE))) <= len(paper[1])
