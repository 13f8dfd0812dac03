"""OKX's linear swaps in net mode, by its v5 calls. OKX counts contracts; here it is base units.

The parameters are our own, not ccxt's unified ones: those send a market order through the batch
call and do not list conditional orders. Sources: https://www.okx.com/docs-v5/en/, "Place order",
"Cancel order", "Order details", "Order List", "Transaction details (last 3 days / 3 months)",
"Place algo order", "Cancel algo order", "Algo order details", "Algo order list", "Get positions",
"Get balance", "Get bills details (last 7 days / 3 months)", "Get account configuration", "Get
leverage", "Set leverage", "Get funding rate history", "Error Code".
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from ccxt.base.errors import ExchangeError

from runner.capabilities.okx import OKX
from runner.errors import Operational
from runner.exchange.base import (
    Account,
    Execution,
    OrderKind,
    OrderReport,
    OrderRequest,
    Rights,
    VenuePosition,
)
from runner.exchange.lending import MarginTerms
from runner.exchange.numbers import amount, exact, exact_or_none, text
from runner.exchange.quirks.okx_codes import CODES
from runner.exchange.quirks.okx_reports import TRADING, algo_report, execution, flow, order_report
from runner.exchange.quirks.venue import Venue, milliseconds, symbol_of, taken_on, unit
from runner.exchange.transport import HeaderRule
from runner.protocol import Flow, Mode

_DEMO_HEADER = "x-simulated-trading"
# "Transaction details (last 3 days)" is current; the one of 3 months may lag behind.
_RECENT = timedelta(days=2)
_BILLS_RECENT = timedelta(days=6)
_PAGE = 100
_ALGO_KINDS = ("conditional,oco", "trigger", "move_order_stop")
Call = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class Okx(Venue):
    facts = OKX
    options: ClassVar[dict[str, Any]] = {
        "fetchMarkets": {"types": ["swap"]},
        "defaultType": "swap",
    }
    codes = CODES
    # A request is good for 30 seconds after the time written in it ("REST Authentication").
    unseen_after: ClassVar[timedelta] = timedelta(seconds=40)

    def __init__(self, mode: Mode) -> None:
        super().__init__(mode)
        self.header_rule = HeaderRule(_DEMO_HEADER, "1" if mode is Mode.TESTNET else None)

    def prepare(self, api: Any) -> None:
        """One host for both: the demo account is told by a header alone."""
        if self.mode is Mode.TESTNET:
            api.set_sandbox_mode(True)

    def funding_until(self, end: int) -> dict[str, Any]:
        """``after`` of "Get funding rate history" returns records earlier than the time given."""
        return {"after": str(end)}

    async def place(self, api: Any, order: OrderRequest) -> OrderReport:
        """The answer only says that the order was taken on; what became of it must be read."""
        size = unit(api.market(order.symbol))
        body: dict[str, Any] = {
            "instId": api.market_id(order.symbol),
            "tdMode": "cross",
            "side": order.side.value,
            "sz": text((order.quantity / size).normalize()),
            "reduceOnly": order.reduce_only,
            # ccxt fills a missing clOrdId, also an algo order's, with its own name and a tag.
            "clOrdId": order.client_id,
        }
        if order.kind is OrderKind.STOP_MARKET:
            body |= {
                "ordType": "conditional",
                "algoClOrdId": order.client_id,
                "slTriggerPx": text(order.price),
                "slTriggerPxType": "last",
                "slOrdPx": "-1",
            }
            answer = await api.privatePostTradeOrderAlgo(body)
            venue_id, fill_id = str(_taken(answer)["algoId"]), ""
        else:
            # OKX cancels what is post-only and would take.
            body["ordType"] = "post_only" if order.post_only else order.kind.value
            if order.kind is OrderKind.LIMIT:
                body["px"] = text(order.price)
            answer = await api.privatePostTradeOrder(body)
            venue_id = fill_id = str(_taken(answer)["ordId"])
        return taken_on(order, venue_id, fill_id)

    async def cancel(self, api: Any, order: OrderRequest) -> None:
        market_id = api.market_id(order.symbol)
        if order.kind is OrderKind.STOP_MARKET:
            body = {"instId": market_id, "algoClOrdId": order.client_id}
            answer = await api.privatePostTradeCancelAlgos([body])
        else:
            body = {"instId": market_id, "clOrdId": order.client_id}
            answer = await api.privatePostTradeCancelOrder(body)
        _taken(answer)

    async def find(self, api: Any, order: OrderRequest) -> OrderReport | None:
        if order.kind is OrderKind.STOP_MARKET:
            answer = await api.privateGetTradeOrderAlgo({"algoClOrdId": order.client_id})
            return algo_report(api, answer["data"][0]) if answer["data"] else None
        return await self._look(api, order.symbol, {"clOrdId": order.client_id})

    async def find_by_venue_id(self, api: Any, symbol: str, venue_id: str) -> OrderReport | None:
        return await self._look(api, symbol, {"ordId": venue_id})

    async def _look(self, api: Any, symbol: str, by: dict[str, str]) -> OrderReport | None:
        answer = await api.privateGetTradeOrder({"instId": api.market_id(symbol), **by})
        return order_report(api, answer["data"][0]) if answer["data"] else None

    async def open_orders(self, api: Any, symbol: str) -> list[OrderReport]:
        query = {"instType": "SWAP", "instId": api.market_id(symbol)}
        plain = await _all(api.privateGetTradeOrdersPending, query, "ordId")
        found = [order_report(api, row) for row in plain]
        for kind in _ALGO_KINDS:
            algos = {**query, "ordType": kind}
            rows = await _all(api.privateGetTradeOrdersAlgoPending, algos, "algoId")
            found += [algo_report(api, row) for row in rows]
        return found

    async def executions(
        self, api: Any, symbol: str, since: datetime, until: datetime
    ) -> list[Execution]:
        query = {
            "instType": "SWAP",
            "instId": api.market_id(symbol),
            "begin": milliseconds(since),
        }
        rows = []
        if until - since > _RECENT:
            rows += await _all(api.privateGetTradeFillsHistory, query, "billId")
            query["begin"] = milliseconds(until - _RECENT)
        rows += await _all(api.privateGetTradeFills, query, "billId")
        return [execution(api, symbol, row) for row in rows]

    async def flows(self, api: Any, quote: str, since: datetime, until: datetime) -> list[Flow]:
        query = {"ccy": quote, "begin": milliseconds(since)}
        recent = until - since <= _BILLS_RECENT
        call = api.privateGetAccountBills if recent else api.privateGetAccountBillsArchive
        return [
            flow(api, row)
            for row in await _all(call, query, "billId")
            if row["type"] not in TRADING
        ]

    async def positions(self, api: Any, quote: str) -> list[VenuePosition]:
        found = []
        for row in (await api.privateGetAccountPositions({"instType": "SWAP"}))["data"]:
            symbol = symbol_of(api, row["instId"])
            contracts = exact(row["pos"] or 0, f"the position on {symbol}")
            # One on an instrument that is listed no more keeps OKX's name and its contracts.
            if not contracts or not symbol.endswith((f":{quote}", f"-{quote}-SWAP")):
                continue
            size = unit(api.market(symbol)) if symbol in api.markets else Decimal(1)
            signed = -abs(contracts) if row["posSide"] == "short" else contracts
            entry = amount(row["avgPx"], f"the entry price of {symbol}")
            found.append(VenuePosition(symbol, signed * size, entry))
        return found

    async def account(self, api: Any, quote: str) -> Account:
        answer = await api.privateGetAccountBalance({"ccy": quote})
        details = [row for one in answer["data"] for row in one["details"]]
        row = next((row for row in details if row["ccy"] == quote), None)
        if row is None:
            raise Operational(f"the trading account has no {quote}; transfer some to it")
        return Account(
            exact(row["cashBal"], f"the {quote} balance"),
            exact(row["upl"] or 0, f"the open profit in {quote}"),
        )

    async def hedged(self, api: Any, symbol: str) -> bool:  # noqa: ARG002 - account-wide here
        return bool((await _config(api))["posMode"] != "net_mode")

    async def fault(self, api: Any) -> str | None:
        """``acctLv`` 1 is spot mode, which trades no swaps."""
        if str((await _config(api))["acctLv"]) != "1":
            return None
        return (
            "the account is in spot mode, in which OKX trades no swaps; switch it to futures mode "
            "at OKX under Trade, Account mode"
        )

    async def terms(self, api: Any, symbol: str) -> MarginTerms:
        """Each order says itself that it is cross (``tdMode``), so that only that is asked for."""
        query = {"instId": api.market_id(symbol), "mgnMode": "cross"}
        rows = (await api.privateGetAccountLeverageInfo(query))["data"]
        told = [exact_or_none(row["lever"], f"the leverage of {symbol}") for row in rows]
        return MarginTerms(isolated=False, leverage=next(iter(told), None))

    async def set_leverage(self, api: Any, symbol: str, leverage: int) -> None:
        body = {"instId": api.market_id(symbol), "lever": str(leverage), "mgnMode": "cross"}
        await api.privatePostAccountSetLeverage(body)

    async def rights(self, api: Any) -> Rights:
        config = await _config(api)
        allowed = str(config["perm"]).split(",")
        return Rights(
            trade="trade" in allowed,
            withdraw="withdraw" in allowed,
            bound_addresses=tuple(ip for ip in str(config["ip"]).split(",") if ip),
            account=str(config["uid"]),
        )


def _taken(answer: dict[str, Any]) -> dict[str, Any]:
    """The order's own line; it may say no under an envelope that says yes (code 0)."""
    row: dict[str, Any] = answer["data"][0]
    if str(row["sCode"]) != "0":
        raise ExchangeError(f"okx {json.dumps(answer)}")
    return row


async def _config(api: Any) -> dict[str, Any]:
    answer = await api.privateGetAccountConfig()
    found: dict[str, Any] = answer["data"][0]
    return found


async def _all(call: Call, query: dict[str, Any], number: str) -> list[dict[str, Any]]:
    """Every page of a list, newest first as OKX gives them: the next one is "after" the last."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {**query, "limit": _PAGE}
    while True:
        rows = (await call(page))["data"]
        found += rows
        if len(rows) < _PAGE:
            return found
        page["after"] = rows[-1][number]
