"""What must not end a runner: a full disk, our own faults, a wrong clock, silent data."""

import sqlite3
from datetime import timedelta
from decimal import Decimal

import pytest

from runner.custodian import LEAST_PATIENCE, STILL_FOR
from runner.health import CLEAN_FOR, CLOCK_EVERY
from runner.protocol import OVER, Candle, EventKind, OrderStatus, ProtectionState
from tests.runner.hand_desk import PRICE, story


def fill_up(hand):
    """From now on the database can take no further page."""
    hand.store.connection.execute("VACUUM")
    pages = hand.store.connection.execute("PRAGMA page_count").fetchone()[0]
    hand.store.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        hand.store.remember("filler", "x" * 100_000)


def make_room(hand):
    hand.store.connection.execute("PRAGMA max_page_count = 1000000")
    hand.store.connection.execute("PRAGMA query_only = OFF")


def refuse_all(hand):
    """Not even what would fit into a half-empty page is taken."""
    hand.store.connection.execute("PRAGMA query_only = ON")


def blocked(hand):
    standing = hand.bench.standing
    return standing.blocked(hand.clock.now(), hand.clock.monotonic())


async def look(hand, seconds=1):
    for _ in range(seconds):
        await hand.tick()
        await hand.loop._try(hand.loop._health.look())


def healthy(standing):
    """Nothing else stands against an entry."""
    standing.preflight_passed = True
    standing.lease_deadline = float("inf")
    standing.windows = ()
    return standing


