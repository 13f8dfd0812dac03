"""What Phemex says of an order, an execution and a change of the wallet; sources as ``phemex``."""

from __future__ import annotations

from typing import Any

from runner.exchange.base import Execution, OrderKind, OrderReport
from runner.exchange.numbers import amount, exact, exact_or_none, price
from runner.exchange.quirks.venue import symbol_of
from runner.exchange.sanity import moment
from runner.protocol import Flow, FlowKind, OrderStatus, Side

_STATUS = {
    "Created": OrderStatus.OPEN,
    "Init": OrderStatus.OPEN,
    "Untriggered": OrderStatus.OPEN,
    "Triggered": OrderStatus.OPEN,  # on its way from Untriggered to New
    "New": OrderStatus.OPEN,
    "PartiallyFilled": OrderStatus.PARTIAL,
    "Filled": OrderStatus.FILLED,
    "Canceled": OrderStatus.CANCELLED,
    "Deactivated": OrderStatus.CANCELLED,
    "Rejected": OrderStatus.REJECTED,
}
_KINDS = {
    "Limit": OrderKind.LIMIT,
    "Market": OrderKind.MARKET,
    **dict.fromkeys(
        ("Stop", "StopLimit", "MarketIfTouched", "LimitIfTouched"), OrderKind.STOP_MARKET
    ),
}
_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_REDUCING = ("ReduceOnly", "CloseOnTrigger")
# Trades that move a position ("Trade Type"); funding is read from a list of its own.
REASONS = {"Trade": "", "AdlTrade": "auto-deleveraging", "LiqTrade": "liquidation"}
# "Funds Biz Type": fills account for these. The names of the others are in Phemex's table.
TRADING = ("REALIZED_PNL", "COMMISSION")
_TRANSFERS = (
    "TRANSFER",
    "SUB_TO_PARENT_TRANSFER",
    "PARENT_TO_SUB_TRANSFER",
    "COPY_TRADE_TRANSFER",
    "MARGIN_TRANSFER",
)


def report(api: Any, row: dict[str, Any]) -> OrderReport:
    """An order as the list of open ones or the search by ids has it: their names differ."""
    venue_id = str(row["orderID"] if "orderID" in row else row["orderId"])
    client_id = str(row["clOrdID"] if "clOrdID" in row else row["clOrdId"])
    kind = _KINDS.get(row["orderType"] if "orderType" in row else row["ordType"], OrderKind.LIMIT)
    what = f"order {client_id or venue_id}"
    trigger = exact_or_none(row.get("stopPxRp"), f"the trigger of {what}")
    if trigger is not None:
        kind = OrderKind.STOP_MARKET
    limit = exact_or_none(row["priceRp"], f"the price of {what}")
    filled = amount(row["cumQtyRq"], f"what was filled of {what}")
    worth = amount(row["cumValueRv"], f"the value of what was filled of {what}")
    return OrderReport(
        client_id=client_id,
        venue_id=venue_id,
        symbol=symbol_of(api, row["symbol"]),
        side=_SIDES[row["side"]],
        kind=kind,
        quantity=amount(row["orderQtyRq"], f"the quantity of {what}"),
        status=_STATUS[row["ordStatus"]],
        filled=filled,
        # One contract is one unit of the base currency.
        average=worth / filled if filled else None,
        # A market order's is the worst it may come to.
        price={OrderKind.LIMIT: limit, OrderKind.STOP_MARKET: trigger}.get(kind),
        reduce_only=row.get("reduceOnly") is True or row.get("execInst") in _REDUCING,
        fill_venue_id=venue_id,  # a stop that fires stays the same order
    )


def execution(symbol: str, row: dict[str, Any]) -> Execution:
    what = f"trade {row['execID']}"
    return Execution(
        trade_id=f"{row['symbol']}:{row['execID']}",
        venue_id=str(row["orderID"]),
        symbol=symbol,
        side=_SIDES[row["side"]],
        price=price(row["execPriceRp"], f"the price of {what}"),
        quantity=price(row["execQtyRq"], f"the quantity of {what}"),
        fee=exact(row["execFeeRv"], f"the fee of {what}"),
        fee_currency=str(row["currency"]),
        liquidity="maker" if row["execStatus"] == "MakerFill" else "taker",
        at=moment(exact(row["transactTimeNs"], f"the time of {what}") // 1_000_000),
        reason=REASONS[row["tradeType"]],
    )


def funding(api: Any, row: dict[str, Any]) -> Flow:
    """A fee: what was paid is above zero (a long's at a positive rate)."""
    return Flow(
        id=f"funding:{row['symbol']}:{row['createTime']}",
        kind=FlowKind.FUNDING,
        amount=-exact(row["execFeeRv"], f"a funding fee of {row['symbol']}"),
        currency=str(row["currency"]),
        at=moment(row["createTime"], "the time of a funding fee"),
        symbol=symbol_of(api, row["symbol"]),
    )


def change(row: dict[str, Any]) -> Flow:
    """A change of the wallet that is neither trading nor funding; it has no number of its own."""
    told, kind = exact(row["amountRv"], "a change of the wallet"), FlowKind.OTHER
    if row["typeDesc"] in _TRANSFERS:
        kind = FlowKind.DEPOSIT if told > 0 else FlowKind.WITHDRAWAL
    return Flow(
        id=f"{row['typeDesc']}:{row['createTime']}:{row['amountRv']}:{row['balanceRv']}",
        kind=kind,
        amount=told,
        currency=str(row["currency"]),
        at=moment(row["createTime"], "the time of a change of the wallet"),
    )
