"""What the database adds up is what a loop over the same trades adds up."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.analytics import report, scope, sums
from app.extensions import db
from app.models import FillRow, TradeRow
from runner.metrics import (
    ClosedTrade,
    by_exit_reason,
    by_hour,
    by_month,
    by_side,
    tally,
    trade_figures,
)
from runner.protocol import Mode, OrderStatus, Side
from tests import factories
from tests.factories import NOW

DAY = timedelta(days=1)


def asked(bot, mode=Mode.PAPER, currency=None, since=None, **whose):
    return scope.of(scope.Whose(bot.workspace_id, **whose), mode, currency, since, NOW)


def closed(row):
    return ClosedTrade(
        row.opened_at,
        row.closed_at,
        row.side,
        row.symbol,
        row.entered,
        row.entry_notional,
        row.exit_notional,
        row.fees,
        row.funding,
        row.exit_kind,
    )


def scatter(bot, count=120, seed=4):
    """Trades of three runs with wins, losses and rows of zero, closing in another order."""
    chance = random.Random(seed)
    runs = [factories.run(bot, now=NOW - 90 * DAY) for _ in range(3)]
    rows = []
    for _ in range(count):
        opened = NOW - timedelta(minutes=chance.randrange(80, 80 * 1440))
        result = Decimal(chance.choice([-3, -2, 0, 0, 1, 4])) / 10
        rows.append(
            factories.trade(
                chance.choice(runs),
                100,
                100 + result,
                chance.choice(["0.01", "0"]),
                opened,
                opened + timedelta(minutes=chance.randrange(1, 70)),
                side=chance.choice(list(Side)),
                funding=chance.choice(["0", "-0.02"]),
                kind=chance.choice(["stop_loss", "take_profit"]),
            )
        )
    return sorted(rows, key=lambda it: (it.closed_at, it.number))


@pytest.fixture
def bot(app):
    return factories.bot(factories.organisation(), mode=Mode.PAPER)


def test_the_database_and_a_loop_agree(bot):
    rows = [closed(row) for row in scatter(bot)]
    found = report.of(asked(bot))
    expected = tally(rows)
    for name in ("count", "wins", "losses", "win_streak", "loss_streak"):
        assert getattr(found.sums, name) == getattr(expected, name), name
    figures = trade_figures(expected, found.scope.period)
    assert {key: it.value for key, it in found.trades.items()} == pytest.approx(
        {key: it.value for key, it in figures.items()}
    )
    assert found.sums.fees == pytest.approx(float(sum(row.fees for row in rows)))
    assert found.sums.volume == pytest.approx(expected.volume)
    assert found.sums.funding == pytest.approx(expected.funding)
    sides = {side: figures["net_profit"].value for side, figures in found.sides.items()}
    assert sides == pytest.approx({side: cell.net for side, cell in by_side(rows).items()})


def test_tables_agree_too(bot):
    rows = [closed(row) for row in scatter(bot)]
    found = report.of(asked(bot))
    for told, expected in (
        (found.hours, by_hour(rows)),
        (found.months, by_month(rows)),
        (found.kinds, by_exit_reason(rows)),
    ):
        assert {key: (it.count, it.wins) for key, it in told.items()} == {
            key: (it.count, it.wins) for key, it in expected.items()
        }
        assert {key: it.net for key, it in told.items()} == pytest.approx(
            {key: it.net for key, it in expected.items()}
        )


def test_modes_currencies_periods_and_open_trades_stay_apart(bot):
    paper, tested = (
        factories.run(bot, mode, now=NOW - 9 * DAY) for mode in (Mode.PAPER, Mode.TESTNET)
    )
    factories.trade(paper, 100, 101, opened=NOW - 8 * DAY, closed=NOW - 8 * DAY)
    factories.trade(paper, 100, 103, opened=NOW - DAY, closed=NOW - DAY)
    factories.trade(paper, 100, 107, closed=None)
    factories.trade(paper, 100, 120, closed=NOW)
    factories.trade(tested, 100, 150, closed=NOW - DAY)
    coin = factories.run(bot, now=NOW - 2 * DAY, symbols=["BTC/USD:BTC"])
    factories.trade(coin, 1, 2, closed=NOW - DAY)
    assert scope.modes(scope.Whose(bot.workspace_id)) == [Mode.TESTNET, Mode.PAPER]
    assert scope.currencies(scope.Whose(bot.workspace_id), Mode.PAPER) == ["USDT", "BTC"]
    assert report.of(asked(bot)).sums.net == 4
    assert report.of(asked(bot, since=NOW - 2 * DAY)).sums.net == 3
    assert report.of(asked(bot, currency="BTC")).sums.net == 1
    assert report.of(asked(bot, Mode.TESTNET)).sums.net == 50
    assert report.of(asked(bot, Mode.LIVE)).is_empty


def test_a_bot_and_a_strategy_are_parts_of_the_workspace(bot):
    other = factories.bot(bot.workspace)
    for it, won in ((bot, 1), (other, 2)):
        factories.trade(factories.run(it, now=NOW - DAY), 100, 100 + won, closed=NOW - DAY / 2)
    assert report.of(asked(bot)).sums.net == 3
    assert report.of(asked(bot, bot_id=bot.id)).sums.net == 1
    theirs = other.version.strategy_id
    assert report.of(asked(bot, strategy_id=theirs)).sums.net == 2


def test_orders_of_the_period_worked_by_hand(bot):
    run = factories.run(bot, now=NOW - DAY)
    bought = factories.order(bot, run.id, "a", OrderStatus.FILLED)
    bought.quantity = bought.filled = Decimal(10)
    bought.average, bought.arrival_price, bought.fill_seconds = Decimal(101), Decimal(100), 2.0
    sold = factories.order(bot, run.id, "b", OrderStatus.CANCELLED)
    sold.side, sold.quantity, sold.filled = Side.SELL, Decimal(60), Decimal(30)
    sold.average, sold.arrival_price = Decimal("99.9"), Decimal(100)
    sold.purpose, sold.fill_seconds = "protect", 900.0
    refused = factories.order(bot, run.id, "c", OrderStatus.REJECTED)
    refused.reason = "the margin is too small"
    factories.order(bot, run.id, "d", OrderStatus.OPEN)
    for row in (bought, sold, refused):
        row.decided_at = NOW - DAY / 2
    keys = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "run_id": run.id}
    for name, price, quantity, liquidity in (("a", 101, 10, "taker"), ("b", "99.9", 30, "maker")):
        amounts = {"price": Decimal(price), "quantity": Decimal(quantity), "fee": Decimal(0)}
        words = {"symbol": run.symbols[0], "side": Side.BUY, "fee_currency": "USDT"}
        at = {"liquidity": liquidity, "filled_at": NOW - DAY / 2}
        db.session.add(FillRow(**keys, trade_id=name, client_id=name, **amounts, **words, **at))
    db.session.flush()
    found = {key: it.value for key, it in report.of(asked(bot)).execution.items()}
    assert found["arrival_slippage"] == pytest.approx(13 / 4000 * 10_000)
    assert found["fill_ratio"] == pytest.approx(75)
    assert found["time_to_fill"] == 2
    assert found["maker_share"] == pytest.approx(100 * 2997 / 4007)
    assert found["rejects"] == pytest.approx(100 / 3)
    assert sums.rejects(asked(bot)) == [("the margin is too small", 1)]


def test_the_exact_sum_is_met_to_the_last_cent(bot):
    rows = scatter(bot, 300, seed=9)
    exact = sum((row.net for row in rows), Decimal(0))
    assert report.of(asked(bot)).sums.net == pytest.approx(float(exact), abs=1e-9)
    assert all(isinstance(row, TradeRow) for row in rows)
