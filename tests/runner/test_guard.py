"""The guard at the real practice market: nothing passes around it, and a breach is told once."""

import asyncio
import math
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from runner.custodian import Custodian
from runner.engine import Engine
from runner.entries import Standing
from runner.errors import Operational
from runner.exchange.base import Account, OrderKind
from runner.guard import Guard
from runner.memory import Entry, Memory
from runner.occasion import Occasion
from runner.protocol import (
    Breach,
    Candle,
    Decision,
    EventKind,
    Limits,
    Mode,
    OnBreach,
    OrderStatus,
    Side,
    payload,
)
from runner.step import Conclusion
from runner.trader import Trader
from tests.runner.gate import always
from tests.runner.machine import SYMBOL, demo_rules, practice_credentials
from tests.runner.workshop import ENTRY, at_bench

LOSS = Limits(max_daily_loss=Decimal(100))
DRAWDOWN = Limits(max_drawdown=Decimal(100))


@pytest.fixture
def bench_at(practice, tmp_path):
    """A paper bench with these limits; the same disk each time it is opened."""

    def open_(limits, mode=Mode.PAPER, credentials=None, **changes):
        return at_bench(tmp_path, practice.url, mode, credentials, limits=limits, **changes)

    return open_


def told(bench, kind):
    return [payload(e) for e in bench.outbox.pending(999) if e.kind is kind]


def heard(bench):
    bench.outbox.acknowledge(10_000)


async def lose(bench, desk, amount=100):
    """The account is worth so much less than at the day's first look and at its peak."""
    await desk.settle()
    account = bench.broker.account

    async def poorer():
        found = await account()
        return Account(found.balance, found.unrealised - amount)

    await bench.guard.look(desk)
    bench.broker.account = poorer
    await bench.guard.look(desk)


async def enter(bench, desk, side=Side.BUY):
    await desk.settle()
    custodian = Custodian(SYMBOL, bench, desk, Engine(demo_rules()))
    entry_id = desk.order_id(ENTRY.decision, ENTRY.leg)
    custodian.keep(Entry(entry_id, 1, Decimal(1), bench.clock.now()))
    await bench.guard.look(desk, SYMBOL)
    await custodian.finish(await desk.submit(replace(ENTRY, side=side)))
    assert desk.quantity(SYMBOL)
    return custodian


@pytest.mark.parametrize("kind", [OrderKind.MARKET, OrderKind.LIMIT])
def test_what_the_limits_refuse_is_neither_journalled_nor_sent(kind, bench_at):
    intent = replace(ENTRY, kind=kind, price=Decimal(1) if kind is OrderKind.LIMIT else None)

    async def go():
        async with bench_at(Limits(max_order_notional=Decimal(1))) as (bench, desk):
            await desk.settle()
            await bench.guard.look(desk, SYMBOL)
            order = await desk.submit(intent)
            assert order.status is OrderStatus.REJECTED
            assert "order value" in order.reason
            assert desk.order(order.client_id) is None
            assert not await bench.broker.open_orders(SYMBOL)
            out = await desk.submit(replace(intent, leg="exit1", reduce_only=True))
            assert desk.order(out.client_id) is not None

    asyncio.run(go())


def test_where_a_limit_is_set_an_account_nobody_looked_at_lets_nothing_in(bench_at):
    async def go():
        async with bench_at(LOSS) as (bench, desk):
            assert "not looked at yet" in bench.guard.refusal(ENTRY, desk)
            await bench.guard.look(desk)
            assert "not known" in bench.guard.refusal(ENTRY, desk)
            await desk.settle()
            assert bench.guard.refusal(ENTRY, desk) is None
            monotonic = bench.clock.monotonic() + 61
            bench.clock.monotonic = lambda: monotonic
            assert "for too long" in bench.guard.refusal(ENTRY, desk)

    asyncio.run(go())


