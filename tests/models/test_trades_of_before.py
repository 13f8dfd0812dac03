"""Rows from before statistics were asked of trades get what newer ones are told."""

from datetime import date, timedelta
from decimal import Decimal

import flask_migrate
from sqlalchemy import select

from app import tenancy
from app.extensions import db
from app.models import EquityDay, EquityPoint, FillRow, TradeRow
from runner.protocol import Mode, Side
from tests import factories
from tests.factories import NOW


def test_older_trades_and_equity_are_told_what_newer_ones_know(app):
    bot = factories.bot(factories.organisation(), mode=Mode.PAPER)
    run = factories.run(bot)
    factories.trade(run, 100, 110, 1, NOW, NOW + timedelta(hours=3))
    factories.trade(run, 100, 0, 1, NOW, None)
    order = factories.order(bot, run.id, "c1", "filled")
    order.purpose = "stop_loss"
    fill = {"trade_id": "f1", "client_id": "c1", "symbol": run.symbols[0], "side": Side.SELL}
    amounts = {"price": Decimal(110), "quantity": Decimal(1), "fee": Decimal(1)}
    paid = {"fee_currency": "USDT", "liquidity": "taker", "filled_at": NOW + timedelta(hours=3)}
    keys = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "run_id": run.id}
    db.session.add(FillRow(**keys, **fill, **amounts, **paid))
    for hours, value in ((0, "100.5"), (1, "90"), (30, "95")):
        worth = {"equity": Decimal(value), "balance": Decimal(0), "unrealised": Decimal(0)}
        db.session.add(EquityPoint(**keys, at=NOW + timedelta(hours=hours), **worth))
    db.session.commit()
    flask_migrate.downgrade(revision="0006")
    flask_migrate.upgrade()
    with tenancy.everywhere("to look"):
        closed, still_open = db.session.scalars(select(TradeRow).order_by(TradeRow.number)).all()
        assert closed.id.startswith("trd_")
        assert closed.id != still_open.id
        assert (closed.mode, closed.currency, closed.result) == (Mode.PAPER, "USDT", 9.0)
        assert (closed.held_seconds, closed.entry_hour) == (3 * 3600, 24 + 12)
        assert closed.closed_on == date(2026, 11, 24)
        assert closed.exit_kind == "stop_loss"
        assert (still_open.result, still_open.closed_on, still_open.funding) == (None, None, 0)
        first, second = db.session.scalars(select(EquityDay).order_by(EquityDay.day)).all()
        assert (first.first, first.low, first.last) == (Decimal("100.5"), 90, 90)
        assert first.last_at == NOW + timedelta(hours=1)
        assert (second.day, second.last) == (date(2026, 11, 25), 95)
