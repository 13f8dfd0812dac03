"""The paper broker against books written by hand."""

import asyncio
import json
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import Operational, Temporary
from runner.exchange.base import OrderKind, OrderRequest
from runner.exchange.paper import PaperBroker
from runner.exchange.paper_state import PaperState
from runner.protocol import FlowKind, OrderStatus, Side
from tests.runner.hand_market import START, SYMBOL, HandMarket, StillClock

BIDS = [(99.9, 1), (99.5, 2), (99.0, 5)]
ASKS = [(100.1, 1), (100.5, 2), (101.0, 5)]


class Paper:
    def __init__(self, balance=10_000, bids=BIDS, asks=ASKS, state=None):
        self.clock = StillClock()
        self.market = HandMarket(self.clock, bids, asks)
        self.saved = []
        state = state or PaperState(Decimal(balance))
        self.broker = PaperBroker(self.market, self.clock, state, self.saved.append)
        self._count = 0

    def send(self, side, quantity, price=None, *, reduce_only=False, client_id=None):
        self._count += 1
        kind = OrderKind.MARKET if price is None else OrderKind.LIMIT
        self.last = OrderRequest(
            client_id or f"id{self._count}",
            SYMBOL,
            Side(side),
            kind,
            Decimal(str(quantity)),
            None if price is None else Decimal(str(price)),
            reduce_only,
        )
        return asyncio.run(self.broker.place(self.last))

    def look(self):
        self.clock.advance()
        fills = asyncio.run(self.broker.executions(SYMBOL, START))
        return [(str(f.price), str(f.quantity), f.liquidity) for f in fills]

    def state(self):
        return asyncio.run(self.broker.find(self.last)).status

    def account(self):
        return asyncio.run(self.broker.account())

    def position(self):
        return asyncio.run(self.broker.positions())


def test_a_taker_walks_the_depth_and_pays_for_it():
    paper = Paper()
    report = paper.send("buy", "2.5")
    assert report.status is OrderStatus.FILLED
    assert paper.look() == [("100.1", "1", "taker"), ("100.5", "1.5", "taker")]
    paid = Decimal("100.1") + Decimal("100.5") * Decimal("1.5")
    assert report.average == paid / Decimal("2.5")
    assert paper.account().balance == 10_000 - paid * Decimal("0.0004")


def test_a_book_too_thin_fills_what_it_has():
    report = Paper().send("buy", 20)
    assert report.status is OrderStatus.CANCELLED
    assert report.filled == 8


def test_a_gap_is_paid_in_full():
    paper = Paper()
    paper.send("buy", 1)
    paper.market.set([(90.0, 10)], [(90.2, 10)])
    report = paper.send("sell", 1, reduce_only=True)
    assert report.average == 90
    fees = (Decimal("100.1") + 90) * Decimal("0.0004")
    assert paper.account().balance == 10_000 - Decimal("10.1") - fees
    assert paper.position() == []


def test_an_order_meets_the_book_that_comes_after_the_decision():
    """While the book is asked for, as long as a real order would travel, the market goes on."""
    paper = Paper()
    asked = paper.clock.now()
    read = paper.market.book

    async def later(symbol, depth):
        paper.clock.advance(0.4)
        paper.market.set([(104.9, 1)], [(105.1, 1)])
        return await read(symbol, depth)

    paper.market.book = later
    assert paper.send("buy", 1).average == Decimal("105.1")
    [fill] = asyncio.run(paper.broker.executions(SYMBOL, START))
    assert (fill.at - asked).total_seconds() == 0.4


def test_funding_is_asked_for_while_something_is_held_and_told_as_a_flow():
    paper = Paper()
    paper.send("buy", 1)
    paper.look()
    due = paper.market.rate.next_at
    paper.clock.at = due
    paper.look()
    [flow] = asyncio.run(paper.broker.flows(START))
    assert (flow.kind, flow.at, flow.amount) == (FlowKind.FUNDING, due, Decimal("-0.01"))
    assert asyncio.run(paper.broker.flows(due + timedelta(seconds=1))) == []


def test_a_position_is_liquidated_though_nobody_asks_for_the_account():
    paper = Paper(balance=100)
    paper.send("buy", 8)
    paper.look()
    paper.market.set([(87, 9)], [(88, 9)])
    paper.clock.advance(5)
    paper.look()
    assert paper.position() == []


def test_a_venue_that_does_not_tell_mark_and_funding_hides_no_fill():
    paper = Paper()

    async def away(_symbol):
        raise Temporary("the venue is away")

    paper.market.funding = paper.market.mark = away
    paper.send("buy", 1)
    assert paper.look() == [("100.1", "1", "taker")]


def test_a_touch_does_not_fill_a_resting_limit():
    paper = Paper()
    assert paper.send("buy", 1, "99.5").status is OrderStatus.OPEN
    paper.clock.advance()
    paper.market.print("99.5")
    paper.market.set([(99.4, 1)], [(99.5, 1)])
    assert paper.look() == []
    assert paper.state() is OrderStatus.OPEN


@pytest.mark.parametrize(
    ("side", "price", "through"), [("buy", "99.5", 99.4), ("sell", "100.5", 100.6)]
)
def test_a_print_through_the_limit_fills_it_whole_at_its_price(side, price, through):
    paper = Paper()
    paper.send(side, 1, price)
    paper.clock.advance()
    paper.market.print(through)
    assert paper.look() == [(price, "1", "maker")]
    assert paper.state() is OrderStatus.FILLED
    assert paper.account().balance == 10_000 - Decimal(price) * Decimal("0.0002")


