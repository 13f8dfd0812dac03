"""What Bybit says of an order, an execution and a change of the wallet; sources as in ``bybit``."""

from __future__ import annotations

from typing import Any

from runner.exchange.base import Execution, OrderKind, OrderReport
from runner.exchange.numbers import amount, exact, exact_or_none, price
from runner.exchange.quirks.venue import symbol_of
from runner.exchange.sanity import moment
from runner.protocol import Flow, FlowKind, OrderStatus, Side

_STATUS = {
    "New": OrderStatus.OPEN,
    "PartiallyFilled": OrderStatus.PARTIAL,
    "Untriggered": OrderStatus.OPEN,
    "Triggered": OrderStatus.OPEN,  # on its way from Untriggered to New
    "Filled": OrderStatus.FILLED,
    "Cancelled": OrderStatus.CANCELLED,
    "PartiallyFilledCanceled": OrderStatus.CANCELLED,
    "Deactivated": OrderStatus.CANCELLED,
    "Rejected": OrderStatus.REJECTED,
}
_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
# Executions that move a position (enum, execType); funding and settlements are something else.
REASONS = {"Trade": "", "AdlTrade": "auto-deleveraging", "BustTrade": "liquidation"}
_FLOWS = {
    "TRANSFER_IN": FlowKind.DEPOSIT,
    "TRANSFER_OUT": FlowKind.WITHDRAWAL,
    "SETTLEMENT": FlowKind.FUNDING,
}


def report(api: Any, row: dict[str, Any]) -> OrderReport:
    what = f"order {row['orderLinkId'] or row['orderId']}"
    trigger = exact_or_none(row.get("triggerPrice"), f"the trigger of {what}")
    kind = OrderKind.LIMIT if row["orderType"] == "Limit" else OrderKind.MARKET
    return OrderReport(
        client_id=str(row["orderLinkId"]),
        venue_id=str(row["orderId"]),
        symbol=symbol_of(api, row["symbol"]),
        side=_SIDES[row["side"]],
        kind=OrderKind.STOP_MARKET if trigger is not None else kind,
        quantity=amount(row["qty"], f"the quantity of {what}"),
        status=_STATUS[row["orderStatus"]],
        filled=amount(row["cumExecQty"] or 0, f"what was filled of {what}"),
        average=exact_or_none(row.get("avgPrice"), f"the average price of {what}"),
        price=trigger or exact_or_none(row["price"], f"the price of {what}"),
        reduce_only=bool(row["reduceOnly"]),
        fill_venue_id=str(row["orderId"]),
    )


def flow(api: Any, row: dict[str, Any]) -> Flow:
    return Flow(
        id=str(row.get("id") or f"{row['type']}:{row['transactionTime']}:{row['change']}"),
        kind=_FLOWS.get(row["type"], FlowKind.OTHER),
        amount=exact(row["change"], f"a change of the wallet ({row['type']})"),
        currency=str(row["currency"]),
        at=moment(row["transactionTime"], "the time of a change of the wallet"),
        symbol=symbol_of(api, row["symbol"]) if row["symbol"] else None,
    )


def execution(symbol: str, row: dict[str, Any]) -> Execution:
    what = f"trade {row['execId']}"
    return Execution(
        trade_id=f"{row['symbol']}:{row['execId']}",
        venue_id=str(row["orderId"]),
        symbol=symbol,
        side=_SIDES[row["side"]],
        price=price(row["execPrice"], f"the price of {what}"),
        quantity=price(row["execQty"], f"the quantity of {what}"),
        fee=exact(row["execFee"] or 0, f"the fee of {what}"),
        fee_currency=str(row.get("feeCurrency") or symbol.rpartition(":")[2]),
        liquidity="maker" if row["isMaker"] in (True, "true") else "taker",
        at=moment(row["execTime"], f"the time of {what}"),
        reason=REASONS[row["execType"]],
    )
