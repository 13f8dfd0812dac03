"""A workspace with very many closed trades, and what its pages of results take."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from flask import Flask
from sqlalchemy import insert

from app.domain import ledger
from app.domain.profits import currency_of
from app.extensions import db
from app.models import EquityDay, FillRow, OrderRow, Run, TradeRow
from app.models.base import new_id
from runner.metrics import hour_of_week
from runner.protocol import Mode, OrderStatus, Side
from tests import factories, site

KINDS = ("take_profit", "stop_loss", "trailing_stop", "signal_flip", "time_stop")
YEAR = 365


@dataclass(frozen=True)
class Harvest:
    """Where it is, and who may see it."""

    workspace: str
    bot: str
    email: str


def build(app: Flask, trades: int = 50_000, bots: int = 20) -> Harvest:
    """A year of paper trading of ``bots`` bots, each trade with its two orders and fills."""
    now, chance = datetime.now(UTC).replace(microsecond=0), random.Random(11)
    begun = now - timedelta(days=YEAR)
    with site.rows(app):
        owner = factories.user("Hanna", now=now)
        workspace = factories.organisation(owner, now=now)
        version = factories.strategy(workspace, now=now).latest
        made = [
            factories.bot(workspace, now=now, version=version, name=f"Bot {number:02}")
            for number in range(bots)
        ]
        runs = [factories.run(bot, Mode.PAPER, now=begun) for bot in made]
        found = Harvest(workspace.id, made[0].id, owner.email)
        each = trades // bots
        for run in runs:
            _fill(run, each, begun, chance)
        db.session.commit()
        db.session.remove()
    return found


def _fill(run: Run, count: int, begun: datetime, chance: random.Random) -> None:
    keys = {"workspace_id": run.workspace_id, "bot_id": run.bot_id, "run_id": run.id}
    step = timedelta(days=YEAR) / (count + 1)
    rows, orders, fills = [], [], []
    for number in range(count):
        opened = begun + number * step
        closed = opened + step * chance.uniform(0.05, 0.9)
        result = Decimal(str(round(chance.gauss(0.4, 9), 2)))
        trade = _trade(run, opened, closed, result, chance)
        rows.append(keys | trade)
        for name, at, price in (
            (f"e{number}", opened, trade["entry_notional"]),
            (f"x{number}", closed, trade["exit_notional"]),
        ):
            orders.append(keys | _order(run, name, at, price))
            fills.append(keys | _execution(run, name, at, price))
    connection = db.session.connection()
    connection.execute(insert(TradeRow), rows)
    connection.execute(insert(OrderRow), orders)
    connection.execute(insert(FillRow), fills)
    connection.execute(insert(EquityDay), list(_days(keys, begun, chance)))


def _trade(run, opened, closed, result, chance):  # type: ignore[no-untyped-def]
    row = TradeRow(
        id=new_id("trd"),
        mode=run.mode,
        symbol=run.symbols[0],
        currency=currency_of(run.symbols[0]),
        side=chance.choice(list(Side)),
        entered=Decimal(1),
        entry_notional=Decimal(1000),
        exited=Decimal(1),
        exit_notional=Decimal(1000),
        fees=Decimal("1.1"),
        funding=Decimal(0),
        exit_reason="",
        exit_kind=chance.choice(KINDS),
        opened_at=opened,
        closed_at=closed,
        entry_hour=hour_of_week(opened),
    )
    row.exit_notional += result if row.side is Side.BUY else -result
    ledger.tell_result(row)
    return {
        column.key: getattr(row, column.key)
        for column in TradeRow.__table__.columns
        if column.key != "number" and getattr(row, column.key) is not None
    }


def _order(run, name, at, price):  # type: ignore[no-untyped-def]
    return {
        "client_id": name,
        "symbol": run.symbols[0],
        "side": Side.BUY,
        "kind": "market",
        "purpose": "entry",
        "quantity": Decimal(1),
        "filled": Decimal(1),
        "average": price,
        "reduce_only": False,
        "status": OrderStatus.FILLED,
        "decided_at": at,
        "updated_at": at,
        "arrival_price": price - Decimal("0.1"),
        "fill_seconds": 0.4,
        "reason": "",
    }


def _execution(run, name, at, price):  # type: ignore[no-untyped-def]
    return {
        "trade_id": name,
        "client_id": name,
        "symbol": run.symbols[0],
        "side": Side.BUY,
        "price": price,
        "quantity": Decimal(1),
        "fee": Decimal("0.55"),
        "fee_currency": "USDT",
        "liquidity": "taker",
        "reason": "",
        "filled_at": at,
    }


def _days(keys, begun, chance):  # type: ignore[no-untyped-def]
    worth = Decimal(10_000)
    for number in range(YEAR):
        at = begun + timedelta(days=number)
        first, worth = worth, worth + Decimal(str(round(chance.gauss(3, 80), 2)))
        low = min(first, worth) - 20
        told = {"first": first, "low": low, "last": worth, "last_at": at}
        yield keys | {"day": at.date(), **told}