def test_a_resting_entry_counts_as_if_it_were_filled(bench_at):
    async def go():
        async with bench_at(Limits(max_position_notional=Decimal(900))) as (bench, desk):
            await desk.settle()
            mark = await bench.market.mark(SYMBOL)
            cheap = bench.market.instrument(SYMBOL).round_price(mark / 2, "ROUND_DOWN")
            lot = (Decimal(500) / mark).quantize(Decimal("0.001"))
            resting = replace(ENTRY, kind=OrderKind.LIMIT, price=cheap, quantity=lot)
            await bench.guard.look(desk, SYMBOL)
            assert (await desk.submit(resting)).status is OrderStatus.OPEN
            await bench.guard.look(desk, SYMBOL)
            second = await desk.submit(replace(resting, leg="another"))
            assert "position value" in second.reason

    asyncio.run(go())


def test_a_breach_is_told_once_and_outlives_a_restart(bench_at):
    async def go():
        async with bench_at(LOSS) as (bench, desk):
            await lose(bench, desk)
            await bench.guard.look(desk)
            (breach,) = told(bench, EventKind.BREACH)
            assert breach == Breach(
                "max_daily_loss",
                breach.value,
                Decimal(100),
                OnBreach.PAUSE,
                breach.text,
            )
            assert told(bench, EventKind.CHECKPOINT)[-1].state["guarded"]["halts"]
            assert "daily loss" in bench.guard.refusal(ENTRY, desk)
            bench.standing.preflight_passed = True
            assert "daily loss" in bench.standing.blocked(bench.clock.now(), 0)
            assert bench.standing.way_out(bench.clock.now()) is None
            heard(bench)
        async with bench_at(LOSS) as (bench, desk):
            await lose(bench, desk)
            assert not told(bench, EventKind.BREACH)
            assert "daily loss" in bench.guard.refusal(ENTRY, desk)

    asyncio.run(go())


def test_a_daily_loss_ends_with_the_day_and_with_no_resume(bench_at):
    async def go():
        async with bench_at(LOSS) as (bench, desk):
            await lose(bench, desk)
            bench.guard.resumed()
            assert "daily loss" in bench.guard.refusal(ENTRY, desk)
            tomorrow = bench.clock.now() + timedelta(days=1)
            bench.clock.now = lambda: tomorrow
            await bench.guard.watch(desk)
            assert bench.standing.breach is None
            await bench.guard.look(desk)
            assert bench.guard.refusal(ENTRY, desk) is None

    asyncio.run(go())


def test_a_limit_that_was_changed_is_judged_anew(bench_at):
    async def go():
        async with bench_at(LOSS) as (bench, desk):
            await lose(bench, desk)
        async with bench_at(replace(LOSS, max_daily_loss=Decimal(200))) as (bench, _):
            assert bench.guard.halts == ()

    asyncio.run(go())


@pytest.mark.parametrize("policy", [OnBreach.FLATTEN, OnBreach.STOP])
def test_another_policy_counts_for_a_limit_that_is_passed_already(policy, bench_at):
    """It holds under "no entries", then it is to flatten: that closes what is held, and is told."""

    async def go():
        async with bench_at(DRAWDOWN) as (bench, desk):
            custodian = await enter(bench, desk)
            await lose(bench, desk, 1_000)
            await custodian.watch()
            assert desk.quantity(SYMBOL)
            bench.guard.bind(replace(DRAWDOWN, on_breach=policy))
            first, second = told(bench, EventKind.BREACH)
            assert (first.policy, second.policy) == (OnBreach.PAUSE, policy)
            assert second == replace(first, policy=policy)
            assert told(bench, EventKind.CHECKPOINT)[-1].state == bench.memory.plain()
            await custodian.watch()
            assert not desk.quantity(SYMBOL)

    asyncio.run(go())


