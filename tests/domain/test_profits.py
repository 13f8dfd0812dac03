"""What was earned stands beside what machines cost; only dollars are taken from dollars."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import profits
from app.extensions import db
from app.models import CashFlow, Run
from runner.protocol import FlowKind, Mode
from tests import factories
from tests.factories import NOW

START = datetime(2026, 11, 1, tzinfo=NOW.tzinfo)
END = datetime(2026, 12, 1, tzinfo=NOW.tzinfo)


def trade(bot, symbol, result, mode=Mode.PAPER, closed=NOW):
    run = factories.run(bot, mode, symbols=[symbol])
    proceeds = Decimal(101) + Decimal(result)
    factories.trade(run, 100, proceeds, 1, START, closed)


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


def paid(bot, kind, amount, at=NOW, currency="USDT"):
    run = db.session.scalar(select(Run).where(Run.bot_id == bot.id))
    db.session.add(
        CashFlow(
            workspace_id=bot.workspace_id,
            bot_id=bot.id,
            run_id=run.id,
            flow_id=f"{kind}{amount}{at}",
            kind=kind,
            amount=Decimal(amount),
            currency=currency,
            at=at,
        )
    )
    db.session.flush()


def test_funding_is_a_result_and_a_deposit_is_none(app):
    workspace = factories.organisation()
    bot = factories.bot(workspace)
    trade(bot, "BTC/USDT:USDT", "10")
    paid(bot, FlowKind.FUNDING, "-1.25")
    paid(bot, FlowKind.FUNDING, "0.5", currency="BTC")
    paid(bot, FlowKind.FUNDING, "-100", at=END)
    paid(bot, FlowKind.DEPOSIT, "500")
    paid(bot, FlowKind.WITHDRAWAL, "-500")
    (earned,) = profits.of_month(workspace, START, END, bot.id)
    assert (earned.trades, earned.dollars) == (1, Decimal("8.75"))
    assert earned.beside == [("BTC", Decimal("0.5"))]
    assert earned.funding == {"USDT": Decimal("-1.25"), "BTC": Decimal("0.5")}
    assert profits.of_month(factories.organisation(), START, END) == []


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
