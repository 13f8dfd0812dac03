"""The tax export holds a year, all of it, once, and says what its columns are."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain import tax
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import Bot, CashFlow, FillRow
from runner.protocol import FlowKind, Mode, Side
from tests import factories

MAY = datetime(2026, 5, 1, tzinfo=UTC)


def fill(run, name, at, price=100):
    order = factories.order(db.session.get_one(Bot, run.bot_id), run.id, name, "filled")
    order.purpose = "stop_loss"
    keys = {"workspace_id": run.workspace_id, "bot_id": run.bot_id, "run_id": run.id}
    amounts = {"price": Decimal(price), "quantity": Decimal(2), "fee": Decimal("0.25")}
    words = {"symbol": run.symbols[0], "side": Side.SELL, "fee_currency": "USDT"}
    told = {"trade_id": f"v-{name}", "client_id": name, "liquidity": "taker", "filled_at": at}
    db.session.add(FillRow(**keys, **amounts, **words, **told))
    db.session.flush()


def flow(run, kind, amount, at, name="f1", symbol=None):
    keys = {"workspace_id": run.workspace_id, "bot_id": run.bot_id, "run_id": run.id}
    told = {"flow_id": name, "kind": kind, "amount": Decimal(amount), "currency": "USDT"}
    db.session.add(CashFlow(**keys, **told, at=at, symbol=symbol))
    db.session.flush()


def rows(workspace, year=2026, mode=Mode.PAPER):
    found = tax.rows(tax.year_of(workspace, year, mode))
    return [dict(zip(tax.COLUMNS, row, strict=True)) for row in found]


@pytest.fixture
def bot(app):
    return factories.bot(factories.organisation(), mode=Mode.PAPER)


def test_one_row_of_each_kind_worked_by_hand(bot):
    run = factories.run(bot, now=MAY)
    hour = timedelta(hours=1)
    flow(run, FlowKind.DEPOSIT, 500, MAY, "in")
    fill(run, "c1", MAY + hour)
    flow(run, FlowKind.FUNDING, "-0.5", MAY + 2 * hour, "pay", run.symbols[0])
    made = factories.trade(run, 100, 110, 1, MAY, MAY + 3 * hour, funding="-0.5")
    flow(run, FlowKind.WITHDRAWAL, -100, MAY + 4 * hour, "out")
    flow(run, FlowKind.OTHER, 3, MAY + 5 * hour, "gift")
    found = rows(bot.workspace)
    kinds = [row["kind"] for row in found]
    assert kinds == ["deposit", "fill", "funding", "trade", "withdrawal", "credit"]
    assert [row["amount"] for row in found if row["kind"] != "fill"] == [
        500,
        Decimal("-0.5"),
        Decimal("8.5"),
        -100,
        3,
    ]
    told = found[1]
    assert (told["notional"], told["fee"], told["side"]) == (200, Decimal("0.25"), "sell")
    assert (told["order"], told["reference"], told["purpose"]) == ("c1", "v-c1", "stop_loss")
    assert found[3]["trade"] == made.id
    assert all(row["bot"] == bot.name for row in found)
    assert all(row["exchange"] == "practice" for row in found)


def test_a_year_is_the_workspaces_own_and_modes_stay_apart(bot):
    bot.workspace.zone = "Asia/Tokyo"
    run = factories.run(bot, now=MAY)
    new_year = datetime(2025, 12, 31, 15, tzinfo=UTC)  # midnight in Tokyo
    for name, at in (("a", new_year - timedelta(seconds=1)), ("b", new_year)):
        fill(run, name, at)
    other = factories.run(bot, Mode.TESTNET, now=MAY)
    fill(other, "c", MAY)
    assert [row["order"] for row in rows(bot.workspace, 2025)] == ["a"]
    assert [row["order"] for row in rows(bot.workspace, 2026)] == ["b"]
    assert rows(bot.workspace)[0]["at_local"] == "2026-01-01T00:00:00+09:00"
    assert [row["order"] for row in rows(bot.workspace, mode=Mode.TESTNET)] == ["c"]


def test_nothing_is_lost_or_told_twice_between_batches(bot, monkeypatch):
    monkeypatch.setattr(tax, "BATCH", 3)
    run = factories.run(bot, now=MAY)
    for number in range(11):
        fill(run, f"c{number}", MAY + timedelta(seconds=number // 4))
    found = rows(bot.workspace)
    assert sorted(row["order"] for row in found) == sorted(f"c{number}" for number in range(11))
    assert [row["at_utc"] for row in found] == sorted(row["at_utc"] for row in found)


def test_a_deposit_that_two_bots_of_one_account_told_of_stands_once(app, keys):
    workspace = factories.organisation()
    connection = factories.connection(workspace, Sealer(keys.public))
    for symbol in ("BTC/USDT:USDT", "ETH/USDT:USDT"):
        one = factories.bot(workspace, mode=Mode.TESTNET, connection=connection, symbols=(symbol,))
        flow(factories.run(one, now=MAY, connection_id=connection.id), FlowKind.DEPOSIT, 50, MAY)
    found = rows(workspace, mode=Mode.TESTNET)
    assert [row["amount"] for row in found] == [50]
    assert found[0]["account"] == connection.label


def test_years_reach_from_the_first_run_to_now(bot):
    assert tax.years(bot.workspace, MAY) == [2026]
    factories.run(bot, now=MAY - timedelta(days=700))
    assert tax.years(bot.workspace, MAY) == [2026, 2025, 2024]


def test_each_column_is_explained():
    text = Path("docs/tax-export.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(tax.COLUMNS)
