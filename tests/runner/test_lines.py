"""Killed at any line between decision and acknowledgement: nothing twice, nothing lost.

Each place (see ``Line``) is a process of its own, killed there, and then three heirs: the same
machine again, another one that was told everything the dead one had written, and another one that
was told only that the dead one had begun.
"""

import asyncio
import json
import os
import signal
import traceback
from collections import Counter

from runner.ledger import folded
from runner.protocol import EventKind, Mode, OrderStatus, payload
from runner.reconcile import reconcile
from tests.runner.lines import Line, live_through
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import ENTRY, SOURCES, at_bench

TOGETHER = 3
SETTLED = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED)
IN_THE_AIR = (OrderStatus.PLANNED, OrderStatus.SENT, OrderStatus.UNKNOWN)


def in_a_child(work):
    """``work`` in a process that shares what was imported; its pid."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    finally:
        if status:
            traceback.print_exc()
        os._exit(status)


def ended(pid):
    return os.waitpid(pid, 0)[1]


class Scene:
    """One account at the practice market, and the directories of the machines that trade on it."""

    def __init__(self, directory, url, markets):
        self.directory, self.url, self.markets = directory, url, markets
        self.key, self.source = practice_credentials(), next(SOURCES)

    def bench(self, name, **more):
        more |= {"markets": self.markets, "source": self.source}
        return at_bench(self.directory / name, self.url, Mode.TESTNET, self.key, **more)

    def live(self, deadly=None):
        """The whole life, or up to the deadly place; counts the lines of each place."""

        async def go():
            line = Line(deadly)
            async with self.bench("first") as (bench, desk):
                await live_through(line, bench, desk)
            return line.seen

        seen = asyncio.run(go())
        (self.directory / "seen.json").write_text(json.dumps(seen))

    def written(self):
        """What the dead machine's disk holds to be told."""

        async def go():
            async with self.bench("first") as (bench, _):
                return bench.outbox.pending(999)

        return asyncio.run(go())

    def inherit(self, name, before, **more):
        """A machine that starts after the kill; all that it and its forerunner told."""

        async def go():
            async with self.bench(name, **more) as (bench, desk):
                bench.journal.take_over(unsettled(before))
                check = await reconcile(bench, desk)
                assert check.ok, check.detail
                known = desk.order(desk.order_id(ENTRY.decision, ENTRY.leg))
                if known is not None:
                    await desk.submit(ENTRY)  # the same decision once more
                    await desk.settle()
                assert desk.unsure() == []
                # Both were renumbered or not: what they tell is keyed by its own ids.
                heard = [*before, *bench.outbox.pending(999)]
                assert_agreed(await at_the_venue(bench), bench, desk, heard, name)

        asyncio.run(go())


def unsettled(told):
    """As the platform hands it to the next machine."""
    newest = {o.client_id: o for o in payloads(told, EventKind.ORDER)}
    return tuple(order for order in newest.values() if order.status not in SETTLED)


def payloads(events, kind):
    return [payload(event) for event in events if event.kind is kind]


async def at_the_venue(bench):
    """Trades, and plain and conditional orders, as the venue itself lists them."""
    exchange = bench.broker._exchange
    query = {"symbol": "BTCUSDT", "limit": 1000}
    orders = await exchange.fapiPrivateGetAllOrders(query)
    stops = await exchange.fapiPrivateGetAllAlgoOrders(query)
    trades = await exchange.fapiPrivateGetUserTrades(query)
    return (
        [order["clientOrderId"] for order in orders],
        [stop["clientAlgoId"] for stop in stops],
        {f"BTCUSDT:{trade['id']}" for trade in trades},
    )


def assert_agreed(venue, bench, desk, heard, name):
    orders, stops, trades = venue
    doubled = [i for names in (orders, stops) for i, n in Counter(names).items() if n > 1]
    assert doubled == []
    fills = {fill.trade_id: fill for fill in payloads(heard, EventKind.FILL)}
    assert set(fills) == trades, "a fill was lost, or made up"
    held = folded(sorted(fills.values(), key=lambda f: (f.at, f.trade_id))).quantity
    assert held == desk.quantity(SYMBOL) == desk.books.quantity(SYMBOL)
    assert (SYMBOL in bench.memory.entries) or not held
    told = {order.client_id: order for order in payloads(heard, EventKind.ORDER)}
    for fill in fills.values():
        assert fill.client_id in told
    if name == "first":
        # With its disk nothing at all is missing, orders without a trade included.
        assert set(told) >= {*orders, *stops}
        for order in told.values():
            assert order.status not in IN_THE_AIR
            assert order == bench.journal.order(order.client_id)
            filled = sum(f.quantity for f in bench.journal.fills_of(order.client_id))
            assert filled == order.filled


def play(scene, deadly):
    """Kill at a place, then let all three heirs come; each finds venue and books in agreement."""
    status = ended(in_a_child(lambda: scene.live(deadly)))
    assert os.WIFSIGNALED(status) or status == 0
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        (scene.directory / "killed").touch()
    told = scene.written()
    begun = next(e for e in told if e.kind is EventKind.CHECKPOINT)
    last = [e for e in told if e.kind is EventKind.CHECKPOINT][-1]
    scene.inherit("second", told, generation=2, told=payload(last).state)
    scene.inherit("third", (begun,), generation=2, told=payload(begun).state)
    scene.inherit("first", ())


def test_a_kill_at_any_line_loses_nothing_and_doubles_nothing(practice, tmp_path):
    async def listed():
        key = practice_credentials()
        async with at_bench(tmp_path / "0", practice.url, Mode.TESTNET, key) as (bench, _):
            return bench.broker._exchange.markets

    markets = asyncio.run(listed())

    def scene(name):
        (tmp_path / name).mkdir()
        return Scene(tmp_path / name, practice.url, markets)

    whole = scene("whole")
    assert ended(in_a_child(whole.live)) == 0
    seen = json.loads((tmp_path / "whole" / "seen.json").read_text())
    places = [place for place in seen if not place.startswith("start")]
    assert sum(seen.values()) > 500  # every line of the way is in one of the places
    waiting = [(place, scene(f"k{number}")) for number, place in enumerate(places)]
    running, failed = [], []
    while waiting or running:
        while waiting and len(running) < TOGETHER:
            place, there = waiting.pop()
            running.append((place, in_a_child(lambda p=place, s=there: play(s, p))))
        place, pid = running.pop(0)
        if ended(pid):
            failed.append(place)
    killed = len(list(tmp_path.glob("k*/killed")))
    assert failed == []
    # One market order may meet more levels of the book than another, so a few ends differ.
    assert killed > len(places) / 2
