"""The books follow the venue: what it shows is read again, what it hides is made up, visibly."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from runner.exchange.base import OrderKind, OrderRequest
from runner.ledger import folded
from runner.protocol import EventKind, Mode, OrderStatus, Side, payload
from runner.reconcile import reconcile
from tests.runner.forgetful import make_forgetful
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import ENTRY, at_bench


@asynccontextmanager
async def a_bench(tmp_path, practice, key, name="a"):
    async with at_bench(tmp_path / name, practice.url, Mode.TESTNET, key) as (bench, desk):
        yield bench, desk, make_forgetful(bench, desk)


def told(bench, kind):
    return [payload(e) for e in bench.outbox.pending(99) if e.kind is kind]


def codes(bench):
    return {notice.code for notice in told(bench, EventKind.NOTICE)}


async def by_hand(bench, side, quantity="0.010", name="by-hand-1"):
    """What the owner does on the venue's own page."""
    await bench.broker.place(OrderRequest(name, SYMBOL, side, OrderKind.MARKET, Decimal(quantity)))


def agreed(bench, desk):
    """Venue, books, fills on the disk and fills told hold the same; the quantity."""
    held = desk.quantity(SYMBOL)
    assert desk.books.quantity(SYMBOL) == held
    assert folded(bench.journal.fills_on(SYMBOL)).quantity == held
    assert folded(told(bench, EventKind.FILL)).quantity == held
    assert desk.books.differs == {} or desk.difference(SYMBOL) == 0
    return held


@pytest.mark.parametrize("quantity", ["0.010", "0.004", "0.017"])
def test_what_others_do_to_our_position_is_told_and_rings(quantity, tmp_path, practice):
    """Closed, made smaller, or turned around, by a person or by a liquidation."""

    async def go():
        async with a_bench(tmp_path, practice, practice_credentials()) as (bench, desk, _):
            await desk.submit(ENTRY)
            assert (await reconcile(bench, desk)).ok
            await by_hand(bench, Side.SELL, quantity)
            check = await reconcile(bench, desk)
            orders = {o.client_id: o for o in told(bench, EventKind.ORDER)}
            for order in orders.values():
                fills = bench.journal.fills_of(order.client_id)
                assert sum(f.quantity for f in fills) == order.filled
            reason = told(bench, EventKind.FILL)[-1].client_id
            return (
                check,
                agreed(bench, desk),
                codes(bench),
                orders[reason],
                len(desk.foreign_trades),
            )

    check, held, rang, order, foreign = asyncio.run(go())
    assert check.ok
    assert held == Decimal("0.010") - Decimal(quantity)
    assert "foreign_trades" in rang
    assert (order.purpose, order.status) == ("reconciled", OrderStatus.FILLED)
    assert foreign >= 1  # and entries stay shut, as the loop sees it


def test_a_trade_the_venue_does_not_show_is_made_up_the_same_by_everyone(tmp_path, practice):
    async def go():
        key = practice_credentials()
        async with a_bench(tmp_path, practice, key) as (bench, desk, _):
            await desk.submit(ENTRY)
            assert (await reconcile(bench, desk)).ok
            memory = bench.memory.plain()
            await by_hand(bench, Side.BUY)
        made = []
        for name in "bc":
            async with a_bench(tmp_path, practice, key, name) as (bench, desk, venue):
                bench.memory.__init__(
                    bench.outbox._store, bench.configuration, 2, memory, bench.clock.now()
                )
                venue.hidden = True
                assert (await reconcile(bench, desk)).ok
                assert desk.quantity(SYMBOL) == desk.books.quantity(SYMBOL) == Decimal("0.020")
                assert "reconciled" in codes(bench)
                entry = desk.books.of(SYMBOL).lot.entry_price
                assert abs(entry - desk.positions[SYMBOL].entry_price) < Decimal("1e-6")
                made.append(told(bench, EventKind.FILL))
        return made

    first, second = asyncio.run(go())
    assert len(first) == 1
    assert first[0].trade_id == second[0].trade_id
    assert first[0].reason.startswith("reconciled")


