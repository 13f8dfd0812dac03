"""A position on a symbol that is no longer configured is never called flat, and can be left."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from runner.commands import Commands
from runner.custodians import Custodians
from runner.errors import Operational
from runner.exchange.base import VenuePosition
from runner.ledger import Lot
from runner.lists import Reading
from runner.memory import Booked, Entry
from runner.protocol import (
    OVER,
    Command,
    CommandKind,
    EventKind,
    Mode,
    OrderStatus,
    PositionState,
    payload,
)
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


def unlist(h, symbol):
    """Nor does it stand in the venue's list of instruments."""
    delist(h, symbol)
    known = h.market.instrument

    def instrument(name):
        if name == symbol:
            raise Operational(f"the venue does not list {name}")
        return known(name)

    h.market.instrument = instrument


def order_to_write_off(symbol, name="c1"):
    arguments = {"symbol": symbol, "reason": "settled by the venue on Tuesday"}
    return Command(name, CommandKind.WRITE_OFF, arguments)


def told_of(h, kind):
    return [payload(e) for e in h.bench.outbox.pending(10**6) if e.kind is kind]


@pytest.mark.parametrize("remember", [remember_position, remember_entry, remember_order])
def test_what_the_venue_lists_no_more_is_never_flat_until_a_person_writes_it_off(
    remember, tmp_path
):
    async def act(h):
        remember(h)
        unlist(h, OTHER)
        h.desk.positions, h.desk.searched = None, False  # as after a restart
        await reconcile(h.bench, h.desk)
        reporter = h.loop._reporter
        sync = reporter.sync()
        assert sync.position_state is PositionState.UNKNOWN
        assert sync.health["unlisted"] == [OTHER]
        (alarm,) = h.notices("unlisted")
        assert alarm.level == "alarm"
        assert f"does not list {OTHER}" in alarm.text
        commands = h.loop._commands
        assert await commands.take((order_to_write_off(OTHER),))
        (done,) = told_of(h, EventKind.COMMAND_DONE)
        assert done.outcome == "done"
        await reconcile(h.bench, h.desk)
        assert h.bench.standing.foreign is None
        assert reporter.sync().position_state is PositionState.FLAT
        assert reporter.sync().health["unlisted"] == []
        assert h.notices("unlisted")[-1].level == OVER
        fills = told_of(h, EventKind.FILL)
        assert [fill.reason for fill in fills] in (
            [],
            ["written off: settled by the venue on Tuesday"],
        )
        assert h.bench.memory.capital.wallet in (None, 10_000), "nothing was won or lost by it"
        last = told_of(h, EventKind.CHECKPOINT)[-1].state
        assert last["written_off"] == [OTHER]
        assert OTHER not in last["entries"]

    story(tmp_path, act)


def test_what_is_listed_cannot_be_written_off(tmp_path):
    async def act(h):
        await h.enter(quantity=ENTRY.quantity)
        remember_position(h)
        delist(h, OTHER)  # it refuses to answer, but lists it
        await reconcile(h.bench, h.desk)
        for number, symbol in enumerate((OTHER, SYMBOL, "X/USDT:USDT")):
            await h.loop._commands.take((order_to_write_off(symbol, f"c{number}"),))
        assert {done.outcome for done in told_of(h, EventKind.COMMAND_DONE)} == {"refused"}
        assert h.desk.books.quantity(OTHER)
        assert h.desk.quantity(SYMBOL)

    story(tmp_path, act)


def test_an_order_to_write_off_waits_until_it_was_looked_what_is_left(tmp_path):
    """A new machine hears it with its first report, and the venue may not have answered yet."""

    async def act(h):
        remember_position(h)
        unlist(h, OTHER)
        h.desk.positions, h.desk.searched = None, False
        commands, order = h.loop._commands, order_to_write_off(OTHER)
        assert not await commands.take((order,))
        assert not told_of(h, EventKind.COMMAND_DONE)
        await reconcile(h.bench, h.desk)
        assert await commands.take((order,))
        (done,) = told_of(h, EventKind.COMMAND_DONE)
        assert done.outcome == "done"

    story(tmp_path, act)


def test_what_was_written_off_stays_so_though_the_venue_shows_it_for_ever(tmp_path):
    async def act(h):
        remember_position(h)
        unlist(h, OTHER)
        read = h.broker.positions

        async def positions():
            return [*await read(), VenuePosition(OTHER, Decimal(1), Decimal(5))]

        h.broker.positions = positions
        await reconcile(h.bench, h.desk)
        assert not h.desk.holds_nothing()
        await h.loop._commands.take((order_to_write_off(OTHER),))
        check = await reconcile(h.bench, h.desk)
        assert check.ok
        assert h.desk.holds_nothing()

    story(tmp_path, act)


def test_an_unknown_position_of_somebody_else_does_not_end_the_reconciliation(tmp_path):
    async def act(h):
        await h.enter(quantity=ENTRY.quantity)
        unlist(h, OTHER)
        read = h.broker.positions

        async def positions():
            return [*await read(), VenuePosition(OTHER, Decimal(1), Decimal(5))]

        h.broker.positions = positions
        check = await reconcile(h.bench, h.desk)
        assert check.ok is None
        assert "the venue tells nothing" in h.bench.standing.foreign
        assert h.desk.quantity(SYMBOL) == ENTRY.quantity

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
