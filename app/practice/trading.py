"""Trading: the signed routes for orders, conditional orders and what came of them."""

from __future__ import annotations

from typing import Any

from app.practice import errors, shapes
from app.practice.orders import Conditional
from app.practice.routes import Call, Route, per_symbol, signed

Json = dict[str, Any]
_DONE = {"code": 200, "msg": "The operation of cancel all open order is done."}


def new_order(call: Call) -> Json:
    order = call.desk.place(call.account, call.params, call.ms)
    wants_result = call.params.text("newOrderRespType", "ACK") == "RESULT"
    return shapes.changed(order) if wants_result else shapes.acknowledged(order)


def query_order(call: Call) -> Json:
    call.holder()
    return shapes.queried(call.desk.find_order(call.account, call.params))


def open_order(call: Call) -> Json:
    call.holder()
    order = call.desk.find_order(call.account, call.params)
    if not order.live:
        raise errors.unknown_order()
    return shapes.queried(order)


def cancel_order(call: Call) -> Json:
    return shapes.changed(call.desk.cancel(call.account, call.params, call.ms))


def cancel_all(call: Call) -> Json:
    call.desk.cancel_all(call.account, call.params.instrument().symbol, call.ms)
    return _DONE


def open_orders(call: Call) -> list[Json]:
    symbol, orders = call.symbol(), call.holder().orders.values()
    return [shapes.queried(one) for one in orders if symbol in (None, one.symbol)]


def all_orders(call: Call) -> list[Json]:
    call.holder()
    call.params.instrument()
    page = call.page(500) | {"from_id": call.params.optional_whole("orderId")}
    return [shapes.queried(one) for one in call.desk.store.orders(call.account, **page)]


def user_trades(call: Call) -> list[Json]:
    call.holder()
    page = call.page(500) | {"from_id": call.params.optional_whole("fromId")}
    page |= {"order_id": call.params.optional_whole("orderId")}
    return [shapes.fill(one) for one in call.desk.store.fills(call.account, **page)]


def new_conditional(call: Call) -> Json:
    return shapes.conditional(call.desk.place_conditional(call.account, call.params, call.ms))


def _conditional(call: Call, one: Conditional) -> Json:
    became = call.desk.store.orders(call.account, id=one.order_id) if one.order_id else []
    return shapes.conditional_queried(one, became[0] if became else None)


def query_conditional(call: Call) -> Json:
    call.holder()
    return _conditional(call, call.desk.find_conditional(call.account, call.params))


def cancel_conditional(call: Call) -> Json:
    gone = call.desk.cancel_conditional(call.account, call.params, call.ms)
    return {"algoId": gone.id, "clientAlgoId": gone.client_id, "code": "200", "msg": "success"}


def cancel_all_conditionals(call: Call) -> Json:
    call.desk.cancel_all_conditionals(call.account, call.params.instrument().symbol, call.ms)
    return _DONE


def open_conditionals(call: Call) -> list[Json]:
    symbol, waiting = call.symbol(), call.holder().conditionals.values()
    return [_conditional(call, one) for one in waiting if symbol in (None, one.symbol)]


def all_conditionals(call: Call) -> list[Json]:
    call.holder()
    call.params.instrument()
    page = call.page(500) | {"from_id": call.params.optional_whole("algoId")}
    found = call.desk.store.conditionals(call.account, **page)
    return [_conditional(call, one) for one in found]


ROUTES = (
    signed("POST", "/fapi/v1/order", new_order, 0, order=True),
    signed("GET", "/fapi/v1/order", query_order),
    signed("DELETE", "/fapi/v1/order", cancel_order),
    signed("GET", "/fapi/v1/openOrder", open_order),
    Route("GET", "/fapi/v1/openOrders", open_orders, per_symbol(1, 40), signed=True),
    signed("DELETE", "/fapi/v1/allOpenOrders", cancel_all),
    signed("GET", "/fapi/v1/allOrders", all_orders, 5),
    signed("GET", "/fapi/v1/userTrades", user_trades, 5),
    signed("POST", "/fapi/v1/algoOrder", new_conditional, 0, order=True),
    signed("GET", "/fapi/v1/algoOrder", query_conditional),
    signed("DELETE", "/fapi/v1/algoOrder", cancel_conditional),
    signed("DELETE", "/fapi/v1/algoOpenOrders", cancel_all_conditionals),
    Route("GET", "/fapi/v1/openAlgoOrders", open_conditionals, per_symbol(1, 40), signed=True),
    signed("GET", "/fapi/v1/allAlgoOrders", all_conditionals, 5),
)
