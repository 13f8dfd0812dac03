"""A disk that is full for a moment: nothing that was to be written is half known."""

import sqlite3
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from runner import flows
from runner.outbox import Outbox
from runner.protocol import EventKind, Flow, FlowKind, Limits, Notice
from runner.store import Store
from tests.runner.hand_desk import SYMBOL, story
from tests.runner.hand_market import START


@contextmanager
def full(store, *names):
    """Notes of these names, or all of them, cannot be written."""
    remember = store.remember

    def refuse(name, value):
        if not names or name in names:
            raise sqlite3.OperationalError("database or disk is full")
        remember(name, value)

    store.remember = refuse
    try:
        yield
    finally:
        store.remember = remember


def test_a_fill_that_could_not_be_booked_is_read_again(tmp_path):
    async def act(h):
        collect = h.desk.collect

        async def full_while(symbol):
            with full(h.store, "memory"):
                await collect(symbol)

        h.desk.collect = full_while
        await h.enter()
        assert h.broker.held
        assert not h.bench.journal.fills_on(SYMBOL)
        assert not h.desk.books.quantity(SYMBOL)
        h.desk.collect = collect
        await h.tick(2)
        assert len(h.bench.journal.fills_on(SYMBOL)) == len(h.told(EventKind.FILL)) == 1
        assert h.desk.books.quantity(SYMBOL) == Decimal("0.012")
        assert h.desk.fill_count == 1

    story(tmp_path, act)


def test_a_flow_that_could_not_be_booked_is_read_again(tmp_path):
    async def act(h):
        deposit = Flow("f1", FlowKind.DEPOSIT, Decimal(500), "USDT", h.clock.now())

        async def listed(_since):
            return [deposit]

        await flows.weigh(h.bench)
        before = replace(h.bench.memory.capital)
        h.broker.flows = listed
        with full(h.store, "memory"), pytest.raises(sqlite3.OperationalError):
            await flows.collect(h.bench)
        assert h.bench.memory.capital == before
        assert not h.told(EventKind.FLOW)
        await flows.collect(h.bench)
        await flows.collect(h.bench)
        assert h.told(EventKind.FLOW) == [deposit]
        assert h.bench.memory.capital.flows == deposit.amount

    story(tmp_path, act)


def test_a_breach_that_could_not_be_told_is_told_later(tmp_path):
    async def act(h):
        account = await h.broker.account()

        async def poorer():
            return replace(account, unrealised=account.unrealised - 200)

        await h.bench.guard.look(h.desk)
        h.broker.account = poorer
        with full(h.store, "outbox"), pytest.raises(sqlite3.OperationalError):
            await h.bench.guard.look(h.desk)
        assert not h.bench.guard.halts
        assert h.bench.standing.breach is None
        await h.bench.guard.look(h.desk)
        assert [breach.limit for breach in h.told(EventKind.BREACH)] == ["max_daily_loss"]
        assert h.bench.standing.breach

    story(tmp_path, act, limits=Limits(max_daily_loss=Decimal(100)))


def test_an_event_that_died_unwritten_leaves_no_gap(tmp_path):
    def say(outbox, text):
        outbox.append(EventKind.NOTICE, Notice("info", "test", text), START)

    store = Store(tmp_path / "journal.sqlite")
    outbox = Outbox(store, 1, 1)
    say(outbox, "before")
    with full(store):
        say(outbox, "lost with the process")
    say(outbox, "after")
    assert [event.seq for event in outbox.pending(9)] == [1, 2, 3]
    store.close()  # a kill: what was only in memory is gone
    store = Store(tmp_path / "journal.sqlite")
    try:
        outbox = Outbox(store, 1, 1)
        assert [event.seq for event in outbox.pending(9)] == [1, 2]
        say(outbox, "next")
        assert [event.seq for event in outbox.pending(9)] == [1, 2, 3]
    finally:
        store.close()
