"""How orders, trades and incomes are spelt in JSON: the field names of Binance USD-M futures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.practice.instruments import INSTRUMENTS
from app.practice.orders import ZERO, Conditional, Fill, IncomeEntry, Order

Json = dict[str, Any]


def plain(value: Decimal) -> str:
    """Without exponent, as short as it is exact."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: Decimal) -> str:
    return format(value, ".8f")


def price_of(symbol: str, price: Decimal) -> str:
    """A price with the decimals of its instrument's tick."""
    return format(price.quantize(INSTRUMENTS[symbol].tick), "f")


def qty_of(symbol: str, qty: Decimal) -> str:
    return format(qty.quantize(INSTRUMENTS[symbol].step), "f")


def _order(one: Order) -> Json:
    return {
        "orderId": one.id,
        "symbol": one.symbol,
        "status": one.status.value,
        "clientOrderId": one.client_id,
        "price": price_of(one.symbol, one.price),
        "avgPrice": money(one.average),
        "origQty": qty_of(one.symbol, one.qty),
        "executedQty": qty_of(one.symbol, one.executed),
        "cumQuote": money(one.quote),
        "timeInForce": one.tif,
        "type": one.type,
        "reduceOnly": one.reduce_only,
        "closePosition": one.close_position,
        "side": one.side.value,
        "positionSide": "BOTH",
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": one.orig_type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "updateTime": one.updated,
    }


def queried(one: Order) -> Json:
    """An order as query and list requests answer it."""
    return {**_order(one), "time": one.created}


def changed(one: Order) -> Json:
    """An order as new and cancel requests answer it."""
    return {**_order(one), "cumQty": qty_of(one.symbol, one.executed)}


def acknowledged(one: Order) -> Json:
    """A new order as answered to those who asked for no result."""
    nothing = qty_of(one.symbol, ZERO)
    untouched = {"status": "NEW", "executedQty": nothing, "cumQty": nothing}
    return {**changed(one), **untouched, "cumQuote": money(ZERO), "avgPrice": money(ZERO)}


def conditional(one: Conditional) -> Json:
    """A conditional order as the request that placed it is answered."""
    return {
        "algoId": one.id,
        "clientAlgoId": one.client_id,
        "algoType": "CONDITIONAL",
        "orderType": one.type,
        "symbol": one.symbol,
        "side": one.side.value,
        "positionSide": "BOTH",
        "timeInForce": one.tif,
        "quantity": qty_of(one.symbol, one.qty),
        "algoStatus": one.status.value,
        "triggerPrice": price_of(one.symbol, one.trigger),
        "price": price_of(one.symbol, one.price),
        "icebergQuantity": None,
        "selfTradePreventionMode": "NONE",
        "workingType": one.working,
        "priceMatch": "NONE",
        "closePosition": one.close_position,
        "priceProtect": False,
        "reduceOnly": one.reduce_only,
        "createTime": one.created,
        "updateTime": one.updated,
        "triggerTime": one.triggered,
        "goodTillDate": 0,
    }


def conditional_queried(one: Conditional, became: Order | None) -> Json:
    """A conditional order with the order it turned into, if it did."""
    row = {**conditional(one), "tpOrderType": "", "actualOrderId": "", "actualPrice": "0.00000"}
    if became is not None:
        row |= {"actualOrderId": str(became.id), "actualPrice": money(became.average)}
        row |= {"actualType": became.type, "actualQty": qty_of(one.symbol, became.executed)}
    return row


def fill(one: Fill) -> Json:
    return {
        "symbol": one.symbol,
        "id": one.id,
        "orderId": one.order_id,
        "side": one.side.value,
        "price": price_of(one.symbol, one.price),
        "qty": qty_of(one.symbol, one.qty),
        "realizedPnl": money(one.realized),
        "quoteQty": plain(one.price * one.qty),
        "commission": money(one.fee),
        "commissionAsset": "USDT",
        "time": one.time,
        "positionSide": "BOTH",
        "buyer": one.side.value == "BUY",
        "maker": one.maker,
    }


def income(one: IncomeEntry) -> Json:
    return {
        "symbol": one.symbol,
        "incomeType": one.kind.value,
        "income": money(one.amount),
        "asset": "USDT",
        "info": one.kind.value,
        "time": one.time,
        "tranId": one.id,
        "tradeId": one.trade_id,
    }
