"""What a tax office asks for: each fill, trade, fee, funding, deposit and withdrawal of a year.

The columns are explained in docs/tax-export.md; a test compares.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select, tuple_

from app.extensions import db
from app.models import Bot, CashFlow, Connection, FillRow, OrderRow, Run, TradeRow, Workspace
from runner.protocol import FlowKind, Mode

COLUMNS = (
    *("at_utc", "at_local", "kind", "mode", "exchange", "account", "bot", "symbol"),
    *("side", "quantity", "price", "notional", "currency", "amount", "fee", "fee_currency"),
    *("trade", "order", "reference", "purpose"),
)
BATCH = 500
CREDIT = {FlowKind.OTHER: "credit"}
Row = tuple[object, ...]


@dataclass(frozen=True)
class Year:
    """A year of a workspace by its own clock, in one mode; plain values, for files are streamed."""

    workspace_id: str
    zone: ZoneInfo
    number: int
    mode: Mode

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Its first moment, and the first one after it."""
        first, after = (
            datetime(it, 1, 1, tzinfo=self.zone) for it in (self.number, self.number + 1)
        )
        return first, after


def year_of(workspace: Workspace, number: int, mode: Mode) -> Year:
    """A year of a workspace."""
    return Year(workspace.id, ZoneInfo(workspace.zone), number, mode)


def years(workspace: Workspace, now: datetime) -> list[int]:
    """Those in which a bot of the workspace ran, the newest first."""
    zone = ZoneInfo(workspace.zone)
    query = select(func.min(Run.started_at)).where(Run.workspace_id == workspace.id)
    begun = db.session.scalar(query)
    last = now.astimezone(zone).year
    return list(range(last, (begun.astimezone(zone).year if begun else last) - 1, -1))


def rows(year: Year) -> Iterator[Row]:
    """In order of time, a batch of each kind in memory at once."""
    streams = (_fills(year), _trades(year), _flows(year))
    for at, _, cells in heapq.merge(*streams, key=itemgetter(0, 1)):
        yield (at.isoformat(), at.astimezone(year.zone).isoformat(), *cells)


def _fills(year: Year) -> Iterator[tuple[datetime, int, Row]]:
    query = _of(year, FillRow, FillRow.filled_at, OrderRow.purpose)
    query = query.outerjoin(
        OrderRow, (OrderRow.run_id == FillRow.run_id) & (OrderRow.client_id == FillRow.client_id)
    )
    for fill, place, purpose in _batches(query, FillRow, FillRow.filled_at):
        notional = fill.price * fill.quantity
        cells = (
            *("fill", *place, fill.symbol, fill.side.value, fill.quantity, fill.price, notional),
            *(None, None, fill.fee, fill.fee_currency),
            *(None, fill.client_id, fill.trade_id, purpose),
        )
        yield fill.filled_at, 0, cells


def _trades(year: Year) -> Iterator[tuple[datetime, int, Row]]:
    """A closed trade sums up its fills: its amount is the result after fees and funding."""
    query = _of(year, TradeRow, TradeRow.closed_at, TradeRow.exit_kind)
    for trade, place, purpose in _batches(query, TradeRow, TradeRow.closed_at):
        side = "long" if trade.side == "buy" else "short"
        cells = (
            *("trade", *place, trade.symbol, side, trade.entered, trade.entry_price),
            *(trade.entry_notional, trade.currency, trade.net, trade.fees, trade.currency),
            *(trade.id, None, None, purpose),
        )
        yield trade.closed_at, 1, cells


def _flows(year: Year) -> Iterator[tuple[datetime, int, Row]]:
    """Money without a trade; what several bots told of one account stands here once."""
    account = func.coalesce(Connection.venue_account, Connection.account_digest, Run.id)
    seen: set[tuple[str, str]] = set()
    for flow, place, name in _batches(
        _of(year, CashFlow, CashFlow.at, account), CashFlow, CashFlow.at
    ):
        if (name, flow.flow_id) in seen:
            continue
        seen.add((name, flow.flow_id))
        kind = CREDIT.get(flow.kind, flow.kind.value)
        nothing = (None, None, None, None)
        cells = (
            *(kind, *place, flow.symbol, *nothing, flow.currency, flow.amount, None, None),
            *(None, None, flow.flow_id, None),
        )
        yield flow.at, 2, cells


def _of(year: Year, kind: Any, moment: Any, more: Any) -> Select[Any]:
    first, after = year.bounds
    query = select(kind, Run.mode, Bot.exchange, Connection.label, Bot.name, more)
    query = query.join(Run, Run.id == kind.run_id).join(Bot, Bot.id == kind.bot_id)
    query = query.outerjoin(Connection, Connection.id == Run.connection_id)
    return query.where(
        kind.workspace_id == year.workspace_id,
        Run.mode == year.mode,
        moment >= first,
        moment < after,
    )


def _batches(query: Select[Any], kind: Any, moment: Any) -> Iterator[tuple[Any, Row, Any]]:
    """Rows by moment and number, each batch from where the last one ended."""
    query = query.order_by(moment, kind.number).limit(BATCH)
    following = query
    while found := db.session.execute(following).all():
        for row, mode, exchange, label, bot, more in found:
            yield row, (mode.value, exchange, label, bot), more
        last = found[-1][0]
        reached = tuple_(getattr(last, moment.key), last.number)
        following = query.where(tuple_(moment, kind.number) > reached)
