"""What OKX says of an order, an algo order and a fill; sources as in ``okx``."""

from __future__ import annotations

from typing import Any

from runner.exchange.base import Execution, OrderKind, OrderReport
from runner.exchange.numbers import amount, exact, exact_or_none, price
from runner.exchange.quirks.venue import symbol_of, unit
from runner.exchange.sanity import moment
from runner.protocol import Flow, FlowKind, OrderStatus, Side

_STATUS = {
    "live": OrderStatus.OPEN,
    "partially_filled": OrderStatus.PARTIAL,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "mmp_canceled": OrderStatus.CANCELLED,
}
# "effective" says that it fired; what became of the order it fired is read from that order.
_ALGO_STATUS = {
    "live": OrderStatus.OPEN,
    "pause": OrderStatus.OPEN,
    "partially_effective": OrderStatus.OPEN,
    "effective": OrderStatus.OPEN,
    "canceled": OrderStatus.CANCELLED,
    "order_failed": OrderStatus.REJECTED,
    "partially_failed": OrderStatus.REJECTED,
}
_LIQUIDATION = {str(number) for number in range(100, 111)}
_DELEVERAGING = {"125", "126", "127", "128"}

# Types of bills that fills account for (trade, delivery, liquidation, ADL), or that move money
# between a position and the account (margin transfer).
TRADING = ("2", "3", "5", "6", "9")
_TRANSFER, _FUNDING = "1", "8"


def order_report(api: Any, row: dict[str, Any]) -> OrderReport:
    """An order fired by an algo order bears that one's client id, so that it is known as ours."""
    symbol = symbol_of(api, row["instId"])
    size = unit(api.market(symbol))
    client_id = str(row.get("algoClOrdId") or row["clOrdId"])
    what = f"order {client_id or row['ordId']}"
    return OrderReport(
        client_id=client_id,
        venue_id=str(row["ordId"]),
        symbol=symbol,
        side=Side(row["side"]),
        kind=OrderKind.MARKET if row["ordType"] == "market" else OrderKind.LIMIT,
        quantity=amount(row["sz"], f"the quantity of {what}") * size,
        status=_STATUS[row["state"]],
        filled=amount(row["accFillSz"] or 0, f"what was filled of {what}") * size,
        average=exact_or_none(row["avgPx"], f"the average price of {what}"),
        price=exact_or_none(row["px"], f"the price of {what}"),
        reduce_only=str(row.get("reduceOnly")).lower() == "true",
        fill_venue_id=str(row["ordId"]),
    )


def algo_report(api: Any, row: dict[str, Any]) -> OrderReport:
    symbol = symbol_of(api, row["instId"])
    size = unit(api.market(symbol))
    client_id = str(row.get("algoClOrdId") or row.get("clOrdId") or "")
    what = f"stop {client_id or row['algoId']}"
    trigger = row.get("slTriggerPx") or row.get("triggerPx") or row.get("tpTriggerPx")
    fired = row.get("ordIdList") or [row.get("ordId") or ""]
    return OrderReport(
        client_id=client_id,
        venue_id=str(row["algoId"]),
        symbol=symbol,
        side=Side(row["side"]),
        kind=OrderKind.STOP_MARKET,
        # Empty where an order closes a share of the position instead of a quantity.
        quantity=amount(row["sz"] or 0, f"the quantity of {what}") * size,
        status=_ALGO_STATUS[row["state"]],
        filled=amount(0) * size,
        average=None,
        price=exact_or_none(trigger, f"the trigger of {what}"),
        reduce_only=str(row.get("reduceOnly")).lower() == "true",
        fill_venue_id=str(fired[-1]),
    )


def execution(api: Any, symbol: str, row: dict[str, Any]) -> Execution:
    """OKX writes a fee that was paid as a negative number."""
    what, kind = f"trade {row['tradeId']}", str(row.get("subType") or "")
    reason = "liquidation" if kind in _LIQUIDATION else ""
    return Execution(
        trade_id=f"{row['instId']}:{row['tradeId']}",
        venue_id=str(row["ordId"]),
        symbol=symbol,
        side=Side(row["side"]),
        price=price(row["fillPx"], f"the price of {what}"),
        quantity=price(row["fillSz"], f"the quantity of {what}") * unit(api.market(symbol)),
        fee=-exact(row["fee"] or 0, f"the fee of {what}"),
        fee_currency=str(row["feeCcy"]),
        liquidity="maker" if row["execType"] == "M" else "taker",
        at=moment(row["ts"], f"the time of {what}"),
        reason="auto-deleveraging" if kind in _DELEVERAGING else reason,
    )


def flow(api: Any, row: dict[str, Any]) -> Flow:
    change, kind = exact(row["balChg"], "a change of the balance"), FlowKind.OTHER
    if row["type"] == _TRANSFER:
        kind = FlowKind.DEPOSIT if change > 0 else FlowKind.WITHDRAWAL
    elif row["type"] == _FUNDING:
        kind = FlowKind.FUNDING
    return Flow(
        id=str(row["billId"]),
        kind=kind,
        amount=change,
        currency=str(row["ccy"]),
        at=moment(row["ts"], "the time of a bill"),
        symbol=symbol_of(api, row["instId"]) if row["instId"] else None,
    )
