"""The practice market: Binance USD-M's protocol at an endpoint of its own."""

from __future__ import annotations

from typing import Any

from runner.exchange.base import OrderKind
from runner.exchange.quirks.catalog import VENUES
from runner.exchange.quirks.venue import Venue
from runner.protocol import Mode


def _order(
    kind: OrderKind, client_id: str, trigger: str | None, reduce_only: bool
) -> tuple[str, dict[str, Any]]:
    # A stop goes to /fapi/v1/algoOrder under clientAlgoId; ccxt routes it by stopLossPrice.
    params: dict[str, Any] = {"clientOrderId": client_id}
    if reduce_only:
        params["reduceOnly"] = True
    if kind is OrderKind.STOP_MARKET:
        return "market", {**params, "stopLossPrice": trigger, "workingType": "CONTRACT_PRICE"}
    return kind.value, params


def _by_client_id(kind: OrderKind, client_id: str) -> dict[str, Any]:
    if kind is OrderKind.STOP_MARKET:
        return {"clientAlgoId": client_id, "trigger": True}
    return {"origClientOrderId": client_id}


VENUE = Venue(
    exchange="practice",
    ccxt_id=VENUES["practice"],
    modes=(Mode.PAPER, Mode.TESTNET),
    # Without fetchCurrencies off, loading markets with a key calls the spot host's sapi.
    options={"fetchMarkets": {"types": ["linear"]}, "fetchCurrencies": False},
    order=_order,
    by_client_id=_by_client_id,
    address_path="/practice/v1/whoami",
)