def test_another_policy_counts_at_the_next_start_too_and_is_told_once(bench_at):
    flatten = replace(DRAWDOWN, on_breach=OnBreach.FLATTEN)

    async def go():
        async with bench_at(DRAWDOWN) as (bench, desk):
            await lose(bench, desk)
            heard(bench)
        for events in (1, 0):
            async with bench_at(flatten, paused=True) as (bench, _):
                assert len(told(bench, EventKind.BREACH)) == events
                assert bench.standing.breach_closes
                heard(bench)
        async with bench_at(DRAWDOWN, paused=True) as (bench, _):
            assert not bench.standing.breach_closes

    asyncio.run(go())


def test_another_policy_lifts_no_day_that_was_lost(bench_at):
    """Not even where the result looks better now."""

    async def go():
        async with bench_at(LOSS) as (bench, desk):
            await lose(bench, desk)
            bench.broker.account = type(bench.broker).account.__get__(bench.broker)
            bench.guard.bind(replace(LOSS, on_breach=OnBreach.FLATTEN))
            await bench.guard.look(desk)
            assert bench.memory.day_result(Decimal(10_000)) == 0
            assert "daily loss" in bench.guard.refusal(ENTRY, desk)
            (first, second) = (e for e in bench.outbox.pending(999) if e.kind is EventKind.BREACH)
            assert first.at == second.at

    asyncio.run(go())


def test_what_a_person_resumes_stays_passed_while_the_limit_is(bench_at):
    async def go():
        async with bench_at(DRAWDOWN) as (bench, desk):
            await lose(bench, desk)
            bench.guard.resumed()
            assert bench.standing.breach is None
            await bench.guard.look(desk)
            assert len(told(bench, EventKind.BREACH)) == 2
            assert "drawdown" in bench.standing.breach

    asyncio.run(go())


@pytest.mark.parametrize(
    ("acknowledged", "paused", "stands"),
    [(True, True, True), (True, False, False), (False, False, True)],
)
def test_at_a_start_it_stands_unless_a_person_lifted_it(acknowledged, paused, stands, bench_at):
    async def go():
        async with bench_at(DRAWDOWN) as (bench, desk):
            await lose(bench, desk)
            if acknowledged:
                heard(bench)
        async with bench_at(DRAWDOWN, paused=paused) as (bench, _):
            assert (bench.standing.breach is not None) is stands

    asyncio.run(go())


def test_another_machine_knows_it_from_the_checkpoint(bench_at):
    async def go():
        async with bench_at(DRAWDOWN, paused=True) as (bench, desk):
            await lose(bench, desk)
            state = told(bench, EventKind.CHECKPOINT)[-1].state
            store = bench.outbox._store
            store.connection.execute("DELETE FROM notes")
            store.connection.execute("DELETE FROM events")
            now = bench.clock.now()
            bench.memory = Memory(store, bench.configuration, 2, state, now)
            assert "drawdown" in Guard(bench).refusal(ENTRY, desk)

    asyncio.run(go())


@pytest.mark.parametrize("policy", [OnBreach.FLATTEN, OnBreach.STOP, OnBreach.PAUSE])
def test_the_policy_decides_whether_what_is_held_is_closed(policy, bench_at):
    async def go():
        async with bench_at(replace(DRAWDOWN, on_breach=policy)) as (bench, desk):
            custodian = await enter(bench, desk)
            await lose(bench, desk, 1_000)
            await custodian.watch()
            held = desk.quantity(SYMBOL) != 0
            assert held is (policy is OnBreach.PAUSE)

    asyncio.run(go())


def test_what_rests_to_enter_is_taken_back(bench_at):
    async def go():
        async with bench_at(DRAWDOWN) as (bench, desk):
            await desk.settle()
            await bench.guard.look(desk)
            mark = await bench.market.mark(SYMBOL)
            cheap = bench.market.instrument(SYMBOL).round_price(mark / 2, "ROUND_DOWN")
            far = replace(ENTRY, kind=OrderKind.LIMIT, price=cheap)
            assert (await desk.submit(far)).status is OrderStatus.OPEN
            await lose(bench, desk)
            await bench.guard.watch(desk)
            assert not await bench.broker.open_orders(SYMBOL)

    asyncio.run(go())


