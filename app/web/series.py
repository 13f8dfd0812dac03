"""Data for the charts of a bot: plain numbers for drawing, made from exact rows."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.models import CandleRow, CashFlow, EquityPoint, TradeRow
from app.web.formatting import decimals, plain
from runner.protocol import FlowKind

TRANSFERS = (FlowKind.DEPOSIT, FlowKind.WITHDRAWAL)


def candle_points(rows: list[CandleRow]) -> list[dict[str, Any]]:
    """Candles by opening second."""
    return [
        {
            "time": _stamp(row.opened_at),
            "open": float(row.open),
            "high": float(row.high),
            "low": float(row.low),
            "close": float(row.close),
        }
        for row in rows
    ]


def price_decimals(rows: list[CandleRow]) -> int:
    """The decimals the prices of these candles need."""
    return decimals((price for row in rows[-50:] for price in (row.open, row.close)), least=1)


def markers(trades: Iterable[TradeRow], symbol: str, candles: list[CandleRow]) -> list[Any]:
    """Where trades were opened and closed, on the candles that hold those moments."""
    starts = [_stamp(row.opened_at) for row in candles]
    found = []
    for trade in trades:
        if trade.symbol == symbol:
            found += _of_trade(trade, starts)
    return sorted(found, key=lambda mark: mark["time"])


def _of_trade(trade: TradeRow, starts: list[int]) -> list[dict[str, Any]]:
    marks = []
    entry = _candle_of(trade.opened_at, starts)
    if entry is not None:
        text = "long" if trade.side == "buy" else "short"
        marks.append({"time": entry, "side": trade.side, "opens": True, "text": text})
    end = _candle_of(trade.closed_at, starts) if trade.closed_at else None
    if end is not None:
        side = "sell" if trade.side == "buy" else "buy"
        text = plain(trade.net, 2, sign=True)
        marks.append(
            {"time": end, "side": side, "opens": False, "gain": trade.net >= 0, "text": text}
        )
    return marks


def equity_points(rows: list[EquityPoint], flows: list[CashFlow]) -> list[dict[str, Any]]:
    """Equity by second, deposits and withdrawals so far taken out; a second's last word counts.

    ``flows`` oldest first, as ``rows`` are.
    """
    transfers = [flow for flow in flows if flow.kind in TRANSFERS]
    paid, by_second = Decimal(0), {}
    for row in rows:
        while transfers and transfers[0].at <= row.at:
            paid += transfers.pop(0).amount
        by_second[_stamp(row.at)] = float(row.equity - paid)
    return [{"time": stamp, "value": value} for stamp, value in sorted(by_second.items())]


def flow_sums(flows: list[CashFlow]) -> list[tuple[FlowKind, str, Decimal]]:
    """What came and went, by kind and currency."""
    sums: dict[tuple[FlowKind, str], Decimal] = {}
    for flow in flows:
        name = (flow.kind, flow.currency)
        sums[name] = sums.get(name, Decimal(0)) + flow.amount
    return [(kind, currency, amount) for (kind, currency), amount in sorted(sums.items())]


def _candle_of(moment: datetime, starts: list[int]) -> int | None:
    """The opening second of the newest candle that does not begin after ``moment``."""
    stamp = _stamp(moment)
    before = [start for start in starts if start <= stamp]
    return before[-1] if before else None


def _stamp(moment: datetime) -> int:
    return int(moment.timestamp())
