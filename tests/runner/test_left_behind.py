"""A position on a symbol that is no longer configured is never called flat, and can be left."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from runner.commands import Commands
from runner.custodians import Custodians
from runner.errors import Operational
from runner.ledger import Lot
from runner.memory import Booked, Entry, Reading
from runner.protocol import Command, CommandKind, EventKind, Mode, OrderStatus, payload
from runner.reconcile import reconcile
from tests.runner.hand_desk import story
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import ENTRY, at_bench

OTHER = "ETH/USDT:USDT"


@pytest.mark.parametrize(
    ("mode", "lost"),
    # A paper account that is lost with its disk comes back by the checkpoint.
    [(Mode.PAPER, False), (Mode.TESTNET, False), (Mode.TESTNET, True)],
)
def test_a_position_left_behind_is_open_until_it_is_flattened(mode, lost, practice, tmp_path):
    credentials = practice_credentials() if mode is Mode.TESTNET else None

    async def go():
        async with at_bench(tmp_path / "a", practice.url, mode, credentials) as (_, desk):
            await desk.submit(ENTRY)
        disk = tmp_path / ("b" if lost else "a")
        async with at_bench(disk, practice.url, mode, credentials) as (bench, desk):
            bench.configuration = replace(bench.configuration, symbols=(OTHER,))
            await desk.settle()
            assert not desk.holds_nothing()
            assert (await reconcile(bench, desk)).ok
            assert desk.quantity(SYMBOL) == ENTRY.quantity
            assert not desk.holds_nothing()
            told = [payload(e) for e in bench.outbox.pending(99) if e.kind is EventKind.NOTICE]
            assert "position_elsewhere" in [notice.code for notice in told]
            commands = Commands(bench, desk, bench.outbox._store)
            await commands.take((Command("c1", CommandKind.FLATTEN),))
            for custodian in Custodians(bench, desk, []).all():
                await custodian.watch()
            commands.look_after_flatten()
            assert desk.holds_nothing()
            assert not bench.standing.flattening

    asyncio.run(go())


def delist(h, symbol):
    """The venue answers no question about it any more."""

    def refusing(answer, named):
        async def ask(first, *rest):
            if named(first) == symbol:
                raise Operational(f"there is no market {symbol}")
            return await answer(first, *rest)

        return ask

    for question in ("open_orders", "executions", "find_by_venue_id"):
        setattr(h.broker, question, refusing(getattr(h.broker, question), str))
    h.broker.find = refusing(h.broker.find, lambda request: request.symbol)


def remember_position(h):
    lot = Lot(Decimal(1), Decimal(5))
    h.bench.memory.booked[OTHER] = Booked(Reading(h.clock.now()), lot)


def remember_entry(h):
    h.bench.memory.entries[OTHER] = Entry("of another day", 1, Decimal(5), h.clock.now())


def remember_order(h):
    intent = replace(ENTRY, symbol=OTHER)
    order = h.desk._planned(intent)
    h.bench.journal.plan(order, order.decided_at)
    h.desk.mark(order, OrderStatus.OPEN, "rests")


@pytest.mark.parametrize("remember", [remember_position, remember_entry, remember_order])
def test_a_delisted_one_hides_nothing_of_the_others_and_lets_nothing_in(remember, tmp_path):
    async def act(h):
        await h.enter(quantity=ENTRY.quantity)
        remember(h)
        delist(h, OTHER)
        h.desk.positions, h.desk.searched = None, False  # as after a restart
        check = await reconcile(h.bench, h.desk)
        assert OTHER in h.bench.standing.foreign
        assert check.ok is None
        assert h.desk.searched
        assert not h.desk.blind
        assert h.desk.quantity(SYMBOL) == ENTRY.quantity
        await h.tick(2)
        assert h.broker.is_covered()
        assert not h.desk.holds_nothing()

    story(tmp_path, act)


def test_one_that_is_traded_must_be_known_to_the_venue(tmp_path):
    async def act(h):
        await h.enter()
        trades = h.broker.executions
        delist(h, SYMBOL)
        h.broker.executions = trades
        with pytest.raises(Operational):
            await reconcile(h.bench, h.desk)

    story(tmp_path, act)