def test_a_book_through_the_limit_fills_it_too():
    paper = Paper()
    paper.send("buy", 1, "99.5")
    paper.market.set([(99.0, 1)], [(99.4, 1)])
    assert paper.look() == [("99.5", "1", "maker")]


def test_prints_from_before_the_order_mean_nothing():
    paper = Paper()
    paper.market.print("90.0")
    paper.clock.advance()
    paper.send("buy", 1, "99.5")
    assert paper.look() == []


def test_an_aggressive_limit_takes_up_to_its_price_and_rests():
    paper = Paper()
    report = paper.send("buy", 2, "100.1")
    assert report.status is OrderStatus.PARTIAL
    assert paper.look() == [("100.1", "1", "taker")]
    paper.market.print("100.0")
    assert paper.look()[1:] == [("100.1", "1", "maker")]


def test_cancel_takes_back_what_rests():
    paper = Paper()
    paper.send("buy", 1, "99.5")
    report = asyncio.run(paper.broker.cancel(paper.last))
    assert report.status is OrderStatus.CANCELLED
    paper.market.print("90.0")
    assert paper.look() == []
    assert asyncio.run(paper.broker.cancel(paper.last)) is None


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (("buy", "0.0005"), "below the venue's minimum 0.001"),
        (("buy", "0.001"), "below the venue's minimum 5"),
        (("buy", "5000"), "margin is insufficient"),
    ],
)
def test_the_venue_rules_hold_on_paper(order, words):
    with pytest.raises(Operational, match=words):
        Paper().send(*order)


def test_reduce_only_never_opens_or_turns():
    paper = Paper()
    with pytest.raises(Operational, match="reduce-only"):
        paper.send("sell", 1, reduce_only=True)
    paper.send("buy", 1)
    with pytest.raises(Operational, match="reduce-only"):
        paper.send("sell", 2, reduce_only=True)
    assert paper.send("sell", 1, reduce_only=True).status is OrderStatus.FILLED


def test_the_same_client_id_is_one_order():
    paper = Paper()
    first = paper.send("buy", 1, client_id="x")
    assert paper.send("buy", 1, client_id="x") == first
    assert len(paper.look()) == 1


def test_the_account_survives_kill_and_sleep():
    paper = Paper()
    paper.send("buy", 1)
    paper.send("buy", 1, "99.5")
    plain = json.loads(json.dumps(paper.saved[-1]))
    again = Paper(state=PaperState.restore(plain))
    assert again.account() == paper.account()
    assert again.position() == paper.position()
    assert [o.client_id for o in asyncio.run(again.broker.open_orders(SYMBOL))] == ["id2"]
    again.clock.advance(5)
    again.market.print("99.0")
    assert again.look()[-1] == ("99.5", "1", "maker")


def test_a_stop_rests_and_fires_on_a_print_that_nobody_saw_live():
    paper = Paper()
    paper.send("buy", 1)
    stop = OrderRequest(
        "s", SYMBOL, Side.SELL, OrderKind.STOP_MARKET, Decimal(1), Decimal(98), reduce_only=True
    )
    assert asyncio.run(paper.broker.place(stop)).status is OrderStatus.OPEN
    paper.clock.advance()
    paper.market.print("97.9")
    assert paper.look()[1:] == [("99.9", "1", "taker")]  # it had come back already
    assert asyncio.run(paper.broker.find(stop)).status is OrderStatus.FILLED
    assert paper.position() == []


steps = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.decimals("0.06", "6", places=3),
        st.none() | st.decimals("98", "102", places=1),
        st.decimals("97", "103", places=1),
    ),
    max_size=12,
)


@given(steps)
@settings(max_examples=15, deadline=None)
def test_the_paper_ledger_adds_up(steps):
    paper, seen = Paper(balance=1_000_000), {}
    for side, quantity, price, middle in steps:
        edge = [(middle - 1, 2), (middle - 2, 3)], [(middle + 1, 2), (middle + 2, 3)]
        paper.market.set(*edge)
        paper.send(side, quantity, price)
        paper.market.print(middle)
        paper.clock.advance()
        seen |= {f.trade_id: f for f in asyncio.run(paper.broker.executions(SYMBOL, START))}
    fills = seen.values()
    signs = {Side.BUY: 1, Side.SELL: -1}
    cash = sum((-signs[f.side] * f.price * f.quantity - f.fee for f in fills), Decimal(0))
    held = sum((signs[f.side] * f.quantity for f in fills), Decimal(0))
    account, mark = paper.account(), asyncio.run(paper.market.book(SYMBOL)).middle
    total = account.balance + account.unrealised
    assert abs(total - (1_000_000 + cash + held * mark)) < Decimal("1e-15")
    assert sum((p.quantity for p in paper.position()), Decimal(0)) == held


def test_the_state_stays_small_enough_for_every_checkpoint():
    paper = Paper(balance=1_000_000)
    for number in range(100):
        paper.market.set([(99, 1 + number)], [(100, 1 + number)])
        paper.send("buy", "0.1")
        paper.send("sell", "0.1", reduce_only=True)
    assert len(json.dumps(paper.saved[-1])) < 15_000, len(json.dumps(paper.saved[-1]))
    assert len(paper.look()) >= 10
