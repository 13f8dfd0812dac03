"""Commands and the care of a position, step by step at the real practice market."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
import requests

from runner.commands import Commands
from runner.custodian import Custodian
from runner.engine import Engine
from runner.exchange.base import OrderKind
from runner.memory import Entry
from runner.protocol import (
    Command,
    CommandKind,
    EventKind,
    Mode,
    OrderStatus,
    ProtectionState,
    Side,
    payload,
    to_plain,
)
from runner.reconcile import reconcile
from tests.runner.machine import SYMBOL, demo_rules, practice_credentials
from tests.runner.workshop import ENTRY, at_bench, fills_of
from tests.waiting import PATIENCE

RESTING = replace(ENTRY, kind=OrderKind.LIMIT, price=Decimal(20_000))


def at_desk(practice, directory, act, mode=Mode.PAPER, credentials=None):
    async def go():
        async with at_bench(directory, practice.url, mode, credentials) as (bench, desk):
            commands = Commands(bench, desk, bench.outbox._store)
            return await act(bench, desk, commands)

    return asyncio.run(go())


def done(bench):
    events = [e for e in bench.outbox.pending(999) if e.kind is EventKind.COMMAND_DONE]
    return [(payload(e).id, payload(e).kind) for e in events]


@pytest.mark.parametrize(
    ("kind", "flag", "value"),
    [
        (CommandKind.DRAIN, "draining", True),
        (CommandKind.CANCEL_DRAIN, "draining", False),
        (CommandKind.PAUSE_ENTRIES, "paused", True),
        (CommandKind.RESUME, "paused", False),
    ],
)
def test_a_command_is_carried_out_once(kind, flag, value, practice, tmp_path):
    async def act(bench, _, commands):
        setattr(bench.standing, flag, not value)
        command = Command("c1", kind)
        assert await commands.take((command,))
        assert getattr(bench.standing, flag) is value
        setattr(bench.standing, flag, not value)
        assert not await commands.take((command,))
        assert getattr(bench.standing, flag) is not value
        assert done(bench) == [("c1", kind)]

    at_desk(practice, tmp_path, act)


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.TESTNET])
@pytest.mark.parametrize("kind", [CommandKind.CANCEL_ENTRIES, CommandKind.DRAIN])
def test_resting_entries_are_taken_back(kind, mode, practice, tmp_path):
    async def act(bench, desk, commands):
        order = await desk.submit(RESTING)
        assert order.status is OrderStatus.OPEN
        await commands.take((Command("c1", kind),))
        assert not await bench.broker.open_orders(SYMBOL)
        assert desk.order(order.client_id).status is OrderStatus.CANCELLED

    credentials = practice_credentials() if mode is Mode.TESTNET else None
    at_desk(practice, tmp_path, act, mode, credentials)


def test_flatten_is_done_only_when_flat_is_known(practice, tmp_path):
    async def act(bench, desk, commands):
        await commands.take((Command("c1", CommandKind.FLATTEN),))
        commands.look_after_flatten()
        assert desk.positions is None
        assert done(bench) == []
        await reconcile(bench, desk)
        commands.look_after_flatten()
        assert done(bench) == [("c1", CommandKind.FLATTEN)]
        assert not bench.standing.flattening

    at_desk(practice, tmp_path, act)


def test_a_reload_waits_for_the_end_of_a_position_and_happens_once(practice, tmp_path):
    async def act(bench, desk, commands):
        await reconcile(bench, desk)
        bench.standing.preflight_passed = True
        custodian = await entered(bench, desk)
        command = Command("c1", CommandKind.RELOAD)
        assert await commands.take((command,))
        assert not await commands.take((command,))
        assert not commands.must_reload()
        assert "configuration" in bench.standing.blocked(bench.clock.now(), 0)
        await custodian.leave("flatten", "asked to")
        assert commands.must_reload()
        commands.done(command, "claiming again")
        again = Commands(bench, desk, bench.outbox._store)
        assert not await again.take((command,))
        assert not again.must_reload()

    at_desk(practice, tmp_path, act)


def test_new_limits_count_at_once_and_do_not_wait_for_the_end_of_a_position(practice, tmp_path):
    async def act(bench, desk, commands):
        await reconcile(bench, desk)
        bench.standing.preflight_passed = True
        await entered(bench, desk)
        old = to_plain(bench.configuration.limits)
        first, second = ({"limits": old | {"max_leverage": bound}} for bound in ("50", "0.00001"))
        assert await commands.take((Command("c1", CommandKind.RELOAD, first),))
        assert bench.configuration.limits.max_leverage == Decimal(50)
        # The same command says more by the time it is repeated.
        assert not await commands.take((Command("c1", CommandKind.RELOAD, second),))
        assert not commands.must_reload()
        await bench.guard.watch(desk)
        assert [halt.breach.bound for halt in bench.guard.halts] == [Decimal("0.00001")]
        bench.guard.bind(replace(bench.configuration.limits, max_leverage=None))
        assert bench.guard.halts == ()

    at_desk(practice, tmp_path, act)


def test_of_several_orders_to_reload_only_the_newest_limits_count(practice, tmp_path):
    async def act(bench, desk, commands):
        await reconcile(bench, desk)
        bench.standing.preflight_passed = True
        await entered(bench, desk)
        old = to_plain(bench.configuration.limits)
        told = tuple(
            Command(f"c{bound}", CommandKind.RELOAD, {"limits": old | {"max_leverage": bound}})
            for bound in ("50", "0.00001")
        )
        assert await commands.take(told)
        await bench.guard.watch(desk)
        halted = bench.guard.halts
        assert [halt.breach.bound for halt in halted] == [Decimal("0.00001")]
        for _ in range(3):
            assert not await commands.take(told), "it is repeated with each report"
            assert bench.guard.halts == halted
            await bench.guard.watch(desk)
        breaches = [e for e in bench.outbox.pending(999) if e.kind is EventKind.BREACH]
        assert len(breaches) == 1

    at_desk(practice, tmp_path, act)


def test_a_reload_may_cure_what_keeps_the_preflight_from_passing(practice, tmp_path):
    async def act(_, desk, commands):
        assert await commands.take((Command("c1", CommandKind.RELOAD),))
        assert desk.in_doubt()
        assert commands.must_reload()

    at_desk(practice, tmp_path, act)


def engine():
    rules = demo_rules(stop_loss={"percent": 5}, take_profit={"percent": 5})
    return Engine(rules)


async def entered(bench, desk):
    custodian = Custodian(SYMBOL, bench, desk, engine())
    entry_id = desk.order_id(ENTRY.decision, ENTRY.leg)
    decided = bench.clock.now() - timedelta(seconds=1)
    custodian.keep(Entry(entry_id, 1, Decimal(1), decided))
    await custodian.finish(await desk.submit(ENTRY))
    return custodian


async def look_after(custodian):
    await custodian.watch()
    await custodian.protect(at_once=True)


async def stops(bench):
    return [o for o in await bench.broker.open_orders(SYMBOL) if o.kind is OrderKind.STOP_MARKET]


def test_a_position_gets_one_stop_and_takes_it_along(practice, tmp_path):
    async def act(bench, desk, _):
        custodian = await entered(bench, desk)
        await look_after(custodian)
        await look_after(custodian)
        (stop,) = await stops(bench)
        entry = custodian.entry
        assert entry.stop_id == stop.client_id
        level = entry.entry_price * Decimal("0.95")
        assert abs(stop.price - level) <= bench.market.instrument(SYMBOL).tick
        entry.stop_id = None  # as a checkpoint from before the stop would have it
        await look_after(custodian)
        assert [s.client_id for s in await stops(bench)] == [stop.client_id]
        await custodian.leave("flatten", "asked to")
        assert desk.quantity(SYMBOL) == 0
        assert custodian.entry is None
        assert not await stops(bench)

    at_desk(practice, tmp_path, act, Mode.TESTNET, practice_credentials())


def test_a_stop_that_vanished_is_placed_again(practice, tmp_path):
    async def act(bench, desk, _):
        custodian = await entered(bench, desk)
        await look_after(custodian)
        await desk.cancel(desk.order(custodian.entry.stop_id))
        assert not await stops(bench)
        await look_after(custodian)
        assert len(await stops(bench)) == 1

    at_desk(practice, tmp_path, act, Mode.TESTNET, practice_credentials())


def test_a_stop_that_fires_at_the_venue_is_booked_as_ours(practice, tmp_path):
    async def act(bench, desk, _):
        custodian = await entered(bench, desk)
        stop = replace(
            ENTRY,
            leg="stop1",
            side=ENTRY.side.__class__.SELL,
            kind=OrderKind.STOP_MARKET,
            # Just below the market, which is then made to fall through it.
            price=(await bench.market.book(SYMBOL)).bids[0][0] - Decimal("0.5"),
            reduce_only=True,
        )
        order = await desk.submit(stop)
        custodian.entry.stop_id = order.client_id
        if order.status is OrderStatus.REJECTED:
            return "the market was faster"
        fall = {"kind": "price_gap", "amount": -0.1, "match": {"symbol": SYMBOL}}
        await asyncio.to_thread(
            requests.post, f"{practice.url}/practice/v1/faults", json=[fall], timeout=PATIENCE
        )
        for _ in range(300):
            await desk.settle()
            if not desk.quantity(SYMBOL):
                break
            await asyncio.sleep(0.1)
        await desk.settle()  # the order is read before the position, so it may be one look behind
        custodian.compare()
        assert custodian.entry is None
        fired = desk.order(order.client_id)
        assert fired.status is OrderStatus.FILLED
        assert fired.filled == sum(f.quantity for f in fills_of(bench, fired.client_id))
        assert not desk.foreign_trades
        return "fired"

    assert at_desk(practice, tmp_path, act, Mode.TESTNET, practice_credentials())


async def gap(practice, percent):
    fall = {"kind": "price_gap", "amount": percent, "match": {"symbol": SYMBOL}}
    await asyncio.to_thread(
        requests.post, f"{practice.url}/practice/v1/faults", json=[fall], timeout=PATIENCE
    )


def test_two_stops_that_fire_together_only_flatten(practice, tmp_path):
    async def act(bench, desk, _):
        await entered(bench, desk)
        near = (await bench.market.book(SYMBOL)).bids[0][0] * Decimal("0.97")
        near = bench.market.instrument(SYMBOL).round_price(near, ROUND_HALF_EVEN)
        stop = replace(ENTRY, side=Side.SELL, kind=OrderKind.STOP_MARKET, reduce_only=True)
        both = [await desk.submit(replace(stop, leg=leg, price=near)) for leg in ("stop1", "stop2")]
        assert [order.status for order in both] == [OrderStatus.OPEN] * 2
        assert len(await stops(bench)) == 2
        await gap(practice, -5)
        while desk.quantity(SYMBOL) or await stops(bench):
            await desk.settle()
            await asyncio.sleep(0.1)
        await (
            desk.settle()
        )  # the orders are read before the position, so they may lie a look behind
        assert desk.quantity(SYMBOL) == 0
        sold = sum(f.quantity for order in both for f in fills_of(bench, order.client_id))
        assert sold == ENTRY.quantity

    at_desk(practice, tmp_path, act, Mode.TESTNET, practice_credentials())


def test_the_stop_follows_a_partial_exit(practice, tmp_path):
    async def act(bench, desk, _):
        custodian = await entered(bench, desk)
        await look_after(custodian)
        (old,) = await stops(bench)
        half = replace(
            ENTRY, side=Side.SELL, leg="part", reduce_only=True, quantity=Decimal("0.004")
        )
        await custodian.finish(await desk.submit(half))
        custodian.protector._placed_at -= timedelta(seconds=60)  # as if it rested for a while
        await look_after(custodian)
        (new,) = await stops(bench)
        assert new.client_id != old.client_id
        assert new.quantity == desk.quantity(SYMBOL) == Decimal("0.006")
        told = custodian.protector.now_told
        assert (told.state, told.stop_id) == (ProtectionState.VERIFIED, new.client_id)

    at_desk(practice, tmp_path, act, Mode.TESTNET, practice_credentials())