def test_a_full_disk_blocks_entries_and_is_told_from_memory(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        written = hand.bench.outbox.count()
        refuse_all(hand)
        sent = len(hand.broker.placed)
        hand.bench.standing.flattening = True
        await look(hand, 3)
        assert len(hand.broker.placed) == sent, "an exit was sent that no journal knows"
        assert hand.bench.standing.troubles["disk"] == "the machine's disk cannot be written"
        (alarm,) = hand.notices("trouble_disk")
        assert alarm.level == "alarm"
        assert "no exit is sent" in alarm.text
        assert hand.broker.is_covered()
        numbers = [e.seq for e in hand.bench.outbox.pending(10**6)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > written
        make_room(hand)
        await look(hand, 3)
        assert not hand.bench.standing.troubles
        assert not hand.broker.held, "the exit goes on as soon as it can be recorded"

    story(tmp_path, act)


def test_the_stop_is_watched_while_the_disk_is_full(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        refuse_all(hand)
        hand.broker.vanish()
        await look(hand, 12)
        assert hand.last.state is ProtectionState.MISSING
        make_room(hand)
        await look(hand, 12)
        assert hand.last.state is ProtectionState.VERIFIED
        (stop,) = hand.broker.stops()
        assert hand.desk.order(stop.client_id).status is OrderStatus.OPEN

    story(tmp_path, act)


def test_what_was_told_from_memory_is_not_told_under_a_number_twice(tmp_path):
    async def act(hand):
        fill_up(hand)
        hand.bench.notice("info", "one", "from memory " * 400)
        (unwritten,) = hand.bench.outbox._unwritten
        make_room(hand)
        hand.bench.notice("info", "two", "from the disk")
        told = hand.bench.outbox.pending(10**6)
        assert told[-2] == unwritten
        hand.bench.outbox.acknowledge(unwritten.seq)
        assert [e.seq for e in hand.bench.outbox.pending(9)] == [unwritten.seq + 1]
        assert hand.bench.outbox.count() == 1

    story(tmp_path, act)


def test_a_transaction_that_found_the_disk_full_leaves_none_open(tmp_path):
    async def act(hand):
        fill_up(hand)
        with pytest.raises(sqlite3.OperationalError), hand.store.transaction():
            hand.store.remember("filler", "x" * 100_000)
        assert not hand.store.connection.in_transaction
        assert not hand.store.can_be_written()
        make_room(hand)
        assert hand.store.can_be_written()

    story(tmp_path, act)


def test_a_fault_of_our_own_ends_nothing_and_passes(tmp_path):
    async def act(hand):
        healthy(hand.bench.standing)
        await hand.enter()
        hand.custodian.watch = lambda: broken(hand)
        await look(hand, 2)
        assert "an unexpected ZeroDivisionError in" in blocked(hand)
        (alarm,) = hand.notices("trouble_fault")
        assert "secret" not in alarm.text
        assert hand.broker.is_covered(), "the stop is a step of its own"
        del hand.custodian.watch
        await look(hand, int(CLEAN_FOR) + 1)
        assert "unexpected" not in blocked(hand)

    async def broken(_):
        raise ZeroDivisionError("with a secret in its message")

    story(tmp_path, act)


def test_a_clock_that_went_wrong_blocks_entries_until_it_is_right(tmp_path):
    async def act(hand):
        healthy(hand.bench.standing)
        right = hand.market.time
        hand.market.time = lambda: ahead(hand)
        await look(hand)
        assert "-1500 ms off the venue's" in blocked(hand)
        assert hand.notices("trouble_clock")
        hand.market.time = right
        await look(hand, int(CLOCK_EVERY))
        assert "clock" not in hand.bench.standing.troubles

    async def ahead(hand):
        return hand.clock.now() - timedelta(milliseconds=1500)

    story(tmp_path, act)


def test_an_answer_that_took_long_says_nothing_about_the_clock(tmp_path):
    async def act(hand):
        healthy(hand.bench.standing)
        hand.market.time = lambda: slow(hand)
        await look(hand)
        assert not hand.bench.standing.troubles

    async def slow(hand):
        seen = hand.clock.now()
        hand.clock.advance(5)
        return seen

    story(tmp_path, act)


def candle(hand):
    return Candle(hand.clock.now(), *(Decimal(1),) * 4, Decimal(1))


def test_candles_that_stay_away_block_entries(tmp_path):
    async def act(hand):
        healthy(hand.bench.standing)
        hand.engine.warm([candle(hand)])
        await look(hand, int(LEAST_PATIENCE.total_seconds()))
        assert not hand.bench.standing.troubles
        await look(hand, 5)
        assert "no candle since" in blocked(hand)
        assert hand.notices("trouble_data")
        hand.engine.warm([candle(hand)])
        await look(hand)
        assert not hand.bench.standing.troubles

    story(tmp_path, act)


def test_the_alarm_rings_on_while_another_symbol_is_silent(tmp_path):
    async def act(hand):
        troubles = hand.bench.standing.troubles
        troubles |= {"data of A": "silent", "data of B": "silent"}
        hand.loop._health._over("data of A")
        assert not hand.notices("trouble_data")
        hand.loop._health._over("data of B")
        assert [notice.level for notice in hand.notices("trouble_data")] == [OVER]

    story(tmp_path, act)


def test_a_book_in_which_nothing_moves_is_said(tmp_path):
    async def act(hand):
        await hand.enter()
        await look(hand, int(STILL_FOR.total_seconds()) + 2)
        assert "nothing in the venue's book moves" in blocked_by_trouble(hand)
        hand.market.set([(PRICE + 1, 1)], [(PRICE + 2, 1)])
        await look(hand)
        assert not hand.bench.standing.troubles

    def blocked_by_trouble(hand):
        return next(iter(hand.bench.standing.troubles.values()), "")

    story(tmp_path, act)


def test_a_sync_carries_what_could_not_be_written(tmp_path):
    async def act(hand):
        fill_up(hand)
        sync = hand.loop._reporter.sync()
        hand.bench.notice("alarm", "x", "y" * 5000)
        assert len(hand.loop._reporter.sync().batch) == len(sync.batch) + 1
        hand.bench.outbox.acknowledge(10**6)
        assert not hand.bench.outbox.count()
        assert hand.told(EventKind.NOTICE) == []

    story(tmp_path, act)
