"""After the start all is compared again: when something was missed, and from time to time."""

import asyncio
from decimal import Decimal

import pytest

from runner.exchange.base import OrderKind, OrderRequest
from runner.protocol import EventKind, Mode, Side, payload
from runner.reconcile import reconcile
from runner.rounds import Rounds
from tests.runner.hand_desk import story
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import ENTRY, at_bench


async def the_venue_comes_back(rounds, desk):
    desk.blind = True  # as after a look that broke off
    await rounds.look(connected=True)
    desk.blind = False
    await rounds.look(connected=True)


async def the_platform_comes_back(rounds, _desk):
    await rounds.look(connected=False)
    await rounds.look(connected=True)


async def minutes_pass(rounds, _desk):
    at = rounds._bench.clock.monotonic()
    rounds._bench.clock.monotonic = lambda: at + 301
    await rounds.look(connected=True)


async def nothing_happens(rounds, _desk):
    await rounds.look(connected=True)


def seen_after(happening, tmp_path, practice):
    """Whether a stranger's order that came after the start is noticed."""

    async def go():
        key = practice_credentials()
        async with at_bench(tmp_path, practice.url, Mode.TESTNET, key) as (bench, desk):
            rounds = Rounds(bench, desk)
            bench.standing.preflight_passed = True
            assert (await reconcile(bench, desk)).ok
            await rounds.look(connected=True)
            stranger = OrderRequest(
                "by-hand-1", SYMBOL, Side.BUY, OrderKind.LIMIT, Decimal("0.010"), Decimal(20_000)
            )
            await bench.broker.place(stranger)
            await happening(rounds, desk)
            return bench.standing.foreign

    return asyncio.run(go())


@pytest.mark.parametrize("happening", [the_venue_comes_back, the_platform_comes_back, minutes_pass])
def test_what_came_unseen_is_found(happening, tmp_path, practice):
    assert "did not place" in seen_after(happening, tmp_path, practice)


def test_without_a_cause_nothing_is_asked(tmp_path, practice):
    assert seen_after(nothing_happens, tmp_path, practice) is None


def test_books_that_differ_are_put_right_without_waiting(tmp_path, practice):
    async def go():
        key = practice_credentials()
        async with at_bench(tmp_path, practice.url, Mode.TESTNET, key) as (bench, desk):
            rounds = Rounds(bench, desk)
            bench.standing.preflight_passed = True
            await desk.submit(ENTRY)
            await rounds.look(connected=True)
            liquidated = OrderRequest(
                "autoclose-1", SYMBOL, Side.SELL, OrderKind.MARKET, ENTRY.quantity
            )
            await bench.broker.place(liquidated)
            await desk.settle()
            assert desk.books.differs
            await rounds.look(connected=True)
            fills = [payload(e) for e in bench.outbox.pending(99) if e.kind is EventKind.FILL]
            return desk.books.quantity(SYMBOL), sum(
                f.quantity if f.side is Side.BUY else -f.quantity for f in fills
            )

    assert asyncio.run(go()) == (0, 0)


def test_the_loop_makes_the_rounds(tmp_path):
    """A stranger's order that rests and never trades is found while the bot runs."""

    async def act(hand):
        hand.bench.standing.preflight_passed = True
        await hand.tick(60)
        assert hand.bench.standing.foreign is None
        stranger = OrderRequest(
            "by-hand-1", SYMBOL, Side.BUY, OrderKind.LIMIT, Decimal("0.010"), Decimal(20_000)
        )
        await hand.broker.place(stranger)
        await hand.tick(400)
        assert "did not place" in hand.bench.standing.foreign

    story(tmp_path, act)
