"""The contracts and their filters as the exchange publishes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.practice.engine import MAX_CONDITIONALS, MAX_ORDERS
from app.practice.instruments import INSTRUMENTS, LISTED_MS, PRICE_BAND, TAKER_FEE, Instrument
from app.practice.limits import ORDERS, WEIGHT_PER_MINUTE
from app.practice.routes import Call, Route, flat
from app.practice.rules import ORDER_TYPES, TIMES_IN_FORCE
from app.practice.shapes import plain

Json = dict[str, Any]
_PERPETUAL_ENDS = 4_133_404_800_000  # the exchange's way to say never


def exchange_info(call: Call) -> Json:
    orders = [
        {
            "rateLimitType": "ORDERS",
            "interval": "SECOND" if suffix == "10S" else "MINUTE",
            "intervalNum": 10 if suffix == "10S" else 1,
            "limit": limit,
        }
        for suffix, _length, limit in ORDERS
    ]
    weight = {
        "rateLimitType": "REQUEST_WEIGHT",
        "interval": "MINUTE",
        "intervalNum": 1,
        "limit": WEIGHT_PER_MINUTE,
    }
    return {
        "timezone": "UTC",
        "serverTime": call.told,
        "futuresType": "U_MARGINED",
        "rateLimits": [weight, *orders],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_symbol(one) for one in INSTRUMENTS.values()],
    }


def _symbol(one: Instrument) -> Json:
    return {
        "symbol": one.symbol,
        "pair": one.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": _PERPETUAL_ENDS,
        "onboardDate": LISTED_MS,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": one.base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": _places(one.tick),
        "quantityPrecision": _places(one.step),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": plain(PRICE_BAND),
        "liquidationFee": plain(TAKER_FEE),
        "marketTakeBound": plain(PRICE_BAND),
        "filters": _filters(one),
        "orderTypes": list(ORDER_TYPES),
        "timeInForce": list(TIMES_IN_FORCE),
    }


def _places(unit: Decimal) -> int:
    return len(plain(unit).partition(".")[2])


def _filters(one: Instrument) -> list[Json]:
    step, tick = plain(one.step), plain(one.tick)
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": tick,
            "maxPrice": plain(one.tick * one.anchor * 100),
            "tickSize": tick,
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": step,
            "maxQty": plain(one.max_qty),
            "stepSize": step,
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": step,
            "maxQty": plain(one.market_max_qty),
            "stepSize": step,
        },
        {"filterType": "MAX_NUM_ORDERS", "limit": MAX_ORDERS},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": MAX_CONDITIONALS},
        {"filterType": "MIN_NOTIONAL", "notional": plain(one.min_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": plain(1 + PRICE_BAND),
            "multiplierDown": plain(1 - PRICE_BAND),
            "multiplierDecimal": "4",
        },
    ]


ROUTES = (Route("GET", "/fapi/v1/exchangeInfo", exchange_info, flat(1)),)
