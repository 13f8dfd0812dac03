"""What holds for the paper venue whatever happens: nothing is made of nothing, and it forgets not.

Stories are drawn: pictures of a book, prints, marks, funding and orders in any order.
"""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.exchange.paper_terms import Margin, Terms
from runner.ledger import FLAT, apply
from runner.protocol import FlowKind, Side
from tests.runner.exchange.hand_venue import Hand
from tests.runner.hand_market import SYMBOL

SIGN = {Side.BUY: 1, Side.SELL: -1}
MONEY = 30
TERMS = Terms(reject_rate=Decimal("0.2"), seed="coin")
ISOLATED = replace(TERMS, margin=Margin.ISOLATED)
middles = st.integers(96, 104).map(Decimal)
sizes = st.decimals("0.06", "6", places=3)
sides = st.sampled_from(["buy", "sell"])
books = st.tuples(st.just("show"), middles, st.lists(sizes, min_size=1, max_size=4))
prints = st.tuples(st.just("print"), middles, sizes, st.none() | sides)
seldom = st.sampled_from([False, False, False, True])
orders = st.tuples(st.just("send"), sides, sizes, st.none() | middles, seldom, seldom)
stops = st.tuples(st.just("stop"), sides, sizes, middles, st.booleans())
others = st.one_of(
    st.tuples(st.just("mark"), middles),
    st.tuples(st.just("fund"), st.decimals("-0.003", "0.003", places=4)),
    st.tuples(st.just("cancel"), st.integers(1, 9)),
    st.tuples(st.just("wait"), st.integers(1, 20_000)),
)
stories = st.lists(
    st.one_of(books, prints, prints, orders, orders, stops, others), min_size=10, max_size=30
)


def act(hand, kind, *what):
    if kind == "show":
        middle, shown = what
        hand.show(
            [(middle - n, size) for n, size in enumerate(shown, 1)],
            [(middle + n, size) for n, size in enumerate(shown, 1)],
        )
    elif kind == "send":
        side, quantity, price, reduces, posts = what
        posts = posts and price is not None
        hand.send(side, quantity, price, reduce_only=reduces, post_only=posts)
    elif kind == "stop":
        side, quantity, price, reduces = what
        hand.send(side, quantity, stop=price, reduce_only=reduces)
    elif kind == "fund":
        hand.fund(what[0], 1)
    elif kind == "cancel":
        hand.venue.cancel(f"id{what[0]}", hand.now)
    elif kind == "wait":
        hand.tick(what[0])
    else:
        getattr(hand, kind)(*what)


@given(stories, st.sampled_from([TERMS, ISOLATED]))
@settings(max_examples=90, deadline=None)
def test_cash_and_position_add_up_to_the_last_unit(story, terms):
    hand, fills, flows = Hand(balance=MONEY, terms=terms), {}, {}
    for step in story:
        act(hand, *step)
        fills |= {e.trade_id: e for e in hand.state.executions}
        flows |= {flow.id: flow for flow in hand.state.flows}
    cash = sum((-SIGN[e.side] * e.price * e.quantity - e.fee for e in fills.values()), Decimal(0))
    held = sum((SIGN[e.side] * e.quantity for e in fills.values()), Decimal(0))
    came = sum((flow.amount for flow in flows.values()), Decimal(0))
    mark = hand.state.marks[SYMBOL]
    assert held == hand.held()
    assert abs(hand.venue.account.equity - (MONEY + cash + came + held * mark)) < Decimal("1e-15")


wide = st.integers(60, 140).map(Decimal)
shaken = st.lists(
    st.one_of(orders, st.tuples(st.just("show"), wide, st.lists(sizes, min_size=1, max_size=4))),
    min_size=6,
    max_size=30,
)


