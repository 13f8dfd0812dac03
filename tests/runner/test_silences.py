"""The venue keeps one thing back: what is held keeps its stop, its record and its way out."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from runner.errors import Operational, Temporary
from runner.preflight import preflight
from runner.protection import FLAT
from runner.protocol import OrderStatus, PositionState, ProtectionState, Window
from tests.runner.hand_desk import SYMBOL, OrderKind, story

SIZE = Decimal("0.012")


async def nothing(*_):
    return []


async def silence(*_):
    raise Temporary("the venue does not say")


@contextmanager
def answering(owner, question, answer):
    """For a while ``answer`` is given instead of what is true."""
    setattr(owner, question, answer)
    try:
        yield
    finally:
        delattr(owner, question)  # the class's own is there again


def allow_entries(h):
    now, standing = h.clock.now(), h.bench.standing
    standing.windows = (Window(now, now + timedelta(days=1)),)
    standing.lease_deadline = h.clock.monotonic() + 86_400
    standing.preflight_passed = True


def blocked(h):
    (trader,) = h.loop._traders
    return trader._blocked()


def state(h):
    return h.loop._reporter.sync().position_state


@pytest.mark.parametrize("seconds", [4, 13])  # sooner and later than most venues take
def test_a_fill_is_never_called_flat_and_has_its_stop_once_it_is_listed(seconds, tmp_path):
    async def act(h):
        await h.tick()
        with answering(h.broker, "positions", nothing):
            await h.enter()
            told = len(h.told())
            for _ in range(seconds):
                await h.tick()
                assert not h.desk.holds_nothing()
                assert state(h) is not PositionState.FLAT
                assert h.custodian.entry is not None
            assert all(protection.why != FLAT for protection in h.told()[told:])
        await h.tick(2)
        assert h.broker.is_covered()
        assert h.last.state is ProtectionState.VERIFIED

    story(tmp_path, act)


def test_a_fill_that_is_not_listed_for_long_rings(tmp_path):
    async def act(h):
        await h.tick()
        assert h.last.why == FLAT
        with answering(h.broker, "positions", nothing):
            await h.enter()
            await h.tick(13)
        assert h.last.state is ProtectionState.MISSING

    story(tmp_path, act)


def test_while_trades_cannot_be_read_an_empty_list_is_not_called_flat(tmp_path):
    """The list lags, and the trade that would say so is kept back."""

    async def act(h):
        await h.tick(2)
        assert state(h) is PositionState.FLAT
        with answering(h.broker, "positions", nothing), answering(h.broker, "executions", silence):
            await h.enter()
            told = len(h.told())
            for _ in range(30):
                await h.tick()
                assert not h.desk.holds_nothing()
                assert state(h) is PositionState.UNKNOWN
                assert h.custodian.entry is not None
            assert all(protection.why != FLAT for protection in h.told()[told:])
            assert "not known" in h.loop._ending._left()
        await h.tick(3)
        assert state(h) is PositionState.OPEN
        assert h.last.state is ProtectionState.VERIFIED

    story(tmp_path, act)


def test_an_empty_list_once_costs_neither_stop_nor_entry(tmp_path):
    async def act(h):
        await h.enter()
        await h.tick(15)  # so long ago that the venue cannot be late with it
        (stop,) = h.broker.stops()
        entry = h.custodian.entry
        with answering(h.broker, "positions", nothing):
            await h.tick(4)
            assert state(h) is not PositionState.FLAT
        await h.tick(2)
        assert h.broker.stops() == [stop]
        assert h.custodian.entry is entry

    story(tmp_path, act)


def test_what_is_held_is_protected_and_left_though_no_trade_can_be_read(tmp_path):
    async def act(h):
        with answering(h.broker, "executions", silence):
            await h.enter()
            await h.tick(2)
            assert h.broker.is_covered()
            h.bench.standing.flattening = True
            await h.tick(2)
            assert not h.broker.held
        await h.tick(30)  # nothing is held, so there is no hurry
        assert len(h.bench.journal.fills_on(SYMBOL)) == len(h.broker.trades) == 2
        assert state(h) is PositionState.FLAT

    story(tmp_path, act)


def test_nothing_is_entered_while_no_trade_can_be_read(tmp_path):
    async def act(h):
        allow_entries(h)
        assert blocked(h) is None
        with answering(h.broker, "executions", silence):
            await h.tick(60)
            assert blocked(h)
        await h.tick(60)
        assert blocked(h) is None

    story(tmp_path, act)


def test_what_is_held_is_found_though_an_instrument_is_not_listed(tmp_path):
    def delisted(symbol):
        raise Operational(f"{symbol} is not listed")

    async def no_address():
        return None

    async def act(h):
        h.market.address = no_address
        await h.enter()
        h.desk.positions = None  # as after a restart
        with answering(h.market, "instrument", delisted):
            result = await preflight(h.bench, h.desk, "", None)
        assert not result.passed
        assert h.desk.quantity(SYMBOL) == SIZE

    story(tmp_path, act)


def test_nothing_is_entered_upon_a_position_without_a_record(tmp_path):
    async def act(h):
        allow_entries(h)
        await h.enter()
        await h.tick(2)
        with answering(h.broker, "open_orders", silence):
            h.broker.vanish()  # a resting stop would block by itself
            await h.desk.settle()
            del h.bench.memory.entries[SYMBOL]
            assert blocked(h)
        await h.tick(2)
        assert h.custodian.entry is not None  # and it is found again

    story(tmp_path, act)


def test_the_way_out_needs_no_book(tmp_path):
    async def act(h):
        await h.enter()
        await h.tick(2)
        with answering(h.market, "book", silence):
            h.bench.standing.flattening = True
            await h.tick(2)
        assert not h.broker.held
        assert not h.broker.stops()

    story(tmp_path, act)


def test_a_stop_that_fires_between_two_questions_is_nobody_elses(tmp_path):
    """Its trade carries another number than the order, and that number was not told yet."""

    async def act(h):
        await h.enter()
        await h.tick(2)
        (stop,) = h.broker.stops()
        number = "of the order that it became"
        find, executions = h.broker.find, h.broker.executions

        async def found(request):
            report = await find(request)
            if report is None or report.kind is not OrderKind.STOP_MARKET:
                return report
            fired = report.status is OrderStatus.FILLED
            return replace(report, fill_venue_id=number if fired else "")

        async def fires_first(symbol, since):
            if h.broker.stops():
                h.broker.move(stop.price - 1000)
                h.broker.trades[-1] = replace(h.broker.trades[-1], venue_id=number)
            return await executions(symbol, since)

        async def by_number(_, venue_id):
            fired = h.broker.orders[stop.client_id]
            return replace(fired, client_id="the venue's own", venue_id=venue_id)

        h.store.connection.execute("UPDATE orders SET fill_venue_id = NULL")
        h.broker.find, h.broker.executions = found, fires_first
        h.broker.find_by_venue_id = by_number
        await h.tick(20)
        assert [fill.client_id for fill in h.bench.journal.fills_on(SYMBOL)][1:] == [stop.client_id]
        assert not h.desk.foreign_trades
        assert h.bench.standing.foreign is None

    story(tmp_path, act)
