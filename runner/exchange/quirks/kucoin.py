"""KuCoin's linear perpetuals in one-way mode and cross margin, by the calls of its classic account.

KuCoin counts lots; here it is base units. The parameters are our own, not ccxt's unified ones:
those send each order with a leverage of 1 and fire stops on the mark price. Sources, each a page
below https://www.kucoin.com/docs-new/: authentication, api-3470130 (key), api-3470235 (Add Order),
api-3470240 (Cancel Order By ClientOid), api-3470245 and api-3470352 (orders), api-3470244 and
api-3470247 (lists), api-3470248 and api-3470249 (fills), api-3470129 (account), api-3470124
(ledger), rest/futures-trading/positions, rest/futures-trading/funding-fees, api-3470221 (symbol).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from ccxt.base.errors import OrderNotFound

from runner.capabilities.kucoin import KUCOIN
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
from runner.exchange.numbers import exact, price, text
from runner.exchange.quirks.kucoin_codes import CODES
from runner.exchange.quirks.kucoin_reports import (
    REASONS,
    TRADING,
    execution,
    flow,
    funding,
    report,
)
from runner.exchange.quirks.kucoin_setup import set_up
from runner.exchange.quirks.venue import Venue, milliseconds, symbol_of, taken_on, unit
from runner.protocol import Flow, Mode, Side

_TRADES_WINDOW = timedelta(days=7)
_TRADES_KEPT = timedelta(days=90)
_PAGE = 100
_WITHDRAWING = {"Withdrawal", "Transfer"}
Call = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class Kucoin(Venue):
    facts = KUCOIN
    options: ClassVar[dict[str, Any]] = {
        "fetchMarkets": {"types": ["swap"]},
        "uta": False,  # else the first signed call looks up the kind of account
    }
    codes = CODES

    def __init__(self, mode: Mode) -> None:
        super().__init__(mode)
        self._leverage: dict[str, Decimal] = {}

    def prepare(self, api: Any) -> None:
        """There is one host for prices and orders, and no other to switch to."""
        set_up(api)

    def book_depth(self, depth: int) -> int:
        """Part of the book is 20 levels or 100 ("Get Part OrderBook")."""
        return 20 if depth <= 20 else 100

    def candle_unit(self, api: Any, symbol: str) -> Decimal:
        return unit(api.market(symbol))

    async def open_interest(self, api: Any, symbol: str) -> Any:
        answer = await api.futuresPublicGetContractsSymbol({"symbol": api.market_id(symbol)})
        return answer["data"]["openInterest"]

    async def place(self, api: Any, order: OrderRequest) -> OrderReport:
        """The answer only says that the order was taken on; what became of it must be read."""
        body: dict[str, Any] = {
            "clientOid": order.client_id,
            "symbol": api.market_id(order.symbol),
            "side": order.side.value,
            "type": "limit" if order.kind is OrderKind.LIMIT else "market",
            "size": _lots(api, order),
            "marginMode": "CROSS",
            "reduceOnly": order.reduce_only,
        }
        if not order.reduce_only:  # "if you are to close the position, this is not required"
            body["leverage"] = await self._lent(api, order.symbol)
        if order.kind is OrderKind.LIMIT:
            body |= {"price": text(order.price), "timeInForce": "GTC", "postOnly": order.post_only}
        if order.kind is OrderKind.STOP_MARKET:
            body["stop"] = "down" if order.side is Side.SELL else "up"
            body |= {"stopPriceType": "TP", "stopPrice": text(order.price)}
        answer = await api.futuresPrivatePostOrders(body)
        venue_id = str(answer["data"]["orderId"])
        return taken_on(order, venue_id, venue_id)

    async def _lent(self, api: Any, symbol: str) -> int:
        """The symbol's own leverage, which an order that opens must repeat."""
        if symbol not in self._leverage:
            await self._read_leverage(api, symbol)
        return max(1, int(self._leverage[symbol]))

    async def _read_leverage(self, api: Any, symbol: str) -> Decimal:
        query = {"symbol": api.market_id(symbol)}
        told = (await api.futuresPrivateGetGetCrossUserLeverage(query))["data"]["leverage"]
        self._leverage[symbol] = price(told, f"the leverage of {symbol}")
        return self._leverage[symbol]

    async def cancel(self, api: Any, order: OrderRequest) -> None:
        """Stops included, as the page of it says."""
        query = {"clientOid": order.client_id, "symbol": api.market_id(order.symbol)}
        await api.futuresPrivateDeleteOrdersClientOrderClientOid(query)

    async def find(self, api: Any, order: OrderRequest) -> OrderReport | None:
        by = {"clientOid": order.client_id}
        return await self._look(api, api.futuresPrivateGetOrdersByClientOid, by)

    async def find_by_venue_id(self, api: Any, symbol: str, venue_id: str) -> OrderReport | None:  # noqa: ARG002 - numbers are unique here
        return await self._look(api, api.futuresPrivateGetOrdersOrderId, {"orderId": venue_id})

    async def _look(self, api: Any, call: Call, by: dict[str, str]) -> OrderReport | None:
        try:
            return report(api, (await call(by))["data"])
        except OrderNotFound as error:
            if "orderNotExist" not in str(error):  # the same code, for parameters it does not like
                raise
            return None

    async def open_orders(self, api: Any, symbol: str) -> list[OrderReport]:
        query = {"symbol": api.market_id(symbol)}
        rows = await _pages(api.futuresPrivateGetOrders, {**query, "status": "active"})
        rows += await _pages(api.futuresPrivateGetStopOrders, query)
        once = {row["id"]: row for row in rows}
        return [report(api, row) for row in once.values()]

    async def executions(
        self, api: Any, symbol: str, since: datetime, until: datetime
    ) -> list[Execution]:
        """The history "is not real-time", so that the last 24 hours are asked for besides."""
        query = {"symbol": api.market_id(symbol)}
        rows = await _fills(api, query, since, until)
        latest = (await api.futuresPrivateGetRecentFills(query))["data"]
        moving = [row for row in [*rows, *latest] if str(row["tradeType"]).lower() in REASONS]
        found = [execution(api, symbol, row) for row in moving]
        return [fill for fill in found if fill.at >= since]

    async def flows(self, api: Any, quote: str, since: datetime, until: datetime) -> list[Flow]:
        """Funding is told by symbol: of those held now, and of those traded meanwhile."""
        span = {"startAt": milliseconds(since), "endAt": milliseconds(until)}
        rows = await _offsets(api.futuresPrivateGetTransactionHistory, {"currency": quote, **span})
        found = [
            flow(row) for row in rows if row["type"] != TRADING and row["status"] == "Completed"
        ]
        held = (await api.futuresPrivateGetPositions({"currency": quote}))["data"]
        traded = await _fills(api, {}, since, until)
        for name in sorted({row["symbol"] for row in [*held, *traded]}):
            paid = await _offsets(api.futuresPrivateGetFundingHistory, {"symbol": name, **span})
            found += [funding(api, row) for row in paid if row["settleCurrency"] == quote]
        return found

    async def positions(self, api: Any, quote: str) -> list[VenuePosition]:
        found = []
        for row in (await api.futuresPrivateGetPositions({"currency": quote}))["data"]:
            symbol = symbol_of(api, row["symbol"])
            lots = exact(row["currentQty"] or 0, f"the position on {symbol}")
            if lots and row["settleCurrency"] == quote:
                # One on a contract that is listed no more keeps KuCoin's name and its lots.
                size = unit(api.market(symbol)) if symbol in api.markets else Decimal(1)
                entry = price(row["avgEntryPrice"], f"the entry price of {symbol}")
                found.append(VenuePosition(symbol, lots * size, entry))
        return found

    async def account(self, api: Any, quote: str) -> Account:
        row = (await api.futuresPrivateGetAccountOverview({"currency": quote}))["data"]
        return Account(
            exact(row["marginBalance"], f"the {quote} balance"),
            exact(row["unrealisedPNL"], f"the open profit in {quote}"),
        )

    async def hedged(self, api: Any, symbol: str) -> bool:  # noqa: ARG002 - account-wide here
        answer = await api.futuresPrivateGetPositionGetPositionMode()
        return int(answer["data"]["positionMode"]) != 0

    async def terms(self, api: Any, symbol: str) -> MarginTerms:
        query = {"symbol": api.market_id(symbol)}
        mode = (await api.futuresPrivateGetPositionGetMarginMode(query))["data"]["marginMode"]
        return MarginTerms(mode == "ISOLATED", await self._read_leverage(api, symbol))

    async def set_leverage(self, api: Any, symbol: str, leverage: int) -> None:
        self._leverage.pop(symbol, None)
        body = {"symbol": api.market_id(symbol), "leverage": str(leverage)}
        await api.futuresPrivatePostChangeCrossUserLeverage(body)

    async def rights(self, api: Any) -> Rights:
        """Addresses may come masked ("203.**.154"): then whether it is the bot's is not told."""
        row = (await api.privateGetUserApiKey())["data"]
        allowed = {word.strip() for word in str(row["permission"]).split(",")}
        bound = tuple(ip for ip in str(row["ipWhitelist"] or "").split(",") if ip)
        return Rights(
            trade="Futures" in allowed,
            withdraw=bool(_WITHDRAWING & allowed),
            bound_addresses=None if any("*" in ip for ip in bound) else bound,
            account=str(row["uid"]),
        )


