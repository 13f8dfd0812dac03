"""What once left a position without its stop, or nobody told of it."""

import sqlite3
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from runner.errors import Operational, Temporary
from runner.exchange.base import Account, OrderKind
from runner.ledger import apply
from runner.occasion import Occasion
from runner.protection import AGAIN_AFTER, next_leg
from runner.protocol import OVER, Candle, EventKind, ProtectionState, Window
from runner.reporter import PEAK_EVERY
from runner.states import State
from runner.step import Conclusion
from tests.runner.hand_desk import PRICE, SYMBOL, story


def delist(hand):
    """As after a restart, when the venue's list does not show the instrument."""

    def instrument(_):
        raise Operational("the venue does not list it")

    hand.market.instrument = instrument


def test_what_is_not_listed_any_more_keeps_its_stop(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(4)
        delist(hand)
        hand.broker.vanish()
        await hand.tick(10)
        assert hand.broker.is_covered()
        assert hand.last.state is ProtectionState.VERIFIED

    story(tmp_path, act)


def test_what_is_not_listed_any_more_is_closed_at_its_stop(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(4)
        delist(hand)
        hand.broker.vanish()
        hand.broker.refuses = True
        hand.broker.move(PRICE - 6000)
        await hand.tick(2)
        assert not hand.broker.held

    story(tmp_path, act, stop=None, disaster_stop_percent=Decimal(5))


def busy(hand, kind):
    """The venue says that it did nothing with such orders, and that asking again may help."""
    place = hand.broker.place

    async def refuse(request):
        if request.kind is kind:
            raise Temporary("the venue is too busy and did nothing")
        return await place(request)

    hand.broker.place = refuse


def test_a_venue_that_is_busy_costs_no_stop(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(8)
        before = hand.broker.stops()
        hand.broker.lot, _ = apply(hand.broker.lot, Decimal("0.003"), PRICE)
        place = hand.broker.place
        busy(hand, OrderKind.STOP_MARKET)
        await hand.tick(12)
        assert hand.broker.stops() == before
        assert "too busy" in hand.last.why or "covers less" in hand.last.why
        assert not hand.notices("stop_replaced_bare")
        hand.broker.place = place
        await hand.tick(12)
        assert hand.broker.is_covered()

    story(tmp_path, act)


def told_capital(hand):
    """What a new machine would go on with."""
    return hand.told(EventKind.CHECKPOINT)[-1].state["capital"]


def worth(hand, equity):
    async def account():
        return Account(Decimal(equity), Decimal(0))

    hand.broker.account = account


def test_a_new_day_is_told_to_the_next_machine(tmp_path):
    async def act(hand):
        reporter = hand.loop._reporter
        await reporter.weigh()
        assert told_capital(hand)["day"] == hand.clock.now().date().isoformat()
        hand.clock.advance(24 * 3600)
        await hand.bench.guard.look(hand.desk)  # the day may begin with another look
        await reporter.weigh()
        assert told_capital(hand)["day"] == hand.clock.now().date().isoformat()
        count = len(hand.told(EventKind.CHECKPOINT))
        await reporter.weigh()
        assert len(hand.told(EventKind.CHECKPOINT)) == count

    story(tmp_path, act)


def test_a_new_peak_is_told_but_not_with_every_look(tmp_path):
    async def act(hand):
        reporter, capital = hand.loop._reporter, hand.bench.memory.capital
        await reporter.weigh()
        capital.wallet = None  # what comes now is a result, and no transfer
        worth(hand, 11_000)
        await reporter.weigh()
        assert capital.peak == 11_000
        assert told_capital(hand)["peak"] == "10000"
        hand.clock.advance(PEAK_EVERY)
        await reporter.weigh()
        assert told_capital(hand)["peak"] == "11000"

    story(tmp_path, act)


async def pass_preflight(hand):
    async def nothing(*_):
        return None

    hand.market.address = hand.broker.rights = nothing
    hand.loop._reporter.change(State.PREFLIGHT, "")
    await hand.loop._preflight(None)
    assert hand.bench.standing.preflight_passed


def ended(hand):
    return {notice.code for notice in hand.told(EventKind.NOTICE) if notice.level == OVER}


def test_a_start_ends_what_the_process_before_it_rang_for(tmp_path):
    async def act(hand):
        await pass_preflight(hand)
        troubles = {"trouble_disk", "trouble_fault", "trouble_clock", "trouble_data"}
        assert troubles <= ended(hand)

    story(tmp_path, act)


def test_a_start_does_not_end_what_is_wrong_now(tmp_path):
    async def act(hand):
        hand.loop._health.failed(ValueError("x"), "a step")
        hand.loop._health.disk_failed(sqlite3.OperationalError("x"))
        hand.engine.warm([Candle(hand.clock.now(), *[PRICE] * 4, Decimal(1))])
        hand.clock.advance(600)  # and no candle since
        await pass_preflight(hand)
        assert not ended(hand) & {"trouble_disk", "trouble_fault", "trouble_data"}
        assert "trouble_clock" in ended(hand)

    story(tmp_path, act)


def exits(hand):
    return [o for o in hand.bench.journal.orders_on(SYMBOL, 1000) if o.purpose == "flatten"]


def test_a_refused_exit_is_not_asked_for_every_second(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        place = hand.broker.place
        busy(hand, OrderKind.MARKET)
        hand.bench.standing.flattening = True
        await hand.tick(30)
        assert len(exits(hand)) == 30 / AGAIN_AFTER.total_seconds()
        hand.broker.place = place
        await hand.tick(int(AGAIN_AFTER.total_seconds()))
        assert not hand.broker.held

    story(tmp_path, act)


@pytest.mark.parametrize("made", [0, 1, 2, 3, 4, 7, 8, 100])
def test_the_next_attempt_is_found_in_few_looks(made):
    looks = []

    def order(name):
        looks.append(name)
        return None if int(name.removeprefix("exit")) > made else name

    desk = SimpleNamespace(order=order, order_id=lambda _, leg: leg)
    entry = SimpleNamespace(client_id="e")
    assert next_leg(desk, entry, "exit") == f"exit{made + 1}"
    assert len(looks) <= 2 * (made + 1).bit_length()


def allow(standing, now):
    standing.preflight_passed = True
    standing.windows = (Window(now, now.replace(year=2099)),)
    standing.lease_deadline = 1e18


@pytest.mark.parametrize("paused", [False, True])
def test_what_comes_up_while_an_entry_is_sized_stops_it(paused, tmp_path):
    async def act(hand):
        now, standing = hand.clock.now(), hand.bench.standing
        allow(standing, now)
        (trader,) = hand.loop._traders
        candle = Candle(now, *[PRICE] * 4, Decimal(1))
        read = hand.market.book

        async def book(*asked):
            standing.paused = paused
            return await read(*asked)

        hand.market.book = book
        await trader._enter(Occasion(candle), Conclusion("enter_long", "a cross", 1, ()))
        assert bool(hand.broker.placed) is not paused
        (decision,) = hand.told(EventKind.DECISION)
        assert decision.reason.endswith("but paused") is paused

    story(tmp_path, act)


def test_trades_of_others_block_entries_also_while_the_venue_keeps_back(tmp_path):
    async def act(hand):
        await hand.enter()
        (own,) = hand.broker.trades
        hand.broker.trades.append(replace(own, trade_id="other", venue_id="other"))
        await hand.desk.settle()

        async def away(_):
            raise Temporary("not now")

        hand.broker.open_orders = away
        await hand.loop._try(hand.loop._look_at_foreign())
        assert "not made by this bot" in hand.bench.standing.foreign

    story(tmp_path, act)
