"""The rows of a page with nothing around them: one query a table, one plain HTML table each.

Only the columns that the full page shows; no sign-in, no frame, no formatting, no states. Whoever
shows these rows pays at least this.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, render_template
from sqlalchemy import Select, select

from app.config import Config
from app.extensions import db
from app.models import (
    AuditEvent,
    Bot,
    BotAddress,
    BotCompute,
    DecisionBlock,
    Machine,
    PositionRow,
    RunnerNotice,
    Strategy,
    StrategyVersion,
    TradeRow,
)
from tests.bench.village import Village

Query = tuple[Any, Select[Any]]
_SHOWN: dict[Any, str] = {
    Bot: "id name mode wish paused symbols schedule",
    Strategy: "name",
    StrategyVersion: "number",
    BotCompute: "phase problem",
    BotAddress: "ip reserved_at",
    Machine: "generation ip created_at synced_at position_state",
    PositionRow: "symbol quantity entry_price mark_price unrealised reported_at",
    TradeRow: "opened_at closed_at side entered entry_notional exit_notional fees exit_reason",
    DecisionBlock: "first_at last_at candles counts",
    RunnerNotice: "at level message",
    AuditEvent: "occurred_at action actor_id target_id target_label",
}


def build(config: Config, village: Village) -> Flask:
    """An application with ``/dashboard`` and ``/bot``, on the database of ``config``."""
    app = Flask(__name__)
    app.config.from_mapping(config.for_flask())
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    db.init_app(app)

    @app.get("/dashboard")
    def dashboard() -> str:
        return _page("Dashboard", _of_workspace(village.workspace))

    @app.get("/bot")
    def bot() -> str:
        return _page("Bot", _of_bot(village))

    return app


def _page(title: str, queries: list[Query]) -> str:
    return render_template("bare.html", title=title, tables=[_table(*query) for query in queries])


def _table(kind: Any, query: Select[Any]) -> tuple[str, list[str], list[Any]]:
    """A name, columns and plain rows: tuples, which are cheaper than objects."""
    return kind.__tablename__, _SHOWN[kind].split(), list(db.session.execute(query))


def _all(kind: Any, *conditions: Any) -> Query:
    return kind, select(*(getattr(kind, name) for name in _SHOWN[kind].split())).where(*conditions)


def _newest(kind: Any, order: Any, limit: int, *conditions: Any) -> Query:
    return kind, _all(kind, *conditions)[1].order_by(order.desc()).limit(limit)


def _of_workspace(workspace: str) -> list[Query]:
    """What the dashboard shows: all bots with their machines and results, the newest events."""
    whole = (Bot, Strategy, StrategyVersion, BotCompute, BotAddress, Machine, PositionRow, TradeRow)
    feed = {AuditEvent: AuditEvent.seq, RunnerNotice: RunnerNotice.number}
    return [
        *(_all(kind, kind.workspace_id == workspace) for kind in whole),
        *(_newest(kind, order, 10, kind.workspace_id == workspace) for kind, order in feed.items()),
    ]


def _of_bot(village: Village) -> list[Query]:
    """What the page of one bot shows, as many of each as it shows."""
    bot, workspace = village.bot, village.workspace
    shared, single = (Strategy, StrategyVersion), (BotCompute, BotAddress, Machine, PositionRow)
    newest = (TradeRow, DecisionBlock, RunnerNotice)
    return [
        _all(Bot, Bot.id == bot),
        *(_all(kind, kind.workspace_id == workspace) for kind in shared),
        *(_all(kind, kind.bot_id == bot) for kind in single),
        *(_newest(kind, kind.number, 8, kind.bot_id == bot) for kind in newest),
        _newest(AuditEvent, AuditEvent.seq, 8, AuditEvent.target_id == bot),
    ]