def test_an_order_keeps_what_the_venue_said_of_it_when_its_trades_are_gone(tmp_path, practice):
    async def go():
        async with a_bench(tmp_path, practice, practice_credentials()) as (bench, desk, venue):
            venue.hidden = True
            order = await desk.submit(ENTRY)
            check = await reconcile(bench, desk)
            return (
                check,
                desk.order(order.client_id),
                told(bench, EventKind.FILL),
                agreed(bench, desk),
            )

    check, order, (fill,), held = asyncio.run(go())
    assert check.ok
    assert (fill.client_id, fill.quantity) == (order.client_id, ENTRY.quantity)
    assert abs(fill.price - order.average) < Decimal("1e-6")
    assert held == ENTRY.quantity


def test_a_moments_difference_opens_nothing_and_makes_up_nothing(tmp_path, practice):
    async def go():
        async with a_bench(tmp_path, practice, practice_credentials()) as (bench, desk, venue):
            venue._broker.unseen_after = timedelta(minutes=10)
            await desk.submit(ENTRY)
            venue.hidden = True
            seen = await reconcile(bench, desk), bench.standing.foreign
            fills = told(bench, EventKind.FILL)
            venue.hidden = False
            return seen, fills, await reconcile(bench, desk), bench.standing.foreign

    (check, blocked), fills, later, free = asyncio.run(go())
    assert check.ok is False
    assert "looking again" in blocked
    assert fills == []
    assert later.ok
    assert free is None


def test_a_lost_disk_costs_no_fill_and_no_name(tmp_path, practice):
    """Nothing was told: the position is found with the orders and fills that made it."""

    async def go():
        key = practice_credentials()
        async with a_bench(tmp_path, practice, key) as (bench, desk, _):
            order = await desk.submit(ENTRY)
        async with a_bench(tmp_path, practice, key, "b") as (bench, desk, _):
            bench.memory.fills_since = bench.clock.now()  # as on a machine that starts now
            assert (await reconcile(bench, desk)).ok
            fills = told(bench, EventKind.FILL)
            return order, bench.memory.entries[SYMBOL], fills, agreed(bench, desk)

    order, entry, fills, held = asyncio.run(go())
    assert held == ENTRY.quantity
    assert {fill.client_id for fill in fills} == {order.client_id}
    assert (entry.client_id, entry.candle_at) == (order.client_id, fills[0].at)


def test_another_machine_tells_no_fill_twice_and_none_in_vain(tmp_path, practice):
    """The checkpoint was told, a fill after it was not."""

    async def go():
        key = practice_credentials()
        async with a_bench(tmp_path, practice, key) as (bench, desk, _):
            await desk.submit(ENTRY)
            assert (await reconcile(bench, desk)).ok
            first = told(bench, EventKind.FILL)
            memory = bench.memory.plain()
            await by_hand(bench, Side.BUY, name=desk.order_id("next", "entry"))
        async with a_bench(tmp_path, practice, key, "b") as (bench, desk, _):
            bench.memory.__init__(
                bench.outbox._store, bench.configuration, 2, memory, bench.clock.now()
            )
            assert (await reconcile(bench, desk)).ok
            assert desk.books.quantity(SYMBOL) == desk.quantity(SYMBOL)
            return first, told(bench, EventKind.FILL)

    first, second = asyncio.run(go())
    assert not {f.trade_id for f in first} & {f.trade_id for f in second}
    assert folded([*first, *second]).quantity == 2 * ENTRY.quantity


def test_books_begin_with_the_fills_of_a_runner_that_kept_none(tmp_path, practice):
    async def go():
        key = practice_credentials()
        async with a_bench(tmp_path, practice, key) as (bench, desk, _):
            await desk.submit(ENTRY)
            assert (await reconcile(bench, desk)).ok
            old = bench.memory.plain() | {"booked": {}}
            bench.outbox._store.remember("memory", old)
            told_before = len(told(bench, EventKind.FILL))
        async with a_bench(tmp_path, practice, key) as (bench, desk, _):
            assert (await reconcile(bench, desk)).ok
            return told_before, agreed(bench, desk), len(told(bench, EventKind.FILL))

    before, held, after = asyncio.run(go())
    assert held == ENTRY.quantity
    assert before == after
