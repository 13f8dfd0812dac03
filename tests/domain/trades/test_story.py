"""One trade: what belongs to it, how far it went, and what its fills cost against the decision."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.decisions import keep
from app.domain.sources import Source
from app.domain.trades import story
from app.extensions import db
from app.models import Bot, CandleRow, FillRow, OrderRow
from runner.protocol import Candle, Decision, Mode, OrderStatus, Side
from tests import factories
from tests.factories import NOW

SECOND = timedelta(seconds=1)
SYMBOL = "BTC/USDT:USDT"


@pytest.fixture
def run(app):
    return factories.run(factories.bot(factories.organisation(), mode=Mode.PAPER), now=NOW)


def keys(run):
    return {"workspace_id": run.workspace_id, "bot_id": run.bot_id, "run_id": run.id}


def candles(run, *bars):
    """(low, high) second by second."""
    for number, (low, high) in enumerate(bars):
        prices = {"open": Decimal(low), "low": Decimal(low), "high": Decimal(high)}
        place = {"symbol": SYMBOL, "timeframe": "1s", "opened_at": NOW + number * SECOND}
        own = {"workspace_id": run.workspace_id, "bot_id": run.bot_id}
        row = CandleRow(**own, **place, **prices, close=Decimal(high), volume=Decimal(1))
        db.session.add(row)
    db.session.flush()


def order(run, name, side, average, arrival, at=NOW, **more):
    row = OrderRow(
        **keys(run),
        client_id=name,
        symbol=SYMBOL,
        side=side,
        kind="market",
        purpose=more.pop("purpose", "entry"),
        quantity=Decimal(1),
        filled=Decimal(1 if average else 0),
        average=average and Decimal(average),
        arrival_price=arrival and Decimal(arrival),
        reduce_only=False,
        status=OrderStatus.FILLED if average else OrderStatus.CANCELLED,
        decided_at=at,
        updated_at=at,
    )
    db.session.add(row)
    db.session.flush()


def fill(run, name, side, price, at, best=None, worst=None):
    row = FillRow(
        **keys(run),
        trade_id=name,
        client_id=name,
        symbol=SYMBOL,
        side=side,
        price=Decimal(price),
        quantity=Decimal(1),
        fee=Decimal(0),
        fee_currency="USDT",
        liquidity="taker",
        filled_at=at,
        optimistic=best and Decimal(best),
        pessimistic=worst and Decimal(worst),
    )
    db.session.add(row)
    db.session.flush()


@pytest.mark.parametrize(
    ("side", "proceeds", "adverse", "favourable"),
    [(Side.BUY, 104, 10, 7), (Side.SELL, 98, 7, 10)],
)
def test_how_far_it_went_against_and_along(run, side, proceeds, adverse, favourable):
    candles(run, (95, 103), (90, 107), (99, 101), (1, 999))
    made = factories.trade(run, 100, proceeds, 0, NOW, NOW + 3 * SECOND, side=side)
    found = story.of(made, NOW).excursion
    assert (found.adverse, found.favourable, found.whole) == (adverse, favourable, True)


def test_an_exit_beyond_all_candles_counts(run):
    candles(run, (99, 101))
    made = factories.trade(run, 100, 80, 0, NOW, NOW + 5 * SECOND)
    found = story.of(made, NOW).excursion
    assert (found.adverse, found.favourable, found.whole) == (20, 1, False)


def test_without_candles_nothing_is_said(run):
    assert story.of(factories.trade(run, closed=NOW + SECOND), NOW).excursion is None


def test_what_belongs_to_it_and_what_does_not(run):
    end = NOW + 9 * SECOND
    made = factories.trade(run, 101, 103, 0, NOW, end)
    order(run, "in", Side.BUY, 101, 100, NOW - SECOND)
    order(run, "stop", Side.SELL, None, 95, NOW + SECOND, purpose="protect")
    order(run, "out", Side.SELL, "103", "103.5", end - SECOND, purpose="take_profit")
    order(run, "later", Side.BUY, 105, 105, end + SECOND)
    fill(run, "in", Side.BUY, 101, NOW)
    fill(run, "out", Side.SELL, 103, end)
    fill(run, "later", Side.BUY, 105, end + SECOND)
    found = story.of(made, NOW)
    assert [it.client_id for it in found.orders] == ["in", "stop", "out"]
    assert [it.client_id for it in found.fills] == ["in", "out"]
    assert found.slippage == Decimal("1.5")
    assert found.band is None


def test_the_band_is_the_result_at_the_best_and_at_the_worst_prices(run):
    end = NOW + 9 * SECOND
    made = factories.trade(run, 101, 103, 0, NOW, end)
    fill(run, "in", Side.BUY, 101, NOW, best=100, worst=102)
    fill(run, "out", Side.SELL, 103, end, best=104, worst="101.5")
    assert story.of(made, NOW).band == (Decimal("-0.5"), Decimal(4))


def test_the_decisions_behind_entry_and_exit(run):
    source = Source(db.session.get_one(Bot, run.bot_id), None, run.id, 0, NOW)
    for number, action in enumerate(("enter_long", "none", "exit")):
        bar = Candle(NOW + number * 10 * SECOND, *[Decimal(100)] * 5)
        keep.take(source, Decision(SYMBOL, bar, action, "", ()))
    both = factories.trade(run, opened=NOW + SECOND, closed=NOW + 21 * SECOND)
    found = story.of(both, NOW)
    assert (found.decision.row.action, found.exit_decision.row.action) == ("enter_long", "exit")
    level = factories.trade(run, opened=NOW + 11 * SECOND, closed=NOW + 15 * SECOND)
    found = story.of(level, NOW)
    assert (found.decision, found.exit_decision) == (None, None)
