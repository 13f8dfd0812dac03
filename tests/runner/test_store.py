"""Outbox, journal and memory on a real file."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.journal import Journal, client_order_id, prefix_of
from runner.ledger import Lot
from runner.lists import Reading
from runner.memory import Booked, Entry, Memory
from runner.outbox import Outbox, holds
from runner.protocol import (
    Configuration,
    EventKind,
    Fill,
    Mode,
    Notice,
    Order,
    OrderStatus,
    Side,
    payload,
)
from runner.store import Store

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "journal.sqlite")
    yield store
    store.close()


def notice(text):
    return Notice("info", "x", text)


def an_order(client_id="pl1", status=OrderStatus.PLANNED):
    return Order(
        client_id,
        "BTC/USDT:USDT",
        Side.BUY,
        "market",
        Decimal("0.017"),
        status,
        "entry",
        NOW,
    )


def a_fill(trade_id="t1", client_id="pl1", at=NOW):
    one = Decimal(1)
    return Fill(trade_id, client_id, "BTC/USDT:USDT", Side.BUY, one, one, one, "USDT", "taker", at)


def seqs(outbox):
    return [e.seq for e in outbox.pending(100)]


def test_events_wait_until_acknowledged_and_keep_their_numbers(store):
    outbox = Outbox(store, 1, 1)
    for text in "abc":
        outbox.append(EventKind.NOTICE, notice(text), NOW)
    assert seqs(outbox) == [1, 2, 3]
    assert [e.seq for e in outbox.pending(2)] == [1, 2]
    outbox.acknowledge(2)
    outbox.acknowledge(1)
    assert seqs(outbox) == [3]
    again = Outbox(store, 1, 3)
    again.append(EventKind.NOTICE, notice("d"), NOW)
    assert [payload(e).text for e in again.pending(9)] == ["c", "d"]
    assert seqs(again) == [3, 4]


def test_numbers_go_on_when_nothing_is_left_to_tell(store):
    outbox = Outbox(store, 1, 1)
    outbox.append(EventKind.NOTICE, notice("a"), NOW)
    outbox.acknowledge(1)
    again = Outbox(store, 1, 2)
    again.append(EventKind.NOTICE, notice("b"), NOW)
    assert seqs(again) == [2]


def test_a_lost_disk_goes_on_where_the_platform_stands(store):
    outbox = Outbox(store, 1, 17)
    outbox.append(EventKind.NOTICE, notice("a"), NOW)
    assert seqs(outbox) == [17]


def test_a_new_generation_tells_what_the_old_could_not(store):
    old = Outbox(store, 1, 40)
    old.append(EventKind.NOTICE, notice("a"), NOW)
    old.append(EventKind.NOTICE, notice("b"), NOW)
    new = Outbox(store, 2, 1)
    new.append(EventKind.NOTICE, notice("c"), NOW)
    assert [(e.seq, payload(e).text) for e in new.pending(9)] == [(1, "a"), (2, "b"), (3, "c")]


def test_a_new_generation_does_not_tell_again_what_the_platform_has(store):
    """The old machine died before it heard that two of its three were stored."""
    assert holds(store) == 0
    old = Outbox(store, 4, 40)
    for text in "abc":
        old.append(EventKind.NOTICE, notice(text), NOW)
    assert holds(store) == 4
    new = Outbox(store, 5, 1, told=41)
    new.append(EventKind.NOTICE, notice("d"), NOW)
    assert [(e.seq, payload(e).text) for e in new.pending(9)] == [(1, "c"), (2, "d")]
    assert holds(store) == 5


def test_only_what_the_platform_took_can_be_forgotten_by_it(store):
    old = Outbox(store, 4, 40)
    for text in "abc":
        old.append(EventKind.NOTICE, notice(text), NOW)
    old.acknowledge(41)
    assert not Outbox(store, 4, 42).set_back(41)
    assert Outbox(store, 4, 41).set_back(40)
    assert not Outbox(store, 4, 42).set_back(41)
    assert Outbox(store, 5, 1, told=40).set_back(0)


def test_an_intent_is_planned_once(store):
    outbox = Outbox(store, 1, 1)
    journal = Journal(store, outbox)
    assert journal.plan(an_order(), NOW)
    assert not journal.plan(an_order(), NOW)
    assert [e.kind for e in outbox.pending(9)] == [EventKind.ORDER]
    assert [o.client_id for o in journal.live_orders()] == ["pl1"]


def test_an_order_that_another_machine_only_planned_may_have_been_sent(store):
    journal = Journal(store, Outbox(store, 1, 1))
    journal.take_over((an_order(), an_order("pl2", OrderStatus.OPEN)))
    known = {order.client_id: order.status for order in journal.live_orders()}
    assert known == {"pl1": OrderStatus.SENT, "pl2": OrderStatus.OPEN}


def test_an_order_tells_only_what_changed(store):
    outbox = Outbox(store, 1, 1)
    journal = Journal(store, outbox)
    journal.plan(an_order(), NOW)
    order = journal.update(an_order(), NOW, fill_venue_id="9", status=OrderStatus.FILLED)
    journal.update(order, NOW, fill_venue_id="9", status=OrderStatus.FILLED)
    assert len(seqs(outbox)) == 2
    assert journal.live_orders() == []
    assert journal.order_of_venue_id("9") == order
    assert journal.order_of_venue_id("") is None


def test_a_fill_is_counted_once_whoever_repeats_it(store):
    outbox = Outbox(store, 1, 1)
    journal = Journal(store, outbox)
    assert journal.add_fill(a_fill())
    assert not journal.add_fill(a_fill())
    assert len(seqs(outbox)) == 1
    assert journal.knows_fill("t1")
    assert journal.fills_of("pl1") == [a_fill()]


def test_a_failed_transaction_leaves_neither_order_nor_event(store):
    outbox = Outbox(store, 1, 1)
    journal = Journal(store, outbox)

    def half_done():
        with store.transaction():
            journal.plan(an_order(), NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    assert journal.order("pl1") is None
    assert seqs(outbox) == []


def test_every_commit_reaches_the_disk(store):
    assert store.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store.connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_client_order_ids_are_names_of_decisions():
    first = client_order_id("bot_a", "run_1", "BTC@t", "entry", 1)
    assert first == client_order_id("bot_a", "run_1", "BTC@t", "entry", 1)
    others = {
        client_order_id("bot_a", "run_2", "BTC@t", "entry", 1),
        client_order_id("bot_a", "run_1", "BTC@u", "entry", 1),
        client_order_id("bot_a", "run_1", "BTC@t", "exit1", 1),
        client_order_id("bot_a", "run_1", "BTC@t", "entry", 2),
    }
    assert len({first, *others}) == 5
    assert all(i.startswith(prefix_of("bot_a")) for i in {first, *others})
    # OKX, the narrowest venue, takes 32 letters and digits.
    assert all(i.isascii() and i.isalnum() and len(i) == 32 for i in {first, *others})
    assert not first.startswith(prefix_of("bot_b"))


def configuration(mode=Mode.PAPER):
    return Configuration(
        "bot_a", "A", "run_1", mode, "practice", "linear", ("BTC/USDT:USDT",), "s", 1, {}
    )


def test_the_newer_memory_wins(store, tmp_path):
    memory = Memory(store, configuration(), 1, {}, NOW)
    memory.entries["BTC/USDT:USDT"] = Entry("pl1", 1, Decimal(100), NOW)
    memory.keep_paper({"balance": "1"})
    told = memory.plain()
    memory.keep_paper({"balance": "2"})
    assert Memory(store, configuration(), 1, told, NOW).paper == {"balance": "2"}
    fresh = Store(tmp_path / "other.sqlite")
    restored = Memory(fresh, configuration(), 2, told, NOW + timedelta(hours=1))
    assert restored.paper == {"balance": "1"}
    assert restored.entries == memory.entries
    restored.keep_paper({"balance": "3"})
    # The old disk comes back after another machine went on: the platform's word is newer.
    assert Memory(store, configuration(), 3, restored.plain(), NOW).paper == {"balance": "3"}
    fresh.close()


def test_another_modes_memory_is_not_taken_over(store):
    Memory(store, configuration(), 1, {}, NOW).keep_paper({"balance": "1"})
    assert Memory(store, configuration(Mode.TESTNET), 1, {}, NOW).paper == {}


def test_a_paper_account_belongs_to_one_run(store):
    Memory(store, configuration(), 1, {}, NOW).keep_paper({"balance": "1"})
    assert Memory(store, configuration(), 2, {}, NOW).paper == {"balance": "1"}
    other = replace(configuration(), run="run_2")
    assert Memory(store, other, 2, {}, NOW).paper == {}


def test_what_is_known_of_a_venue_belongs_to_one_account(store):
    first = replace(configuration(Mode.TESTNET), account="acc_a")
    memory = Memory(store, first, 1, {}, NOW)
    memory.entries["BTC/USDT:USDT"] = Entry("pl1", 1, Decimal(100), NOW)
    memory.save()
    later = NOW + timedelta(hours=1)
    assert Memory(store, replace(first, run="run_2"), 2, {}, later).entries == memory.entries
    other = Memory(store, replace(first, account="acc_b"), 3, memory.plain(), later)
    assert other.entries == {}
    assert other.fills_since == later


def test_the_day_begins_at_midnight_utc_with_the_first_weighing(store):
    memory = Memory(store, configuration(), 1, {}, NOW)
    ten, seven = Decimal(10), Decimal(7)
    memory.weigh(NOW, ten, ten)
    memory.capital.book(Decimal(-3))  # lost by trading
    evening, morning = NOW + timedelta(hours=14), NOW + timedelta(hours=15)
    memory.weigh(evening, seven, seven)
    assert memory.day_result(seven) == -3
    memory.weigh(morning, seven, seven)
    assert (memory.day_result(seven), memory.drawdown(seven)) == (0, 3)
    again = Memory(store, configuration(), 1, {}, NOW)
    assert (again.day_result(seven), again.drawdown(seven)) == (0, 3)


def test_trades_are_read_again_with_an_overlap_but_not_from_before_the_beginning():
    trades = Reading(NOW)
    assert trades.since == NOW
    trades.note("t1", NOW + timedelta(seconds=9))
    trades.finish(NOW + timedelta(seconds=10))
    assert (trades.since, list(trades.ids)) == (NOW, ["t1"])
    trades.note("t2", NOW + timedelta(hours=1))
    trades.finish(NOW + timedelta(hours=1))
    assert trades.since == NOW + timedelta(minutes=59)
    assert list(trades.ids) == ["t2"]  # who reads again from there knows what was read


def test_a_quiet_week_is_not_read_again_and_a_clock_that_was_wrong_hides_nothing():
    trades = Reading(NOW)
    trades.finish(NOW + timedelta(days=7))
    assert trades.since == NOW + timedelta(days=7) - timedelta(hours=1)


def a_booked(memory, *fills):
    memory.booked["BTC/USDT:USDT"] = Booked(Reading(NOW))
    for fill in fills:
        memory.book(fill)
    return memory


def test_the_books_travel_with_the_memory(store, tmp_path):
    memory = a_booked(Memory(store, configuration(), 1, {}, NOW), a_fill("t1"), a_fill("t2"))
    told = memory.plain()
    again = Memory(store, configuration(), 1, {}, NOW)
    assert again.booked == memory.booked
    fresh = Store(tmp_path / "other.sqlite")
    elsewhere = Memory(fresh, configuration(), 2, told, NOW)
    assert elsewhere.booked["BTC/USDT:USDT"].lot == Lot(Decimal(2), Decimal(2))
    assert set(elsewhere.booked["BTC/USDT:USDT"].trades.ids) == {"t1", "t2"}
    assert elsewhere.inherited_until("BTC/USDT:USDT") == NOW
    assert memory.inherited_until("BTC/USDT:USDT") is None
    fresh.close()


def test_what_was_not_flushed_is_with_the_next_that_is(store):
    with store.transaction(flush=False):
        assert store.connection.execute("PRAGMA synchronous").fetchone() == (1,)  # NORMAL
        store.remember("a", 1)
    assert store.connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert store.note("a") == 1
