"""The end of a window: held or flattened as asked, also when the process dies on the way out."""

import asyncio
import os
import signal
from datetime import timedelta

import pytest

from runner.custodian import Custodian
from runner.engine import Engine
from runner.memory import Entry
from runner.protocol import Mode, OrderStatus, Window
from runner.reconcile import reconcile
from tests.runner.machine import SYMBOL, demo_rules, practice_credentials
from tests.runner.workshop import ENTRY, arm, at_bench

HELD = {"stop_loss": {"percent": 50}, "take_profit": {"percent": 50}}


def ended(bench):
    now = bench.clock.now()
    return (Window(now - timedelta(hours=2), now - timedelta(seconds=1)),)


def custodian_at(bench, desk):
    return Custodian(SYMBOL, bench, desk, Engine(demo_rules(**HELD)))


async def entered(bench, desk):
    await reconcile(bench, desk)
    custodian = custodian_at(bench, desk)
    entry_id = desk.order_id(ENTRY.decision, ENTRY.leg)
    custodian.keep(Entry(entry_id, 1, ENTRY.quantity, bench.clock.now() - timedelta(seconds=1)))
    await custodian.finish(await desk.submit(ENTRY))
    return custodian


def keys(mode):
    return practice_credentials() if mode is Mode.TESTNET else None


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.TESTNET])
def test_a_position_is_held_unless_the_end_is_to_be_flat(mode, practice, tmp_path):
    async def go():
        async with at_bench(tmp_path, practice.url, mode, keys(mode)) as (bench, desk):
            custodian = await entered(bench, desk)
            bench.standing.windows = ended(bench)
            await custodian.watch()
            assert desk.quantity(SYMBOL) == ENTRY.quantity
            bench.standing.end_policy = "flatten"
            await custodian.watch()
            assert desk.quantity(SYMBOL) == 0
            assert not await bench.broker.open_orders(SYMBOL)

    asyncio.run(go())


def test_the_stop_stays_until_the_position_is_gone(practice, tmp_path):
    async def go():
        mode = Mode.TESTNET
        async with at_bench(tmp_path, practice.url, mode, keys(mode)) as (bench, desk):
            custodian = await entered(bench, desk)
            await custodian.protect()
            (stop,) = await bench.broker.open_orders(SYMBOL)
            bench.standing.windows, bench.standing.end_policy = ended(bench), "flatten"
            place, seen = bench.broker.place, []

            async def watched(request):
                seen.extend(order.client_id for order in await bench.broker.open_orders(SYMBOL))
                return await place(request)

            bench.broker.place = watched
            await custodian.watch()
            assert seen == [stop.client_id]
            assert desk.quantity(SYMBOL) == 0
            assert desk.order(stop.client_id).status is OrderStatus.CANCELLED

    asyncio.run(go())


async def flatten_and_die(point, directory, endpoint, mode, credentials):
    async with at_bench(directory, endpoint, mode, credentials) as (bench, desk):
        custodian = await entered(bench, desk)
        bench.standing.windows, bench.standing.end_policy = ended(bench), "flatten"
        arm(point, bench)
        await custodian.watch()


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.TESTNET])
@pytest.mark.parametrize("point", ["intent written", "before the request", "answer not yet read"])
def test_a_kill_while_flattening_neither_doubles_nor_forgets(point, mode, practice, tmp_path):
    credentials = keys(mode)
    pid = os.fork()
    if pid == 0:
        try:
            asyncio.run(flatten_and_die(point, tmp_path, practice.url, mode, credentials))
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL

    async def recover():
        async with at_bench(tmp_path, practice.url, mode, credentials) as (bench, desk):
            await reconcile(bench, desk)
            bench.standing.windows, bench.standing.end_policy = ended(bench), "flatten"
            custodian = custodian_at(bench, desk)
            for _ in range(5):
                await custodian.watch()
                await desk.settle()
            since = bench.clock.now() - timedelta(hours=1)
            sold = [e for e in await bench.broker.executions(SYMBOL, since) if e.side == "sell"]
            assert desk.quantity(SYMBOL) == 0
            assert desk.holds_nothing()
            assert sum(e.quantity for e in sold) == ENTRY.quantity

    asyncio.run(recover())
