"""What an order must satisfy before the engine looks at it: the exchange's filters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from app.practice import errors
from app.practice.errors import Refusal
from app.practice.instruments import PRICE_BAND, Instrument
from app.practice.orders import ZERO, Side
from app.practice.params import Params

_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
ORDER_TYPES = ("LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET")
CONDITIONAL_TYPES = ORDER_TYPES[2:]
TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "GTX")


@dataclass(frozen=True)
class Request:
    """A checked wish for an order; ``price`` is 0 for market, ``trigger`` 0 unless conditional."""

    instrument: Instrument
    side: Side
    type: str
    tif: str
    qty: Decimal
    price: Decimal
    reduce_only: bool
    client_id: str
    close_position: bool = False
    trigger: Decimal = ZERO
    working: str = "CONTRACT_PRICE"

    @property
    def market(self) -> bool:
        return "MARKET" in self.type


def order_request(params: Params, instrument: Instrument, fresh_id: str) -> Request:
    """Read ``POST /fapi/v1/order``."""
    kind = params.choice("type", ORDER_TYPES, Refusal(-1116, "Invalid orderType."))
    if kind in CONDITIONAL_TYPES:
        raise Refusal(
            -4120,
            "Order type not supported for this endpoint. "
            "Please use the Algo Order API endpoints instead.",
        )
    return _request(params, instrument, kind, params.text("newClientOrderId", fresh_id))


def conditional_request(params: Params, instrument: Instrument, fresh_id: str) -> Request:
    """Read ``POST /fapi/v1/algoOrder``."""
    params.choice("algoType", ("CONDITIONAL",), errors.invalid("algoType"))
    kind = params.choice("type", CONDITIONAL_TYPES, Refusal(-1116, "Invalid orderType."))
    return _request(params, instrument, kind, params.text("clientAlgoId", fresh_id))


def _request(params: Params, instrument: Instrument, kind: str, client_id: str) -> Request:
    if not _CLIENT_ID.fullmatch(client_id):
        raise Refusal(-4015, "Client order id is not valid.")
    if params.text("positionSide", "BOTH") != "BOTH":
        raise Refusal(-4061, "Order's position side does not match user's setting.")
    side = Side(params.choice("side", tuple(Side), Refusal(-1117, "Invalid side.")))
    market = "MARKET" in kind
    if market or kind in CONDITIONAL_TYPES:
        tif = params.text("timeInForce", "GTC")
    else:
        tif = params.text("timeInForce")
    if tif not in TIMES_IN_FORCE:
        raise Refusal(-1115, "Invalid timeInForce.")
    close = params.flag("closePosition")
    if close and not (market and kind in CONDITIONAL_TYPES):
        raise Refusal(-4136, "Target strategy invalid for orderType " + kind + ",closePosition")
    if close and params.text("quantity", ""):
        raise Refusal(-4137, "Quantity must be zero with closePosition equals true")
    working = params.text("workingType", "CONTRACT_PRICE")
    if working not in ("MARK_PRICE", "CONTRACT_PRICE"):
        raise Refusal(-4031, "Invalid parameter working type: " + working)
    return Request(
        instrument=instrument,
        side=side,
        type=kind,
        tif=tif,
        qty=ZERO if close else _quantity(params.decimal("quantity"), instrument, market=market),
        price=ZERO if market else _price(params.decimal("price"), instrument),
        reduce_only=params.flag("reduceOnly") or close,
        client_id=client_id,
        close_position=close,
        trigger=_trigger(params, instrument) if kind in CONDITIONAL_TYPES else ZERO,
        working=working,
    )


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _quantity(qty: Decimal, instrument: Instrument, *, market: bool) -> Decimal:
    if qty <= 0:
        raise Refusal(-4003, "Quantity less than or equal to zero.")
    if _decimals(qty) > _decimals(instrument.step):
        raise errors.precision()
    if qty < instrument.step:
        raise Refusal(-4004, "Quantity less than min quantity.")
    if qty > (instrument.market_max_qty if market else instrument.max_qty):
        raise Refusal(-4005, "Quantity greater than max quantity.")
    return qty


def _price(price: Decimal, instrument: Instrument) -> Decimal:
    if price <= 0:
        raise Refusal(-4001, "Price less than or equal to zero.")
    if _decimals(price) > _decimals(instrument.tick):
        raise errors.precision()
    if price % instrument.tick:
        raise Refusal(-4014, "Price not increased by tick size.")
    return price


def _trigger(params: Params, instrument: Instrument) -> Decimal:
    return _price(params.decimal("triggerPrice"), instrument)


def check_band(request: Request, mark: Decimal) -> None:
    """Filter PERCENT_PRICE: how far from the mark price a limit order may be placed."""
    highest, lowest = mark * (1 + PRICE_BAND), mark * (1 - PRICE_BAND)
    if request.side is Side.BUY and request.price > highest:
        raise Refusal(-4016, f"Limit price can't be higher than {highest:.2f}.")
    if request.side is Side.SELL and request.price < lowest:
        raise Refusal(-4024, f"Limit price can't be lower than {lowest:.2f}.")


def check_notional(request: Request, qty: Decimal, mark: Decimal) -> None:
    """Filter MIN_NOTIONAL, which orders that only reduce are free of."""
    notional = qty * (request.price or mark)
    if not request.reduce_only and notional < request.instrument.min_notional:
        raise errors.notional_too_small(str(request.instrument.min_notional))
