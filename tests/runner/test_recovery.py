"""Kill at every step, lose every answer: one decision stays one order, nothing is forgotten."""

import asyncio
import os
import signal
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import aiohttp
import pytest
from aiohttp import web

from runner.exchange.base import OrderKind, OrderRequest
from runner.memory import Memory
from runner.protocol import EventKind, Mode, Order, OrderStatus, Side, payload
from runner.reconcile import reconcile
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import (
    DECIDED,
    ENTRY,
    NEVER_SENT,
    POINTS,
    at_bench,
    enter_and_die,
    fills_of,
)


def die_at(point, directory, endpoint, mode, credentials):
    """A child process that takes the steps of an entry and is killed by itself at ``point``."""
    pid = os.fork()  # spares the child the second an interpreter with ccxt takes to start
    if pid == 0:
        try:
            asyncio.run(enter_and_die(point, directory, endpoint, mode, credentials))
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


async def venue_orders(bench):
    """Entry orders of ours the venue has, told apart by the order its trades belong to."""
    executions = await bench.broker.executions(SYMBOL, bench.clock.now() - timedelta(hours=1))
    return {e.venue_id for e in executions}, sum((e.quantity for e in executions), Decimal(0))


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.TESTNET])
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_step_neither_doubles_nor_forgets(point, mode, practice, tmp_path):
    credentials = practice_credentials() if mode is Mode.TESTNET else None
    die_at(point, tmp_path, practice.url, mode, credentials)

    async def recover():
        async with at_bench(tmp_path, practice.url, mode, credentials) as (bench, desk):
            check = await reconcile(bench, desk)
            assert check.ok, check.detail
            order = desk.order(desk.order_id(ENTRY.decision, ENTRY.leg))
            if order is not None:
                await desk.submit(ENTRY)  # the same decision once more
                await desk.settle()
            orders, quantity = await venue_orders(bench)
            fills = fills_of(bench, order.client_id) if order else []
            events = [payload(e) for e in bench.outbox.pending(99) if e.kind is EventKind.FILL]
            return desk, order, orders, quantity, fills, events

    desk, order, orders, quantity, fills, events = asyncio.run(recover())
    if point not in NEVER_SENT:
        assert len(orders) == 1
        assert order.status is OrderStatus.FILLED
        assert sum(f.quantity for f in fills) == quantity == desk.quantity(SYMBOL) == ENTRY.quantity
    else:
        assert not orders
        assert not desk.positions
        assert order is None or order.status is OrderStatus.REJECTED
    assert events == fills


class LossyLine:
    """A proxy before the practice market that loses the answer to the first order, or the order."""

    def __init__(self, target, loses):
        self.target, self.loses = target, loses

    async def handle(self, request):
        body = await request.read()
        lossy = request.method == "POST" and request.path == "/fapi/v1/order" and self.loses
        if lossy == "request":
            self.loses = None
            request.transport.abort()
            return web.Response()
        headers = {k: v for k, v in request.headers.items() if k.lower() != "host"}
        async with (
            aiohttp.ClientSession(auto_decompress=False) as http,
            http.request(
                request.method, self.target + str(request.rel_url), data=body, headers=headers
            ) as answer,
        ):
            content = await answer.read()
        if lossy == "answer":
            self.loses = None
            request.transport.abort()
        kept = ("Content-Type", "Content-Encoding")
        return web.Response(
            body=content,
            status=answer.status,
            headers={k: v for k, v in answer.headers.items() if k in kept},
        )


@pytest.mark.parametrize(
    ("loses", "status"), [("answer", OrderStatus.FILLED), ("request", OrderStatus.REJECTED)]
)
def test_a_lost_answer_is_asked_for_never_repeated(loses, status, practice, tmp_path):
    credentials = practice_credentials()

    async def go():
        line = LossyLine(practice.url, loses)
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", line.handle)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            async with at_bench(tmp_path, url, Mode.TESTNET, credentials) as (bench, desk):
                order = await desk.submit(ENTRY)
                assert order.status is OrderStatus.UNKNOWN
                assert desk.unsure(SYMBOL)
                await desk.settle()
                orders, _ = await venue_orders(bench)
                return desk.order(order.client_id).status, len(orders), desk.quantity(SYMBOL)
        finally:
            await runner.cleanup()

    settled, orders, quantity = asyncio.run(go())
    assert settled is status
    assert orders == (1 if status is OrderStatus.FILLED else 0)
    assert quantity == (ENTRY.quantity if orders else 0)


def test_an_order_in_doubt_is_not_given_up_before_its_time(practice, tmp_path):
    credentials = practice_credentials()

    async def go():
        async with at_bench(tmp_path, practice.url, Mode.TESTNET, credentials) as (bench, desk):
            del bench.broker.unseen_after
            bench.broker.place = lost
            order = await desk.submit(ENTRY)
            check = await reconcile(bench, desk)
            return order.client_id, check

    async def lost(_):
        from runner.errors import UnknownOutcome

        raise UnknownOutcome("the line went dead")

    client_id, check = asyncio.run(go())
    assert check.ok is False
    assert client_id in check.detail


def limit(client_id, price, side="buy"):
    return OrderRequest(
        client_id, SYMBOL, Side(side), OrderKind.LIMIT, Decimal("0.010"), Decimal(price)
    )


