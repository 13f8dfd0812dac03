"""What was earned stands beside what machines cost; only dollars are taken from dollars."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from app.domain import profits
from app.extensions import db
from app.models import Run, TradeRow
from runner.protocol import Mode, Side
from tests import factories
from tests.factories import NOW

START = datetime(2026, 11, 1, tzinfo=NOW.tzinfo)
END = datetime(2026, 12, 1, tzinfo=NOW.tzinfo)


def trade(bot, symbol, result, mode=Mode.PAPER, closed=NOW):
    run = Run(
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        mode=mode,
        strategy_version_id=bot.strategy_version_id,
        symbols=[symbol],
        starting_balance=Decimal(100),
        started_at=NOW,
    )
    db.session.add(run)
    db.session.flush()
    db.session.add(
        TradeRow(
            workspace_id=bot.workspace_id,
            bot_id=bot.id,
            run_id=run.id,
            symbol=symbol,
            side=Side.BUY,
            entered=Decimal(1),
            entry_notional=Decimal(100),
            exited=Decimal(1),
            exit_notional=Decimal(101) + Decimal(result),
            fees=Decimal(1),
            opened_at=START,
            closed_at=closed,
        )
    )
    db.session.flush()


def test_by_mode_and_currency_and_only_what_closed_within(app):
    workspace, other = factories.organisation(), factories.organisation()
    bot, second = (factories.bot(workspace) for _ in range(2))
    trade(bot, "BTC/USDT:USDT", "10.5")
    trade(bot, "ETH/USDC:USDC", "-4")
    trade(second, "BTC/USD:BTC", "0.25")
    trade(second, "BTC/USDT:USDT", "7", mode=Mode.TESTNET)
    trade(bot, "BTC/USDT:USDT", "100", closed=END)
    trade(bot, "BTC/USDT:USDT", "100", closed=START - timedelta(seconds=1))
    trade(bot, "BTC/USDT:USDT", "100", closed=None)
    trade(factories.bot(other), "BTC/USDT:USDT", "100")
    paper, testnet = profits.of_month(workspace, START, END)
    assert (paper.mode, paper.trades, paper.dollars) == (Mode.PAPER, 3, Decimal("6.5"))
    assert paper.beside == [("BTC", Decimal("0.25"))]
    assert paper.after(Decimal("2.25")) == Decimal("4.25")
    assert (testnet.mode, testnet.dollars, testnet.beside) == (Mode.TESTNET, Decimal(7), [])
    (alone,) = profits.of_month(workspace, START, END, bot.id)
    assert alone.dollars == Decimal("6.5")
    first, _ = profits.of_month(workspace, START, END, second.id)
    assert first.dollars is None
    assert first.after(Decimal(1)) is None


@pytest.mark.parametrize(
    ("symbol", "currency"),
    [
        ("BTC/USDT:USDT", "USDT"),
        ("BTC/USD:BTC", "BTC"),
        ("BTC/USD:BTC-261225", "BTC"),
        ("ETH/BTC", "BTC"),
    ],
)
def test_what_a_symbol_settles_in(symbol, currency):
    assert profits.currency_of(symbol) == currency
