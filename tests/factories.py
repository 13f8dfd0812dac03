"""People, workspaces and bots, made through the same verbs that the pages use."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.domain import (
    accounts,
    bots,
    connections,
    ledger,
    profits,
    schedule,
    strategies,
    workspaces,
)
from app.domain.audit import Actor
from app.domain.lifecycle import Tempo
from app.extensions import db
from app.models import Environment, OrderRow, Role, Run, TradeRow
from app.practice.keys import new_key
from runner.metrics import hour_of_week
from runner.protocol import Limits, Mode, Side

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TEMPO = Tempo(
    wake_lead=timedelta(seconds=3),
    sleep_min_gap=timedelta(seconds=20),
    flat_for=timedelta(seconds=3),
    observe_every=timedelta(seconds=5),
)
PASSWORD = "seven quiet harbours"
TESTER = Actor("user", "tester@example.com", "usr_tester")
_numbers = itertools.count(1)


def user(name="Alice", now=NOW):
    address = f"{name.lower()}{next(_numbers)}@example.com"
    made = accounts.sign_up(email=address, name=name, password=PASSWORD, by=TESTER, now=now)
    made.email_verified_at = now
    db.session.flush()
    return made


def organisation(owner=None, now=NOW):
    owner = owner or user()
    return workspaces.create_organisation("Harbour Desk", owner, by=TESTER, now=now)


def joined(workspace, role=Role.TRADER, name="Bob"):
    person = user(name)
    workspaces.add_member(workspace, person, role, by=TESTER, now=NOW)
    return person


def strategy(workspace, key="fast_ema_demo", now=NOW):
    template = strategies.template(key)
    return strategies.create(
        workspace, name=template.title, rules=template.rules, author=None, by=TESTER, now=now
    )


def connection(workspace, sealer, now=NOW, label="Practice account"):
    key, secret = new_key()
    return connections.create(
        workspace,
        exchange="practice",
        environment=Environment.TESTNET,
        label=label,
        fields={"api_key": key, "secret": secret},
        sealer=sealer,
        author=None,
        by=TESTER,
        now=now,
    )


def bot(workspace, now=NOW, **values):
    version = values.pop("version", None) or strategy(workspace, now=now).latest
    plan = {
        "name": f"Bot {next(_numbers)}",
        "exchange": "practice",
        "symbols": ("BTC/USDT:USDT",),
        "version": version,
        "mode": Mode.PAPER,
        "schedule": schedule.ALWAYS,
        "starting_balance": Decimal(10_000),
        "limits": Limits(),
    }
    there = values.pop("offered", (values.get("region", "local"),))
    blueprint = bots.Blueprint(**(plan | values))
    return bots.create(workspace, blueprint, author=None, by=TESTER, now=now, offered=there)


def order(bot, run_id, client_id, status):
    """An order as a runner last told of it."""
    row = OrderRow(
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        run_id=run_id,
        client_id=client_id,
        symbol=bot.symbols[0],
        side=Side.BUY,
        kind="market",
        purpose="entry",
        quantity=Decimal("0.01"),
        filled=Decimal(0),
        reduce_only=False,
        status=status,
        decided_at=NOW,
        updated_at=NOW,
    )
    db.session.add(row)
    return row


def run(bot, mode=None, now=NOW, **values):
    """A stretch of a bot, begun now."""
    plan = {
        "mode": mode or bot.mode,
        "symbols": bot.symbols,
        "strategy_version_id": bot.strategy_version_id,
        "starting_balance": bot.starting_balance,
        "started_at": now,
    }
    made = Run(workspace_id=bot.workspace_id, bot_id=bot.id, **(plan | values))
    db.session.add(made)
    db.session.flush()
    return made


def trade(run, cost=100, proceeds=101, fees=0, opened=NOW, closed=NOW, **values):
    """A trade of one unit as ingest would have folded it; open where ``closed`` is none."""
    symbol = values.pop("symbol", run.symbols[0])
    row = TradeRow(
        workspace_id=run.workspace_id,
        bot_id=run.bot_id,
        run_id=run.id,
        mode=run.mode,
        symbol=symbol,
        currency=profits.currency_of(symbol),
        side=values.pop("side", Side.BUY),
        entered=Decimal(1),
        entry_notional=Decimal(cost),
        exited=Decimal(1 if closed else 0),
        exit_notional=Decimal(proceeds),
        fees=Decimal(fees),
        funding=Decimal(values.pop("funding", 0)),
        exit_reason=values.pop("reason", ""),
        exit_kind=values.pop("kind", "take_profit"),
        opened_at=opened,
        closed_at=closed,
        entry_hour=hour_of_week(opened),
    )
    ledger.tell_result(row)
    db.session.add(row)
    db.session.flush()
    return row