def reconciled(tmp_path, practice, credentials, before):
    """What a fresh disk makes of an account on which ``before`` happened."""

    async def go():
        async with at_bench(tmp_path / "a", practice.url, Mode.TESTNET, credentials) as (bench, d):
            await before(bench.broker, d)
        async with at_bench(tmp_path / "b", practice.url, Mode.TESTNET, credentials) as (bench, d):
            check = await reconcile(bench, d)
            found = [d.order(i) for i in (d.order_id("lost", "entry"), "by-hand-1")]
            return bench, d, check, [order for order in found if order is not None]

    return asyncio.run(go())


def test_our_order_without_a_record_is_adopted(practice, tmp_path):
    async def before(broker, desk):
        await broker.place(limit(desk.order_id("lost", "entry"), "20000"))

    bench, _, check, (order,) = reconciled(tmp_path, practice, practice_credentials(), before)
    assert check.ok
    assert bench.standing.foreign is None
    assert (order.purpose, order.status, order.price) == ("adopted", OrderStatus.OPEN, 20_000)


def test_a_foreign_order_blocks_entries_and_rings(practice, tmp_path):
    async def before(broker, _):
        await broker.place(limit("by-hand-1", "20000"))

    bench, _, check, orders = reconciled(tmp_path, practice, practice_credentials(), before)
    assert check.ok is None
    assert "did not place" in bench.standing.foreign
    assert not orders


def test_another_bots_order_is_foreign_too(practice, tmp_path):
    async def before(broker, _):
        await broker.place(limit("pl0123456789-1", "20000"))

    bench, *_ = reconciled(tmp_path, practice, practice_credentials(), before)
    assert "did not place" in bench.standing.foreign


@pytest.mark.parametrize("ours", [True, False])
def test_a_position_is_adopted_only_if_we_opened_it(ours, practice, tmp_path):
    async def before(broker, desk):
        name = desk.order_id("lost", "entry") if ours else "by-hand-1"
        side = OrderRequest(name, SYMBOL, Side.SELL, OrderKind.MARKET, Decimal("0.010"))
        await broker.place(side)

    bench, desk, *_ = reconciled(tmp_path, practice, practice_credentials(), before)
    assert desk.quantity(SYMBOL) == Decimal("-0.010")
    if ours:
        assert bench.memory.entries[SYMBOL].side == -1
        assert bench.standing.foreign is None
    else:
        assert SYMBOL not in bench.memory.entries
        assert "did not open" in bench.standing.foreign


def test_an_order_whose_machine_was_lost_is_followed_to_its_end(practice, tmp_path):
    credentials = practice_credentials()

    async def go():
        async with at_bench(tmp_path / "a", practice.url, Mode.TESTNET, credentials) as (bench, d):
            name = d.order_id("lost", "entry")
            request = limit(name, "20000")
            report = await bench.broker.place(request)
            await bench.broker.cancel(request)
        told = Order(
            name,
            SYMBOL,
            Side.BUY,
            "limit",
            request.quantity,
            OrderStatus.OPEN,
            "entry",
            DECIDED,
            request.price,
            venue_id=report.venue_id,
        )
        async with at_bench(tmp_path / "b", practice.url, Mode.TESTNET, credentials) as (bench, d):
            bench.journal.take_over((told, told))
            assert bench.outbox.count() == 0
            assert [order.client_id for order in d.live()] == [name]
            await d.settle()
            return d.live(), [payload(event) for event in bench.outbox.pending(9)]

    live, events = asyncio.run(go())
    assert live == []
    assert [event.status for event in events] == [OrderStatus.CANCELLED]


def test_a_paper_execution_is_never_told_without_its_account(practice, tmp_path):
    """The disk is lost right after the order was told as filled, before its fill was."""

    async def go():
        async with at_bench(tmp_path / "a", practice.url, Mode.PAPER, None) as (bench, desk):
            order = await desk.submit(ENTRY)
            told = bench.outbox.pending(99)
            kinds = [e.kind for e in told]
            assert kinds == [EventKind.ORDER] * 2 + [EventKind.CHECKPOINT, EventKind.ORDER]
        state = payload(told[2]).state
        async with at_bench(tmp_path / "b", practice.url, Mode.PAPER, None) as (bench, desk):
            restored = Memory(bench.outbox._store, bench.configuration, 2, state, order.decided_at)
            assert restored.paper["lots"][SYMBOL]["quantity"] == "0.010"
            assert order.client_id in restored.paper["orders"]
            assert restored.paper["executions"]

    asyncio.run(go())


def test_an_order_the_platform_knows_keeps_what_was_decided(practice, tmp_path):
    credentials = practice_credentials()

    async def go():
        first = at_bench(tmp_path / "a", practice.url, Mode.TESTNET, credentials)
        async with first as (_, desk):
            order = await desk.submit(ENTRY)
        second = at_bench(tmp_path / "b", practice.url, Mode.TESTNET, credentials)
        async with second as (bench, desk):
            bench.journal.take_over(
                (replace(order, status=OrderStatus.UNKNOWN, filled=Decimal(0)),)
            )
            await reconcile(bench, desk)
            assert desk.order(order.client_id) == order

    asyncio.run(go())
