"""An order that is not found ends by proof, or not at all."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from runner.exchange.base import OrderKind, OrderRequest
from runner.protocol import EventKind, Mode, Order, OrderStatus, Side, payload
from tests.runner.forgetful import make_forgetful
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import ENTRY, at_bench, fills_of

LONG_AGO = timedelta(days=3)


def at_a_venue(tmp_path, practice, steps):
    """Run ``steps`` at a bench whose venue can be made to forget."""

    async def go():
        key = practice_credentials()
        async with at_bench(tmp_path, practice.url, Mode.TESTNET, key) as (bench, desk):
            return await steps(bench, desk, make_forgetful(bench, desk))

    return asyncio.run(go())


def as_told(bench, client_id, **changes):
    """An order as a machine with another disk may have told it."""
    order = Order(
        client_id,
        SYMBOL,
        Side.BUY,
        "market",
        ENTRY.quantity,
        OrderStatus.SENT,
        "entry",
        bench.clock.now(),
    )
    return replace(order, **changes)


async def placed(bench, client_id, **changes):
    kind = changes.pop("kind", OrderKind.MARKET)
    return await bench.broker.place(
        OrderRequest(client_id, SYMBOL, Side.BUY, kind, ENTRY.quantity, **changes)
    )


def test_what_was_planned_and_not_sent_needs_no_venue(tmp_path, practice):
    async def steps(bench, desk, venue):
        order = as_told(bench, desk.order_id("d", "entry"), status=OrderStatus.PLANNED)
        bench.journal.plan(order, order.decided_at)
        await desk.settle()
        return desk.order(order.client_id), venue.asked

    order, asked = at_a_venue(tmp_path, practice, steps)
    assert (order.status, asked) == (OrderStatus.REJECTED, [])
    assert "never sent" in order.reason


@pytest.mark.parametrize("quantity", ["0.010", "0.025"])
def test_an_order_that_was_seen_ends_by_its_trades(quantity, tmp_path, practice):
    async def steps(bench, desk, venue):
        name = desk.order_id("d", "entry")
        report = await placed(bench, name)
        told = as_told(
            bench,
            name,
            status=OrderStatus.OPEN,
            venue_id=report.venue_id,
            quantity=Decimal(quantity),
        )
        bench.journal.take_over((told,))
        venue.forget(name, report.venue_id)
        await desk.settle()
        return desk.order(name), fills_of(bench, name), desk.foreign_trades

    order, fills, foreign = at_a_venue(tmp_path, practice, steps)
    whole = quantity == "0.010"
    assert order.status is (OrderStatus.FILLED if whole else OrderStatus.CANCELLED)
    assert order.filled == sum(fill.quantity for fill in fills) == ENTRY.quantity
    assert order.average is not None
    assert foreign == []


def test_an_order_still_listed_as_open_has_not_ended(tmp_path, practice):
    async def steps(bench, desk, venue):
        name = desk.order_id("d", "entry")
        limit = {"kind": OrderKind.LIMIT, "price": Decimal(20_000)}
        report = await placed(bench, name, **limit)
        told = as_told(bench, name, kind="limit", price=Decimal(20_000), venue_id=report.venue_id)
        bench.journal.take_over((told,))
        venue.forget(name, report.venue_id)
        await desk.settle()
        listed = desk.order(name)
        await bench.broker.cancel(OrderRequest(name, SYMBOL, Side.BUY, **limit, quantity=1))
        await desk.settle()
        return listed, desk.order(name)

    listed, gone = at_a_venue(tmp_path, practice, steps)
    assert listed.status is OrderStatus.OPEN
    assert (gone.status, gone.filled) == (OrderStatus.CANCELLED, 0)


def test_an_old_order_nobody_acknowledged_is_known_by_its_trades(tmp_path, practice):
    async def steps(bench, desk, venue):
        name = desk.order_id("d", "entry")
        report = await placed(bench, name)
        venue.forget(name, report.venue_id)
        told = as_told(bench, name, decided_at=bench.clock.now() - LONG_AGO)
        bench.journal.take_over((told,))
        await desk.settle()
        return desk.order(name), fills_of(bench, name), desk.foreign_trades

    order, fills, foreign = at_a_venue(tmp_path, practice, steps)
    assert order.status is OrderStatus.FILLED
    assert sum(fill.quantity for fill in fills) == ENTRY.quantity
    assert foreign == []


@pytest.mark.parametrize(("side", "quantity"), [(Side.SELL, "0.010"), (Side.BUY, "0.004")])
def test_trades_that_cannot_be_its_own_prove_nothing(side, quantity, tmp_path, practice):
    """The trade that is there is on the other side, or is larger than what was wanted."""

    async def steps(bench, desk, venue):
        report = await placed(bench, "by-hand-1")
        venue.forget("by-hand-1", report.venue_id)
        told = as_told(
            bench,
            desk.order_id("d", "entry"),
            decided_at=bench.clock.now() - LONG_AGO,
            side=side,
            quantity=Decimal(quantity),
        )
        bench.journal.take_over((told,))
        await desk.settle()
        return desk.order(told.client_id), desk.foreign_trades

    order, foreign = at_a_venue(tmp_path, practice, steps)
    assert order.status is OrderStatus.REJECTED
    assert "nor a trade" in order.reason
    assert len(foreign) == 1


def test_a_venue_is_given_time_to_show_an_order(tmp_path, practice):
    async def steps(bench, desk, venue):
        venue._broker.unseen_after = timedelta(minutes=10)
        order = as_told(bench, desk.order_id("d", "entry"), status=OrderStatus.OPEN, venue_id="7")
        bench.journal.take_over((order,))
        await desk.settle()
        return desk.order(order.client_id), desk.unsure(), desk.live()

    order, unsure, live = at_a_venue(tmp_path, practice, steps)
    assert order.status is OrderStatus.OPEN
    assert (unsure, live) == ([], [order])


def test_the_way_to_an_order_is_told_step_by_step(tmp_path, practice):
    async def steps(bench, desk, _):
        await desk.submit(ENTRY)
        return [payload(e) for e in bench.outbox.pending(9) if e.kind is EventKind.ORDER]

    told = at_a_venue(tmp_path, practice, steps)
    assert [order.status for order in told][:2] == [OrderStatus.PLANNED, OrderStatus.SENT]
    assert told[-1].status is OrderStatus.FILLED