@given(shaken, st.integers(2, 20).map(Decimal))
@settings(max_examples=90, deadline=None)
def test_no_isolated_position_costs_more_than_the_margin_that_was_set_aside(story, leverage):
    """From flat to flat, whatever gaps: what it lost, closing fees included, less the insurance."""
    terms = replace(ISOLATED, leverage=leverage)
    hand, seen, told = Hand(balance=10_000, terms=terms), set(), set()
    lot, aside, result = FLAT, Decimal(0), Decimal(0)
    for step in story:
        act(hand, *step)
        for e in hand.state.executions:
            if e.trade_id in seen:
                continue
            seen.add(e.trade_id)
            change, before = SIGN[e.side] * e.quantity, abs(lot.quantity)
            against = lot.quantity * change < 0
            lot, realised = apply(lot, change, e.price)
            closed = min(e.quantity, before) if against else Decimal(0)
            aside += (e.quantity - closed) * e.price / leverage
            result += realised - e.fee * closed / e.quantity
        new = [flow for flow in hand.state.flows if flow.id not in told]
        told |= {flow.id for flow in new}
        result += sum(flow.amount for flow in new if flow.kind is FlowKind.OTHER)
        assert result >= -aside - Decimal("1e-15")
        if not lot.quantity:
            aside = result = Decimal(0)


@given(stories)
@settings(max_examples=60, deadline=None)
def test_each_fill_lies_between_its_optimistic_and_its_pessimistic_price(story):
    hand = Hand(balance=MONEY, terms=TERMS)
    for step in story:
        act(hand, *step)
        for e in hand.state.executions:
            better, worse = (e.price - e.optimistic, e.pessimistic - e.price)
            assert SIGN[e.side] * better >= 0
            assert SIGN[e.side] * worse >= 0


@given(stories, st.sets(st.integers(0, 29)))
@settings(max_examples=60, deadline=None)
def test_killed_anywhere_it_goes_on_as_if_it_had_not_been(story, deaths):
    one, other = Hand(balance=MONEY, terms=TERMS), Hand(balance=MONEY, terms=TERMS)
    for n, step in enumerate(story):
        act(one, *step)
        act(other, *step)
        if n in deaths:
            other.die_and_return()
        assert other.plain() == one.plain()


@given(stories)
@settings(max_examples=40, deadline=None)
def test_what_is_told_twice_happens_once(story):
    one, other = Hand(balance=MONEY, terms=TERMS), Hand(balance=MONEY, terms=TERMS)
    for step in story:
        act(one, *step)
        act(other, *step)
        other.venue.on_book(SYMBOL, other.picture, other.state.booked[SYMBOL])
        assert other.plain() == one.plain()


@given(st.lists(sizes, min_size=1, max_size=5), sides, st.lists(middles, min_size=2, max_size=5))
@settings(max_examples=60, deadline=None)
def test_more_aggressive_is_never_cheaper_and_never_gets_less(shown, side, limits):
    """The same quantity with limits further and further into the book, at last at the market."""
    outcomes = []
    eager = sorted(limits, reverse=side == "sell")
    for limit in [*eager, None]:
        hand = Hand(balance=100_000)
        levels = [(n, size) for n, size in enumerate(shown)]
        hand.show(
            [(100 - Decimal("0.5") - n, size) for n, size in levels],
            [(100 + Decimal("0.5") + n, size) for n, size in levels],
        )
        outcomes.append(hand.send(side, "12", limit))
    for calm, bold in pairwise(outcomes):
        assert bold.filled >= calm.filled
        if calm.average is not None:
            assert SIGN[Side(side)] * (bold.average - calm.average) >= -Decimal("1e-20")


@given(st.lists(sizes, min_size=1, max_size=5), sides, st.lists(sizes, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_all_orders_together_get_no_more_than_was_shown(shown, side, wanted):
    hand = Hand(balance=1_000_000)
    levels = list(enumerate(shown, 1))
    hand.show([(100 - n, size) for n, size in levels], [(100 + n, size) for n, size in levels])
    for quantity in wanted:
        hand.send(side, quantity)
    assert abs(hand.held()) == min(sum(shown), sum(wanted))