def test_a_losing_trade_cools_the_bot_down(bench_at):
    async def go():
        async with bench_at(Limits(cooldown_seconds=3600)) as (bench, desk):
            custodian = await enter(bench, desk)
            await custodian.leave("exit", "as the test says")
            assert custodian.entry is None
            await bench.guard.look(desk)
            # Bought at the ask and sold at the bid a moment later, with fees on both.
            assert "cooling down" in bench.guard.refusal(replace(ENTRY, decision="next"), desk)
            later = bench.clock.now() + timedelta(hours=1)
            bench.clock.now = lambda: later
            assert bench.guard.refusal(replace(ENTRY, decision="next"), desk) is None

    asyncio.run(go())


def test_a_winning_trade_does_not(bench_at):
    async def go():
        async with bench_at(Limits(cooldown_seconds=3600)) as (bench, desk):
            custodian = await enter(bench, desk)
            entry = custodian.entry
            await custodian.leave("exit", "as the test says")
            bench.memory.guarded.lost_at = None
            bench.guard.closed(SYMBOL, replace(entry, entry_price=entry.entry_price / 2))
            assert bench.memory.guarded.lost_at is None

    asyncio.run(go())


def test_refused_orders_in_a_row_stop_entries(bench_at):
    credentials = practice_credentials()

    async def go():
        limits = Limits(max_error_streak=2)
        async with bench_at(limits, Mode.TESTNET, credentials) as (bench, desk):
            await desk.settle()
            huge = replace(ENTRY, quantity=Decimal(100_000))
            await bench.guard.look(desk)
            first = await desk.submit(replace(huge, decision="1"))
            assert first.status is OrderStatus.REJECTED
            assert desk.order(first.client_id) is not None
            await bench.guard.look(desk)
            assert not bench.guard.halts
            await desk.submit(replace(huge, decision="2"))
            await bench.guard.look(desk)
            assert bench.standing.breach == "limit: 2 orders in a row were refused"
            bench.guard.resumed()
            await bench.guard.look(desk)
            assert bench.standing.breach is None

    asyncio.run(go())


@pytest.mark.parametrize(("run", "stands"), [("run_1", True), ("run_2", False)])
def test_refusals_of_a_former_run_are_not_counted(run, stands, bench_at):
    """Another mode or account may take what the former one refused."""
    credentials, limits = practice_credentials(), Limits(max_error_streak=2)

    async def refused(bench, desk, name):
        await desk.settle()
        huge = replace(ENTRY, quantity=Decimal(100_000), decision=name)
        await bench.guard.look(desk)
        assert (await desk.submit(huge)).status is OrderStatus.REJECTED
        await bench.guard.look(desk)

    async def go():
        async with bench_at(limits, Mode.TESTNET, credentials) as (bench, desk):
            await refused(bench, desk, "1")
        async with bench_at(limits, Mode.TESTNET, credentials, run=run) as (bench, desk):
            bench.memory.began += timedelta(minutes=1)  # a bench begins a minute early
            await refused(bench, desk, "2")
            assert bool(bench.guard.halts) is stands

    asyncio.run(go())


def test_the_day_goes_on_in_another_run_of_the_account(practice, tmp_path):
    """Live, then paper, then live: what was lost and passed before counts until midnight."""
    credentials = practice_credentials()

    def bench_at(name, state, run="run_2", account="acc"):
        told = {"earlier": state} if state else {}
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        place = (directory, practice.url, Mode.TESTNET, credentials)
        return at_bench(*place, limits=LOSS, account=account, run=run, told=told)

    async def go():
        async with bench_at("first", None, "run_1") as (bench, desk):
            await desk.settle()
            await bench.guard.look(desk)
            bench.memory.capital.book(Decimal(-60))
            near = bench.memory.plain()
            await lose(bench, desk)
            past = bench.memory.plain()
        async with bench_at("near", near) as (bench, desk):
            account = await bench.guard.look(desk)
            assert bench.memory.day_result(account.balance + account.unrealised) == -60
            assert not bench.guard.halts
            await lose(bench, desk, 40)
            assert "daily loss 100.00" in bench.standing.breach
        for events in (1, 0):
            async with bench_at("past", past) as (bench, desk):
                assert len(told(bench, EventKind.BREACH)) == events
                await desk.settle()
                await bench.guard.look(desk)
                assert "daily loss" in bench.guard.refusal(ENTRY, desk)
                heard(bench)
        async with bench_at("other", past, account="other") as (bench, desk):
            await bench.guard.look(desk)
            assert not bench.guard.halts

    asyncio.run(go())


