"""The venue goes away right after an order: what was read before it is no longer true."""

import asyncio
from contextlib import suppress
from types import SimpleNamespace

from runner.custodians import Custodians
from runner.entries import Standing
from runner.errors import Temporary
from runner.link import Link
from runner.memory import Entry
from runner.protocol import Mode, PositionState, Window, payload
from runner.reconcile import reconcile
from runner.reporter import Reporter
from runner.trader import Trader
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import DECIDED, ENTRY, at_bench

ALWAYS = Window(DECIDED, DECIDED.replace(year=2099))


async def unreachable():
    raise Temporary("read positions: the venue went away")


def reporting(bench, desk, trader):
    link = Link(None, bench.outbox, bench.clock)
    return Reporter("c", bench, desk, link, Custodians(bench, desk, [trader]))


def blind_after(steps, practice, tmp_path):
    """What a trader and a report make of an entry after which positions cannot be read."""

    async def go():
        async with at_bench(tmp_path, practice.url, Mode.TESTNET, practice_credentials()) as made:
            bench, desk = made
            bench.standing = Standing((ALWAYS,), 1e12, 0, preflight_passed=True)
            trader = Trader(SYMBOL, bench, desk)
            reporter = reporting(bench, desk, trader)
            await reconcile(bench, desk)
            read, bench.broker.positions = bench.broker.positions, unreachable
            entry_id = desk.order_id(ENTRY.decision, ENTRY.leg)
            trader.custodian.keep(Entry(entry_id, 1, desk.quantity(SYMBOL), DECIDED))
            with suppress(Temporary):
                await trader.custodian.finish(await desk.submit(ENTRY))
            blind = SimpleNamespace(
                blocked=trader._blocked(),
                state=reporter.sync().position_state,
                entry=trader.custodian.entry,
            )
            bench.broker.positions = read
            await steps(trader, desk)
            return blind, desk, reporter.sync().position_state

    return asyncio.run(go())


def test_nothing_is_entered_and_nothing_called_flat_until_positions_were_read(practice, tmp_path):
    async def look(_, desk):
        await desk.settle()

    blind, desk, state = blind_after(look, practice, tmp_path)
    assert blind.blocked
    assert blind.state is PositionState.UNKNOWN
    assert blind.entry is not None
    assert desk.quantity(SYMBOL) == ENTRY.quantity
    assert state is PositionState.OPEN


def test_a_way_out_begins_with_a_look_at_what_is_held(practice, tmp_path):
    async def leave(trader, _):
        await trader.custodian.leave("flatten", "as the test says")

    _, desk, state = blind_after(leave, practice, tmp_path)
    assert desk.quantity(SYMBOL) == 0
    assert state is PositionState.FLAT


def test_a_new_machine_says_that_it_is_flat(practice, tmp_path):
    async def go():
        async with at_bench(tmp_path, practice.url, Mode.TESTNET, practice_credentials()) as made:
            bench, desk = made
            trader = Trader(SYMBOL, bench, desk)
            reporter = reporting(bench, desk, trader)
            reporter.positions()
            early = bench.outbox.count()
            await desk.settle()
            reporter.positions()
            reporter.positions()
            return early, [payload(event) for event in bench.outbox.pending(9)]

    early, told = asyncio.run(go())
    assert early == 0
    assert [(position.symbol, position.quantity) for position in told] == [(SYMBOL, 0)]
