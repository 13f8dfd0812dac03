"""Telemetry in: once, in order, and never stuck."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from app.domain import ingest
from app.extensions import db
from app.models import (
    CandleRow,
    Checkpoint,
    DecisionBlock,
    EquityPoint,
    FillRow,
    Machine,
    OrderRow,
    PositionRow,
    Run,
    RunnerNotice,
    TradeRow,
)
from runner.protocol import (
    Candle,
    Candles,
    Decision,
    Equity,
    Event,
    EventKind,
    Fill,
    Notice,
    Order,
    OrderStatus,
    Position,
    Side,
    Verdict,
    to_plain,
)
from runner.protocol import Checkpoint as CheckpointEvent
from tests import factories
from tests.factories import NOW

SYMBOL = "BTC/USDT:USDT"
D = Decimal


class Feed:
    """A runner's telemetry as the gate sees it."""

    def __init__(self):
        self.bot = factories.bot(factories.organisation())
        run = Run(
            workspace_id=self.bot.workspace_id,
            bot_id=self.bot.id,
            mode=self.bot.mode,
            symbols=self.bot.symbols,
            strategy_version_id=self.bot.strategy_version_id,
            starting_balance=self.bot.starting_balance,
            started_at=NOW,
        )
        db.session.add(run)
        db.session.flush()
        self.machine = Machine(
            workspace_id=self.bot.workspace_id,
            bot_id=self.bot.id,
            generation=1,
            name="b-x-g1",
            region="local",
            ip="127.64.0.9",
            token_hash="0" * 64,
            created_at=NOW,
            run_id=run.id,
        )
        db.session.add(self.machine)
        db.session.flush()
        self.seq = 0

    def event(self, kind, payload):
        self.seq += 1
        data = payload if isinstance(payload, dict) else to_plain(payload)
        return Event(self.seq, kind, NOW + timedelta(seconds=self.seq), data)

    def take(self, *events):
        ingest.take(self.bot, self.machine, events, NOW)
        db.session.commit()
        return self.machine.ack_seq


@pytest.fixture
def feed(app):
    return Feed()


def count(kind):
    return db.session.scalar(select(func.count()).select_from(kind))


def candle(close="101"):
    return Candle(NOW, D(100), D(102), D(99), D(close), D("1.5"))


def order(status=OrderStatus.FILLED, client_id="c1", **values):
    base = Order(
        client_id=client_id,
        symbol=SYMBOL,
        side=Side.BUY,
        kind="market",
        quantity=D("0.1"),
        status=status,
        purpose="entry",
        decided_at=NOW,
        reason="ema_cross says long",
    )
    return replace(base, **values)


def fill(trade_id="t1", client_id="c1", side=Side.BUY, price="100", at=NOW):
    return Fill(
        trade_id, client_id, SYMBOL, side, D(price), D("0.1"), D("0.01"), "USDT", "taker", at
    )


def test_everything_is_stored_once_however_often_it_comes(feed):
    verdict = Verdict("ema_cross", "signal", 1, "fast above slow")
    batch = (
        feed.event(EventKind.CANDLES, Candles(SYMBOL, "1s", (candle(),))),
        feed.event(EventKind.DECISION, Decision(SYMBOL, candle(), "none", "quiet", (verdict,))),
        feed.event(EventKind.ORDER, order()),
        feed.event(EventKind.FILL, fill()),
        feed.event(EventKind.POSITION, Position(SYMBOL, D("0.1"), D(100), D(101), D("0.1"))),
        feed.event(EventKind.EQUITY, Equity(D(10_000), D(9_999), D(1))),
        feed.event(EventKind.CHECKPOINT, CheckpointEvent({"paper": {"balance": "9999"}})),
        feed.event(EventKind.NOTICE, Notice("warning", "slow", "the venue answers slowly")),
    )
    for _ in range(3):
        assert feed.take(*batch) == len(batch)
    kinds = (
        CandleRow,
        DecisionBlock,
        OrderRow,
        FillRow,
        PositionRow,
        EquityPoint,
        Checkpoint,
        RunnerNotice,
        TradeRow,
    )
    assert {kind: count(kind) for kind in kinds} == dict.fromkeys(kinds, 1)


def test_a_gap_is_not_jumped(feed):
    first, second, third = (
        feed.event(EventKind.NOTICE, Notice("info", "n", str(number))) for number in range(3)
    )
    assert feed.take(first, third) == 1
    assert feed.take(second, third) == 3


def test_the_same_fill_under_another_number_is_still_one_fill(feed):
    feed.take(feed.event(EventKind.FILL, fill()), feed.event(EventKind.FILL, fill()))
    assert count(FillRow) == 1
    assert db.session.scalar(select(TradeRow.entered)) == D("0.1")


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (EventKind.FILL, {"trade_id": "t9"}),
        (EventKind.FILL, {**to_plain(fill()), "price": "NaN"}),
        (EventKind.EQUITY, {"equity": 1.5, "balance": "1", "unrealised": "0"}),
    ],
)
def test_what_cannot_be_read_is_an_alarm_and_not_a_blockade(feed, kind, payload):
    broken, sound = feed.event(kind, payload), feed.event(EventKind.FILL, fill())
    assert feed.take(broken, sound) == 2
    assert count(FillRow) == 1
    assert db.session.scalar(select(RunnerNotice.level)) == "alarm"


def test_a_paper_fill_keeps_its_three_prices_and_a_venue_s_has_but_one(feed):
    guess = replace(fill(), optimistic=D("99.5"), pessimistic=D("101"))
    feed.take(feed.event(EventKind.FILL, guess), feed.event(EventKind.FILL, fill("t2")))
    rows = db.session.scalars(select(FillRow).order_by(FillRow.number))
    assert [(r.optimistic, r.price, r.pessimistic) for r in rows] == [
        (D("99.5"), 100, 101),
        (None, 100, None),
    ]


def test_a_value_the_database_refuses_blocks_nothing(feed):
    too_long = feed.event(EventKind.ORDER, order(client_id="x" * 500))
    assert feed.take(too_long, feed.event(EventKind.FILL, fill())) == 2
    assert count(FillRow) == 1


def test_an_order_that_is_settled_stays_settled(feed):
    feed.take(
        feed.event(EventKind.ORDER, order(OrderStatus.FILLED)),
        feed.event(EventKind.ORDER, order(OrderStatus.OPEN)),
    )
    assert db.session.scalar(select(OrderRow.status)) is OrderStatus.FILLED


def test_a_trade_closes_with_the_reason_of_its_exit(feed):
    leave = order(client_id="c2", side=Side.SELL, purpose="exit", reason="take profit reached")
    feed.take(
        feed.event(EventKind.ORDER, order()),
        feed.event(EventKind.FILL, fill()),
        feed.event(EventKind.ORDER, leave),
        feed.event(EventKind.FILL, fill("t2", "c2", Side.SELL, "103")),
    )
    trade = db.session.scalar(select(TradeRow))
    assert trade.exit_reason == "take profit reached"
    assert trade.net == D("0.28")
    assert trade.closed_at == NOW


def test_the_newest_checkpoint_wins(feed):
    feed.take(
        feed.event(EventKind.CHECKPOINT, CheckpointEvent({"n": 1})),
        feed.event(EventKind.CHECKPOINT, CheckpointEvent({"n": 2})),
    )
    row = db.session.scalar(select(Checkpoint))
    assert (row.state, row.seq) == ({"n": 2}, 2)
