"""The list of trades: what is asked for, in which order, and a page of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Double, and_, cast, exists, func, select

from app.extensions import db
from app.models import Bot, Run, Strategy, StrategyVersion, TradeNote, TradeRow, TradeTag, Workspace
from app.models.strategy import label_of
from runner.protocol import Mode, Side

PAGE = 50
SORTS: dict[str, Any] = {
    "closed": TradeRow.closed_at,
    "opened": TradeRow.opened_at,
    "result": TradeRow.result,
    "length": TradeRow.held_seconds,
    "size": cast(TradeRow.entry_notional, Double),
    "fees": cast(TradeRow.fees, Double),
}
RESULTS = ("won", "lost", "even", "open")


@dataclass(frozen=True)
class TradeFilter:
    """Trades of one workspace; what is left empty does not matter. Moments are UTC.

    ``since`` is within, ``until`` without, both of the closing; open trades pass by their opening.
    ``result``: one of ``RESULTS``.
    """

    bot: str = ""
    strategy: str = ""
    symbol: str = ""
    mode: str = ""
    side: str = ""
    kind: str = ""
    result: str = ""
    tag: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def condition(self, workspace_id: str) -> ColumnElement[bool]:
        """The filter as SQL."""
        exact = {
            TradeRow.bot_id: self.bot,
            TradeRow.symbol: self.symbol,
            TradeRow.mode: Mode(self.mode) if self.mode else None,
            TradeRow.side: Side(self.side) if self.side else None,
            TradeRow.exit_kind: self.kind,
        }
        parts = [TradeRow.workspace_id == workspace_id]
        parts += [column == wanted for column, wanted in exact.items() if wanted]
        if self.strategy:
            versions = select(StrategyVersion.id).where(
                StrategyVersion.strategy_id == self.strategy
            )
            runs = select(Run.id).where(Run.strategy_version_id.in_(versions))
            parts.append(TradeRow.run_id.in_(runs))
        if self.tag:
            mine = (TradeTag.trade_id == TradeRow.id) & (TradeTag.name == self.tag)
            parts.append(exists().where(mine))
        moment = func.coalesce(TradeRow.closed_at, TradeRow.opened_at)
        if self.since:
            parts.append(moment >= self.since)
        if self.until:
            parts.append(moment < self.until)
        return and_(*parts, *self._result())

    def _result(self) -> Iterator[ColumnElement[bool]]:
        told = {
            "won": TradeRow.result > 0,
            "lost": TradeRow.result < 0,
            "even": TradeRow.result == 0,
            "open": TradeRow.closed_at.is_(None),
        }
        if self.result in told:
            yield told[self.result]


@dataclass(frozen=True)
class Listed:
    """A trade as the list shows it. ``reset``: the paper balance began anew after it."""

    trade: TradeRow
    bot_name: str
    version: str
    note: str | None
    tags: list[str]
    reset: bool


def page(
    workspace: Workspace, wanted: TradeFilter, *, sort: str, rising: bool, number: int
) -> list[Listed]:
    """One page, ``PAGE`` trades and one more if there are any; ``number`` counts from one."""
    query = _ordered(workspace, wanted, sort, rising=rising)
    rows = db.session.execute(query.offset((number - 1) * PAGE).limit(PAGE + 1)).all()
    return _dressed(rows)


def count(workspace: Workspace, wanted: TradeFilter) -> int:
    """How many pass the filter."""
    query = select(func.count()).select_from(TradeRow).where(wanted.condition(workspace.id))
    return db.session.scalar(query) or 0


def everything(workspace_id: str, wanted: TradeFilter, batch: int = 500) -> Iterator[Listed]:
    """All that pass it, oldest first, a batch at a time."""
    last = 0
    base = _joined().where(wanted.condition(workspace_id)).order_by(TradeRow.number).limit(batch)
    while rows := db.session.execute(base.where(TradeRow.number > last)).all():
        yield from _dressed(rows)
        last = rows[-1][0].number


def offers(workspace: Workspace) -> dict[str, list[Any]]:
    """What there is to choose from: bots and strategies by name, symbols, kinds of exit, tags."""
    bots = select(Bot.id, Bot.name).where(Bot.workspace_id == workspace.id).order_by(Bot.name)
    strategies = select(Strategy.id, Strategy.name).where(Strategy.workspace_id == workspace.id)
    here = TradeRow.workspace_id == workspace.id
    return {
        "bots": list(db.session.execute(bots)),
        "strategies": list(db.session.execute(strategies.order_by(Strategy.name))),
        "symbols": _distinct(TradeRow.symbol, here),
        "kinds": [it for it in _distinct(TradeRow.exit_kind, here) if it],
        "tags": _distinct(TradeTag.name, TradeTag.workspace_id == workspace.id),
    }


def of_ids(workspace: Workspace, trade_ids: list[str]) -> list[Listed]:
    """Those of the workspace among them, in the order asked for."""
    here = (TradeRow.workspace_id == workspace.id) & TradeRow.id.in_(trade_ids)
    found = {it.trade.id: it for it in _dressed(db.session.execute(_joined().where(here)).all())}
    return [found[it] for it in dict.fromkeys(trade_ids) if it in found]


def _ordered(workspace: Workspace, wanted: TradeFilter, sort: str, *, rising: bool) -> Any:
    column = SORTS[sort]
    order = (column.asc().nulls_first(), TradeRow.number.asc())
    if not rising:
        order = (column.desc().nulls_first(), TradeRow.number.desc())
    return _joined().where(wanted.condition(workspace.id)).order_by(*order)


def _joined() -> Any:
    query = select(
        *(TradeRow, Bot.name, Strategy.name, StrategyVersion.number, TradeNote.text),
        Bot.paper_reset_at,
    )
    query = query.join(Bot, Bot.id == TradeRow.bot_id).join(Run, Run.id == TradeRow.run_id)
    query = query.join(StrategyVersion, StrategyVersion.id == Run.strategy_version_id)
    query = query.join(Strategy, Strategy.id == StrategyVersion.strategy_id)
    return query.outerjoin(TradeNote, TradeNote.trade_id == TradeRow.id)


def _dressed(rows: Any) -> list[Listed]:
    tags: dict[str, list[str]] = {row[0].id: [] for row in rows}
    known = select(TradeTag.trade_id, TradeTag.name).where(TradeTag.trade_id.in_(tags))
    for trade_id, name in db.session.execute(known.order_by(TradeTag.name)):
        tags[trade_id].append(name)
    return [
        Listed(trade, bot, label_of(strategy, number), note, tags[trade.id], trade.before(reset))
        for trade, bot, strategy, number, note, reset in rows
    ]


def _distinct(column: Any, where: Any) -> list[str]:
    return list(db.session.scalars(select(column).where(where).distinct().order_by(column)))
