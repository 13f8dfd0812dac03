"""The trades of a filter as a table for spreadsheets."""

from collections.abc import Iterator

from app.domain.trades import listing
from app.domain.trades.listing import Listed, TradeFilter

COLUMNS = (
    *("trade", "bot", "strategy", "mode", "symbol", "side", "currency"),
    *("opened_at_utc", "closed_at_utc", "quantity", "entry_price", "exit_price"),
    *("entry_notional", "exit_notional", "fees", "funding", "net"),
    *("held_seconds", "exit", "exit_reason", "tags", "note"),
)


def rows(workspace_id: str, wanted: TradeFilter) -> Iterator[tuple[object, ...]]:
    """One row a trade, oldest first; what is not known is empty."""
    for it in listing.everything(workspace_id, wanted):
        yield _row(it)


def _row(it: Listed) -> tuple[object, ...]:
    trade = it.trade
    closed = trade.closed_at is not None
    return (
        *(trade.id, it.bot_name, it.version, trade.mode.value, trade.symbol),
        *("long" if trade.side == "buy" else "short", trade.currency),
        *(trade.opened_at.isoformat(), trade.closed_at.isoformat() if trade.closed_at else None),
        *(trade.entered, trade.entry_price, trade.exit_price),
        *(trade.entry_notional, trade.exit_notional, trade.fees, trade.funding),
        *(trade.net if closed else None, trade.held_seconds),
        *(trade.exit_kind, trade.exit_reason, ", ".join(it.tags), it.note),
    )
