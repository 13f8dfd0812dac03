"""What KuCoin says of an order, a fill and a change of the wallet; sources as in ``kucoin``."""

from __future__ import annotations

from typing import Any

from runner.exchange.base import Execution, OrderKind, OrderReport
from runner.exchange.numbers import NoNumber, amount, exact, exact_or_none, price
from runner.exchange.quirks.venue import symbol_of, unit
from runner.exchange.sanity import moment
from runner.protocol import Flow, FlowKind, OrderStatus, Side

# Trades that move a position ("tradeType"); the older pages spell two of them otherwise.
REASONS = {
    "trade": "",
    "liquid": "liquidation",
    "liquidation": "liquidation",
    "adl": "auto-deleveraging",
    "settlement": "settlement",
}
TRADING = "RealisedPNL"
"""Of the ledger: profit, fees and funding of eight hours in one; fills and funding say more."""
_IN = ("TransferIn", "Deposit")
_OUT = ("TransferOut", "Withdrawal")


def report(api: Any, row: dict[str, Any]) -> OrderReport:
    """A stop stays one order when it fires; ``stop`` says that it was one."""
    symbol = symbol_of(api, row["symbol"])
    size = unit(api.market(symbol))
    client_id = str(row["clientOid"] or "")
    what = f"order {client_id or row['id']}"
    ordered = amount(row["size"], f"the quantity of {what}")
    filled = amount(row["filledSize"] or 0, f"what was filled of {what}")
    stops, limits = bool(row["stop"]), row["type"] == "limit"
    kind = OrderKind.LIMIT if limits else OrderKind.MARKET
    asked = row["stopPrice"] if stops else row["price"]
    return OrderReport(
        client_id=client_id,
        venue_id=str(row["id"]),
        symbol=symbol,
        side=Side(row["side"]),
        kind=OrderKind.STOP_MARKET if stops else kind,
        quantity=ordered * size,
        status=_status(row["status"], filled, ordered),
        filled=filled * size,
        average=exact_or_none(row["avgDealPrice"], f"the average price of {what}"),
        price=exact_or_none(asked, f"the price of {what}"),
        reduce_only=bool(row["reduceOnly"]),
        fill_venue_id=str(row["id"]),
    )


def _status(said: str, filled: Any, ordered: Any) -> OrderStatus:
    """KuCoin knows "open" and "done" alone; what is done and not whole was cancelled."""
    if said == "open":
        return OrderStatus.PARTIAL if filled else OrderStatus.OPEN
    if said == "done":
        return OrderStatus.FILLED if filled >= ordered else OrderStatus.CANCELLED
    raise NoNumber(f"the venue sent an unknown state of an order: {said[:40]!r}")


def execution(api: Any, symbol: str, row: dict[str, Any]) -> Execution:
    """A fee that was paid is a positive number; the time is in nanoseconds."""
    what = f"trade {row['tradeId']}"
    return Execution(
        trade_id=f"{row['symbol']}:{row['tradeId']}",
        venue_id=str(row["orderId"]),
        symbol=symbol,
        side=Side(row["side"]),
        price=price(row["price"], f"the price of {what}"),
        quantity=price(row["size"], f"the quantity of {what}") * unit(api.market(symbol)),
        fee=exact(row["fee"] or 0, f"the fee of {what}"),
        fee_currency=str(row["feeCurrency"]),
        liquidity="maker" if row["liquidity"] == "maker" else "taker",
        at=moment(int(exact(row["tradeTime"], f"the time of {what}")) // 1_000_000),
        reason=REASONS[str(row["tradeType"]).lower()],
    )


def flow(row: dict[str, Any]) -> Flow:
    """The direction is the type's: no document says whether what went out is below zero."""
    change, kind = exact(row["amount"], "a change of the wallet"), FlowKind.OTHER
    if row["type"] in _IN:
        change, kind = abs(change), FlowKind.DEPOSIT
    elif row["type"] in _OUT:
        change, kind = -abs(change), FlowKind.WITHDRAWAL
    return Flow(
        id=f"{row['type']}:{row['offset']}",
        kind=kind,
        amount=change,
        currency=str(row["currency"]),
        at=moment(row["time"], "the time of a change of the wallet"),
        symbol=None,
    )


def funding(api: Any, row: dict[str, Any]) -> Flow:
    """What is positive was received ("Get Private Funding History")."""
    return Flow(
        id=f"funding:{row['id']}",
        kind=FlowKind.FUNDING,
        amount=exact(row["funding"], "a funding fee"),
        currency=str(row["settleCurrency"]),
        at=moment(row["timePoint"], "the time of a funding fee"),
        symbol=symbol_of(api, row["symbol"]),
    )