def decide(bench):
    now = bench.clock.now()
    candle = Candle(now, *(Decimal(1),) * 5)
    return Occasion(candle), Conclusion("enter_long", "the test wants it", 1, ())


@pytest.mark.parametrize(
    "limits",
    [Limits(max_order_notional=Decimal(300)), Limits(max_leverage=Decimal("0.03"))],
)
def test_a_size_is_cut_to_what_the_limits_leave(limits, bench_at):
    async def go():
        async with bench_at(limits) as (bench, desk):
            await desk.settle()
            bench.standing = Standing(always(), math.inf, 0, preflight_passed=True)
            trader = Trader(SYMBOL, bench, desk)
            await trader._enter(*decide(bench))
            (decision,) = told(bench, EventKind.DECISION)
            assert decision.action == "enter_long"
            assert re.search(r", cut to 0\.\d+ by the limit max_", decision.reason)
            mark = await bench.market.mark(SYMBOL)
            assert 0 < desk.quantity(SYMBOL) * mark < 310

    asyncio.run(go())


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(max_order_notional=Decimal(1)), "but limit: order value"),
        (Limits(allowed_symbols=("ETH/USDT:USDT",)), "but limit: BTC/USDT:USDT is none of"),
        (Limits(price_collar_percent=Decimal(2)), "worse than the mark"),
        (Limits(max_leverage=Decimal("0.0001")), "times the equity"),
        (Limits(max_orders_per_minute=1, price_collar_percent=Decimal(50)), None),
    ],
)
def test_the_decision_says_which_limit_kept_it_out(limits, said, bench_at):
    async def go():
        async with bench_at(limits) as (bench, desk):
            await desk.settle()
            bench.standing = Standing(always(), math.inf, 0, preflight_passed=True)
            trader = Trader(SYMBOL, bench, desk)
            trader._blocked = lambda: None  # nothing but a limit is in the way
            mark = await bench.market.mark(SYMBOL)
            if said == "worse than the mark":  # the book ran away from it

                async def behind(_symbol):
                    return mark * Decimal("0.9")

                bench.market.mark = behind
            await trader._enter(*decide(bench))
            (decision,) = told(bench, EventKind.DECISION)
            assert isinstance(decision, Decision)
            if said is None:
                assert decision.action == "enter_long"
                assert desk.quantity(SYMBOL) > 0
            else:
                assert (decision.action, decision.code) == ("none", 8)
                assert said in decision.reason
                assert decision.reason.endswith(f"but {decision.blocked}")
                assert not told(bench, EventKind.ORDER)

    asyncio.run(go())


def test_the_mark_is_the_venues_own_or_its_tickers(bench_at):
    async def go():
        async with bench_at(Limits()) as (bench, _):
            book = await bench.market.book(SYMBOL)
            mark = await bench.market.mark(SYMBOL)
            assert abs(mark / book.middle - 1) < Decimal("0.1")
            exchange, said = bench.market._exchange, {"markPrice": "123.4"}

            async def ticker(_symbol):
                return said

            exchange.has = {**exchange.has, "fetchMarkPrice": None}
            exchange.fetch_ticker = ticker
            assert await bench.market.mark(SYMBOL) == Decimal("123.4")
            said["markPrice"] = None
            with pytest.raises(Operational, match="no mark price"):
                await bench.market.mark(SYMBOL)

    asyncio.run(go())
