"""What statistics ask for is folded as it is told, whatever the order of telling."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import ingest
from app.extensions import db
from app.models import EquityDay, OrderRow, TradeRow
from runner.protocol import (
    Candle,
    Decision,
    Equity,
    Event,
    EventKind,
    Fill,
    Flow,
    FlowKind,
    Mode,
    Order,
    OrderStatus,
    Side,
    to_plain,
)
from tests import factories, telling
from tests.factories import NOW

SYMBOL = "BTC/USDT:USDT"
SECOND = timedelta(seconds=1)


@pytest.fixture
def teller(app):
    bot = factories.bot(factories.organisation())
    return telling.Teller(bot, telling.awake(bot, NOW), NOW)


def tell(teller, kind, item, at=NOW):
    event = Event(teller.machine.ack_seq + 1, kind, at, to_plain(item))
    ingest.take(teller.bot, teller.machine, (event,), NOW)
    db.session.flush()


def fill(name, side, price, at, fee="1"):
    parts = (SYMBOL, side, Decimal(price), Decimal(2), Decimal(fee), "USDT", "taker")
    return Fill(name, name, *parts, at, "stop_loss")


def order(name, at=NOW, kind="market", purpose="entry", price=None):
    return Order(
        name,
        SYMBOL,
        Side.BUY,
        kind,
        Decimal(2),
        OrderStatus.SENT,
        purpose,
        at,
        price=None if price is None else Decimal(price),
    )


def decision(opened_at, action="enter_long"):
    close = Decimal(100)
    return Decision(SYMBOL, Candle(opened_at, *[close] * 4, Decimal(1)), action, "", ())


def only(kind):
    return db.session.scalars(select(kind)).one()


def test_a_closed_trade_knows_its_result_its_hour_and_its_day(teller):
    tell(teller, EventKind.FILL, fill("a", Side.SELL, 100, NOW))
    assert only(TradeRow).result is None
    tell(teller, EventKind.ORDER, order("b", purpose="trailing_stop"))
    tell(teller, EventKind.FILL, fill("b", Side.BUY, 90, NOW + timedelta(hours=14)))
    trade = only(TradeRow)
    assert trade.exit_kind == "trailing_stop"
    assert trade.id.startswith("trd_")
    assert (trade.mode, trade.currency) == (Mode.PAPER, "USDT")
    assert trade.result == float(trade.net) == 18
    assert trade.held_seconds == 14 * 3600
    assert trade.entry_hour == 24 + 12  # a Tuesday noon
    assert trade.closed_on == date(2026, 11, 25)


@pytest.mark.parametrize("late", [False, True])
def test_funding_belongs_to_the_trade_it_was_paid_on(teller, late):
    paid = Flow("f1", FlowKind.FUNDING, Decimal("-0.5"), "USDT", NOW + SECOND, SYMBOL)
    tell(teller, EventKind.FILL, fill("a", Side.BUY, 100, NOW))
    if not late:
        tell(teller, EventKind.FLOW, paid)
    tell(teller, EventKind.FILL, fill("b", Side.SELL, 110, NOW + 2 * SECOND))
    if late:
        tell(teller, EventKind.FLOW, paid)
    tell(teller, EventKind.FLOW, paid)
    trade = only(TradeRow)
    assert trade.funding == Decimal("-0.5")
    assert trade.net == Decimal("17.5")
    assert trade.result == 17.5


@pytest.mark.parametrize(
    "flow",
    [
        Flow("f1", FlowKind.DEPOSIT, Decimal(5), "USDT", NOW + SECOND, None),
        Flow("f1", FlowKind.FUNDING, Decimal(5), "USDT", NOW - SECOND, SYMBOL),
        Flow("f1", FlowKind.FUNDING, Decimal(5), "USDT", NOW + SECOND, "ETH/USDT:USDT"),
        Flow("f1", FlowKind.FUNDING, Decimal(5), "BTC", NOW + SECOND, SYMBOL),
    ],
)
def test_other_money_is_no_part_of_it(teller, flow):
    tell(teller, EventKind.FILL, fill("a", Side.BUY, 100, NOW))
    tell(teller, EventKind.FLOW, flow)
    assert only(TradeRow).funding == 0


@pytest.mark.parametrize("decided_first", [True, False])
def test_an_order_knows_the_close_it_was_decided_on(teller, decided_first):
    events = [
        (EventKind.DECISION, decision(NOW - SECOND)),
        (EventKind.ORDER, order("a", NOW + SECOND / 2)),
    ]
    for kind, item in events if decided_first else events[::-1]:
        tell(teller, kind, item)
    assert only(OrderRow).arrival_price == 100


@pytest.mark.parametrize(
    ("opened_at", "action"), [(NOW - SECOND, "none"), (NOW - 5 * SECOND, "exit")]
)
def test_what_was_decided_on_no_candle_has_no_arrival_price(teller, opened_at, action):
    tell(teller, EventKind.DECISION, decision(opened_at, action))
    tell(teller, EventKind.ORDER, order("a", NOW))
    assert only(OrderRow).arrival_price is None


def test_a_stop_arrives_at_its_trigger(teller):
    tell(teller, EventKind.ORDER, order("a", kind="stop_market", purpose="protect", price=95))
    tell(teller, EventKind.DECISION, decision(NOW - SECOND))
    assert only(OrderRow).arrival_price == 95


def test_the_time_to_fill_counts_from_the_decision(teller):
    tell(teller, EventKind.ORDER, order("a"))
    tell(teller, EventKind.FILL, fill("a", Side.BUY, 100, NOW + 3 * SECOND))
    assert only(OrderRow).fill_seconds == 3


def test_a_day_keeps_its_first_its_low_and_its_newest_equity(teller):
    for second, value in ((0, 100), (1, 80), (2, 90)):
        looked = Equity(Decimal(value), Decimal(0), Decimal(0))
        tell(teller, EventKind.EQUITY, looked, NOW + second * SECOND)
    tell(teller, EventKind.EQUITY, Equity(*[Decimal(70)] * 3), NOW + timedelta(days=1))
    first, second = db.session.scalars(select(EquityDay).order_by(EquityDay.day)).all()
    assert (first.first, first.low, first.last) == (100, 80, 90)
    assert first.last_at == NOW + 2 * SECOND
    assert second.first == 70
