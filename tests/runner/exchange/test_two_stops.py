"""Two stops at once at each venue: the new one before the old one, and never none unsaid."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from runner.custodian import Custodian
from runner.desk import Desk
from runner.engine import Engine
from runner.memory import Entry
from runner.protection import TRUSTED_FOR
from runner.protocol import EventKind, OrderStatus, ProtectionState, payload
from runner.reconcile import reconcile
from tests.fakes.venues.account import Account, Refused
from tests.runner.exchange.test_fake_venues import VENUES, at, fake_of, intent
from tests.runner.hand_desk import rules
from tests.runner.machine import SYMBOL

SIZE = Decimal("0.02")


class Watched(Account):
    """Notes after each order whether a stop covers what is held, as this venue counts that."""

    def watch(self):
        self.covered = []
        return self

    def is_covered(self):
        stops = [o.quantity for o in self.open() if o.kind == "stop" and o.side == "sell"]
        if self.trims:
            return any(size >= self.position for size in stops)
        return self.position in stops

    def place(self, *order):
        made = super().place(*order)
        self.covered.append(self.is_covered())
        return made

    def cancel(self, client_id):
        gone = super().cancel(client_id)
        self.covered.append(self.is_covered())
        return gone


def protected(exchange, tmp_path, act):
    """A position with its stop at the venue, then ``act``."""

    async def go():
        fake = fake_of(exchange)
        fake.account.__class__ = Watched
        fake.account.watch()
        async with at(exchange, tmp_path, fake, rules=rules(stop=5)) as (bench, desk):
            custodian = Custodian(SYMBOL, bench, desk, Engine(bench.configuration.rules))
            await reconcile(bench, desk)
            order = await desk.submit(intent("entry"))
            await desk.settle()
            custodian.keep(Entry(order.client_id, 1, Decimal(60000), bench.clock.now()))
            await custodian.protect()
            assert fake.account.is_covered()
            fake.account.covered.clear()
            await act(fake.account, bench, desk, custodian)

    asyncio.run(go())


def by_hand(account, side, share):
    """A part of the position comes or goes without the bot."""
    size = SIZE * share / account.multiplier
    Account.place(account, f"by hand {side}", side, "market", size, None, side == "sell")


async def look(desk: Desk, custodian):
    """Two ticks long after the last: the venue's lists are read, and nothing is waited for."""
    for _ in range(2):
        custodian._bench.clock.now = later(custodian._bench.clock.now, TRUSTED_FOR * 4)
        await desk.settle()
        custodian.compare()
        await custodian.protect()


def later(now, by):
    return lambda: now() + by


def stops(account):
    return [o for o in account.open() if o.kind == "stop"]


def told(bench, kind):
    return [payload(event) for event in bench.outbox.pending(999) if event.kind is kind]


@pytest.mark.parametrize("exchange", VENUES)
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_the_new_stop_rests_before_the_old_one_goes(exchange, side, tmp_path):
    async def act(account, bench, desk, custodian):
        (old,) = stops(account)
        by_hand(account, side, Decimal("0.5"))
        await look(desk, custodian)
        (new,) = stops(account)
        assert new is not old
        assert new.quantity == account.position
        assert account.covered == [True, True], "placed, then the other one cancelled"
        assert custodian.protector.now_told.state is ProtectionState.VERIFIED

    protected(exchange, tmp_path, act)


@pytest.mark.parametrize("exchange", VENUES)
def test_two_that_fire_leave_the_position_flat_and_not_turned(exchange, tmp_path):
    async def act(account, bench, desk, custodian):
        account.cancel = refuse  # from now on none of them goes
        custodian.entry.entry_price = Decimal(60500)
        desk.positions[SYMBOL] = replace(desk.positions[SYMBOL], entry_price=Decimal(60500))
        account.entry = Decimal(60500)
        await look(desk, custodian)
        assert len(stops(account)) == 2
        del account.cancel
        account.move("50000")
        assert account.position == 0
        await look(desk, custodian)
        assert not stops(account)
        assert custodian.entry is None
        ended = {o.status for o in bench.journal.orders_on(SYMBOL, 9) if o.purpose == "protect"}
        assert OrderStatus.FILLED in ended
        assert not desk.live()

    def refuse(_):
        raise Refused("gone")

    protected(exchange, tmp_path, act)


@pytest.mark.parametrize("exchange", VENUES)
def test_where_no_second_one_is_taken_the_old_goes_first_and_it_is_said(exchange, tmp_path):
    async def act(account, bench, desk, custodian):
        account.most_stops = 1
        by_hand(account, "buy", Decimal("0.5"))
        await look(desk, custodian)
        (stop,) = stops(account)
        assert stop.quantity == account.position
        codes = [notice.code for notice in told(bench, EventKind.NOTICE)]
        assert "stop_replaced_bare" in codes

    protected(exchange, tmp_path, act)


@pytest.mark.parametrize("exchange", VENUES)
def test_where_none_is_taken_at_all_it_rings(exchange, tmp_path):
    async def act(account, bench, desk, custodian):
        account.most_stops = 0
        by_hand(account, "buy", Decimal("0.5"))
        await look(desk, custodian)
        assert custodian.protector.now_told.state is ProtectionState.MISSING
        assert "refused the stop" in custodian.protector.now_told.why
        codes = [notice.code for notice in told(bench, EventKind.NOTICE)]
        assert "stop_missing" in codes
        account.most_stops = 10
        await look(desk, custodian)
        assert account.is_covered()
        assert custodian.protector.now_told.state is ProtectionState.VERIFIED

    protected(exchange, tmp_path, act)


def test_a_stop_for_more_than_is_held_is_none_where_the_venue_refuses_it_whole(tmp_path):
    """At OKX it would fail when it fires; nothing may be called protected by it meanwhile."""

    async def act(account, bench, desk, custodian):
        account.most_stops = 0  # and no other one can be placed
        by_hand(account, "sell", Decimal("0.5"))
        account.cancel = lambda _: (_ for _ in ()).throw(Refused("gone"))
        await look(desk, custodian)
        assert custodian.protector.now_told.state is ProtectionState.MISSING
        account.move("50000")
        assert account.position > 0, "it closed nothing"

    protected("okx", tmp_path, act)


def test_a_stop_for_more_than_is_held_closes_what_is_there_at_bybit(tmp_path):
    async def act(account, bench, desk, custodian):
        account.most_stops = 0
        by_hand(account, "sell", Decimal("0.5"))
        await look(desk, custodian)
        assert custodian.protector.now_told.state is ProtectionState.VERIFIED
        account.move("50000")
        assert account.position == 0

    protected("bybit", tmp_path, act)