def _lots(api: Any, order: OrderRequest) -> int:
    """A whole number of lots; what is none is not rounded to one that nobody decided."""
    size = unit(api.market(order.symbol))
    lots = order.quantity / size
    if lots != int(lots):
        raise Operational(f"{order.quantity:f} is no whole number of KuCoin's lots of {size:f}")
    return int(lots)


async def _fills(
    api: Any, query: dict[str, Any], since: datetime, until: datetime
) -> list[dict[str, Any]]:
    """Seven days a request, and no further back than KuCoin keeps them."""
    found: list[dict[str, Any]] = []
    start = max(since, until - _TRADES_KEPT)
    while start < until:
        end = min(start + _TRADES_WINDOW, until)
        span = {"startAt": milliseconds(start), "endAt": milliseconds(end)}
        found += await _pages(api.futuresPrivateGetFills, {**query, **span})
        start = end
    return found


async def _pages(call: Call, query: dict[str, Any]) -> list[dict[str, Any]]:
    """Every page of a list that counts its pages."""
    found: list[dict[str, Any]] = []
    number = 1
    while True:
        page = (await call({**query, "currentPage": number, "pageSize": _PAGE}))["data"]
        found += page["items"]
        if not page["items"] or number >= int(page["totalPage"]):
            return found
        number += 1


async def _offsets(call: Call, query: dict[str, Any]) -> list[dict[str, Any]]:
    """Every page of a list that goes on from the last one's smallest offset or id."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {**query, "maxCount": _PAGE}
    while True:
        data = (await call(page))["data"]
        found += data["dataList"]
        numbers = [int(row.get("offset") or row.get("id")) for row in data["dataList"]]
        following = min((number for number in numbers if number > 0), default=None)
        if not data["hasMore"] or following is None or following == page.get("offset"):
            return found
        page["offset"] = following
