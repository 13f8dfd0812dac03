"""A trade's result is the same in whatever order its fills were delivered."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.domain import ingest
from app.extensions import db
from app.models import TradeNote, TradeRow, TradeTag
from runner.protocol import Fill, Flow, FlowKind, Order, OrderStatus, Side
from tests.domain.test_ingest import NOW, EventKind, Feed

D = Decimal
TOLD = (
    *("side", "entered", "entry_notional", "exited", "exit_notional", "fees"),
    *("exit_reason", "opened_at", "closed_at"),
)


def fill(number, side, quantity, price="100", symbol="BTC/USDT:USDT"):
    at = NOW + timedelta(seconds=number)
    size = D(quantity)
    names = (f"{symbol}:{number}", f"{symbol}:{number}", symbol, side)
    return Fill(*names, D(price), size, size / 100, "USDT", "taker", at, f"of {number}")


def trades_after(feed, fills):
    events = [feed.event(EventKind.FILL, item) for item in fills]
    ingest.take(feed.bot, feed.machine, tuple(events), NOW)
    db.session.commit()
    rows = db.session.scalars(
        select(TradeRow).filter_by(symbol=fills[0].symbol).order_by(TradeRow.number)
    )
    return [tuple(getattr(row, name) for name in TOLD) for row in rows]


@pytest.fixture
def feed(app):
    return Feed()


def test_a_late_exit_ends_the_trade_it_belongs_to(feed):
    """By arrival it would have been one trade of two entries, half of it open."""
    buy, sell, again = (
        fill(1, Side.BUY, "1"),
        fill(2, Side.SELL, "1", "110"),
        fill(3, Side.BUY, "1", "120"),
    )
    closed, opened = trades_after(feed, [buy, again, sell])
    assert closed[-1] == sell.at
    assert closed[1:5] == (1, 100, 1, 110)
    assert opened[1:5] == (1, 120, 0, 0)


def test_a_late_fill_changes_nothing_that_was_over_before_it(feed):
    first = trades_after(feed, [fill(1, Side.BUY, "1"), fill(2, Side.SELL, "1")])
    (number,) = db.session.scalars(select(TradeRow.number)).all()
    later = [fill(9, Side.SELL, "1"), fill(8, Side.BUY, "1")]
    assert trades_after(feed, later)[:1] == first
    assert db.session.scalars(select(TradeRow.number).order_by(TradeRow.number)).first() == number


def test_it_keeps_the_words_of_the_order_that_closed_it(feed):
    entry, leaving, again = fill(1, Side.BUY, "1"), fill(2, Side.SELL, "1"), fill(3, Side.BUY, "1")
    said = Order(
        *(leaving.client_id, leaving.symbol, Side.SELL, "market", D(1), OrderStatus.FILLED),
        *("exit", NOW),
        reason="the signal turned",
    )
    feed.take(feed.event(EventKind.ORDER, said))
    closed, _ = trades_after(feed, [again, entry, leaving])
    assert closed[TOLD.index("exit_reason")] == "the signal turned"


fills = st.lists(
    st.tuples(st.sampled_from(Side), st.sampled_from(["1", "2", "3"]), st.integers(90, 110)),
    min_size=2,
    max_size=9,
)
names = count()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(fills, st.randoms(use_true_random=False))
def test_any_order_of_delivery_comes_to_the_same_trades(feed, history, chance):
    number = next(names)
    in_order = [fill(n, *item, symbol=f"in{number}") for n, item in enumerate(history)]
    mixed = [replace(f, symbol=f"mixed{number}", trade_id=f"m{f.trade_id}") for f in in_order]
    chance.shuffle(mixed)
    assert trades_after(feed, mixed) == trades_after(feed, in_order)


def test_what_people_wrote_stays_with_a_trade_that_is_folded_anew(feed):
    buy, again = fill(1, Side.BUY, "1"), fill(3, Side.BUY, "1", "120")
    trades_after(feed, [buy, again])
    (trade,) = db.session.scalars(select(TradeRow))
    known = trade.id
    db.session.add(TradeTag(workspace_id=trade.workspace_id, trade_id=known, name="late"))
    db.session.commit()
    trades_after(feed, [fill(2, Side.SELL, "1", "110")])
    first, second = db.session.scalars(select(TradeRow).order_by(TradeRow.opened_at))
    assert (first.id, first.closed_at is None) == (known, False)
    assert second.closed_at is None
    assert db.session.scalars(select(TradeTag.trade_id)).all() == [known]


def test_two_trades_that_become_one_keep_what_was_written_on_both(feed):
    """The entry that was between them comes last: it was one trade all the time."""
    trades_after(feed, [fill(1, Side.BUY, "1"), fill(5, Side.SELL, "1")])
    trades_after(feed, [fill(6, Side.BUY, "1"), fill(9, Side.SELL, "1")])
    trades = db.session.scalars(select(TradeRow).order_by(TradeRow.opened_at)).all()
    for trade, name in zip(trades, ("one", "two"), strict=True):
        keys = {"workspace_id": trade.workspace_id, "trade_id": trade.id}
        db.session.add(TradeTag(**keys, name=name))
        db.session.add(TradeNote(**keys, text=f"of {name}", written_at=NOW))
    db.session.commit()
    rest = [fill(3, Side.BUY, "1"), fill(10, Side.SELL, "1")]
    (whole,) = trades_after(feed, rest)
    assert whole[1:4:2] == (3, 3)
    (trade,) = db.session.scalars(select(TradeRow))
    assert set(db.session.scalars(select(TradeTag.name))) == {"one", "two"}
    assert db.session.get(TradeNote, trade.id).text == "of one\nof two"


def test_funding_follows_its_trade(feed):
    buy, again = fill(1, Side.BUY, "1"), fill(3, Side.BUY, "1", "120")
    trades_after(feed, [buy, again])
    paid = Flow("f1", FlowKind.FUNDING, D(-2), "USDT", buy.at + timedelta(seconds=0.5), buy.symbol)
    event = feed.event(EventKind.FLOW, paid)
    ingest.take(feed.bot, feed.machine, (event,), NOW)
    trades_after(feed, [fill(2, Side.SELL, "1", "110")])
    first, second = db.session.scalars(select(TradeRow).order_by(TradeRow.opened_at))
    assert (first.funding, second.funding) == (-2, 0)
    assert first.net == 10 - first.fees - 2
    assert first.result == float(first.net)
