"""Bybit's linear perpetuals (unified trading account), by its v5 calls.

The parameters are our own, not ccxt's unified ones: those leave out executions of liquidations and
auto-deleveraging, and pass an empty orderId beside orderLinkId. Sources, each a page below
https://bybit-exchange.github.io/docs/v5/: order/create-order, order/cancel-order,
order/open-order, order/order-list, order/execution, position, account/wallet-balance,
account/transaction-log, account/account-info, position/leverage, user/apikey-info, enum, error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from runner.capabilities.bybit import BYBIT
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
from runner.exchange.numbers import amount, exact, exact_or_none, price, text
from runner.exchange.quirks.bybit_codes import CODES
from runner.exchange.quirks.bybit_reports import REASONS, execution, flow, report
from runner.exchange.quirks.venue import Venue, milliseconds, symbol_of, taken_on
from runner.protocol import Flow, Mode, Side

_TRADES_WINDOW = timedelta(days=7)
# Transactions (enum, type) that fills account for, and those with a kind of their own.
_TRADING = ("TRADE", "LIQUIDATION", "ADL")
Call = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class Bybit(Venue):
    facts = BYBIT
    # Else the first signed call looks up the kind of account; ccxt puts its own name in Referer.
    options: ClassVar[dict[str, Any]] = {
        "fetchMarkets": {"types": ["linear"]},
        "enableUnifiedMargin": True,
        "enableUnifiedAccount": True,
        "brokerId": "plutarc",
    }
    codes = CODES
    # The shortest there is; ccxt would ask for what stood open at the last full hour.
    open_interest_options: ClassVar[dict[str, str]] = {"intervalTime": "5min"}

    def prepare(self, api: Any) -> None:
        if self.mode is Mode.TESTNET:
            api.set_sandbox_mode(True)

    async def place(self, api: Any, order: OrderRequest) -> OrderReport:
        """The answer only says that the order was taken on; what became of it must be read."""
        body = {
            "category": "linear",
            "symbol": api.market_id(order.symbol),
            "side": order.side.value.capitalize(),
            "orderType": "Limit" if order.kind is OrderKind.LIMIT else "Market",
            "qty": text(order.quantity),
            "timeInForce": _lasts(order),
            "positionIdx": 0,
            "orderLinkId": order.client_id,
            "reduceOnly": order.reduce_only,
        }
        if order.kind is OrderKind.LIMIT:
            body["price"] = text(order.price)
        if order.kind is OrderKind.STOP_MARKET:
            body["triggerPrice"] = text(order.price)
            body["triggerBy"] = "LastPrice"
            body["triggerDirection"] = 2 if order.side is Side.SELL else 1
            # Other orders give way to it if the margin would not suffice when it fires.
            body["closeOnTrigger"] = order.reduce_only
        answer = await api.privatePostV5OrderCreate(body)
        venue_id = str(answer["result"]["orderId"])
        return taken_on(order, venue_id, venue_id)

    async def cancel(self, api: Any, order: OrderRequest) -> None:
        await api.privatePostV5OrderCancel(
            {
                "category": "linear",
                "symbol": api.market_id(order.symbol),
                "orderLinkId": order.client_id,
            }
        )

    async def find(self, api: Any, order: OrderRequest) -> OrderReport | None:
        return await self._look(api, order.symbol, {"orderLinkId": order.client_id})

    async def find_by_venue_id(self, api: Any, symbol: str, venue_id: str) -> OrderReport | None:
        return await self._look(api, symbol, {"orderId": venue_id})

    async def _look(self, api: Any, symbol: str, by: dict[str, str]) -> OrderReport | None:
        """Among the open and the last 500 closed ones, then in the history, which lags."""
        query = {"category": "linear", "symbol": api.market_id(symbol), **by}
        for call in (api.privateGetV5OrderRealtime, api.privateGetV5OrderHistory):
            rows = (await call(query))["result"]["list"]
            if rows:
                return report(api, rows[0])
        return None

    async def open_orders(self, api: Any, symbol: str) -> list[OrderReport]:
        query = {"category": "linear", "symbol": api.market_id(symbol), "limit": 50}
        return [report(api, row) for row in await _all(api.privateGetV5OrderRealtime, query)]

    async def executions(
        self, api: Any, symbol: str, since: datetime, until: datetime
    ) -> list[Execution]:
        found: list[dict[str, Any]] = []
        start = since
        while start < until:
            query = {
                "category": "linear",
                "symbol": api.market_id(symbol),
                "startTime": milliseconds(start),
                "limit": 100,
            }
            if start + _TRADES_WINDOW < until:
                query["endTime"] = milliseconds(start + _TRADES_WINDOW)
            found += await _all(api.privateGetV5ExecutionList, query)
            start += _TRADES_WINDOW
        return [execution(symbol, row) for row in found if row["execType"] in REASONS]

    async def flows(self, api: Any, quote: str, since: datetime, until: datetime) -> list[Flow]:
        found: list[dict[str, Any]] = []
        start = since
        while start < until:
            query = {
                "accountType": "UNIFIED",
                "currency": quote,
                "startTime": milliseconds(start),
                "endTime": milliseconds(start + _TRADES_WINDOW),
                "limit": 50,
            }
            found += await _all(api.privateGetV5AccountTransactionLog, query)
            start += _TRADES_WINDOW
        return [flow(api, row) for row in found if row["type"] not in _TRADING]

    async def positions(self, api: Any, quote: str) -> list[VenuePosition]:
        query = {"category": "linear", "settleCoin": quote, "limit": 200}
        found = []
        for row in await _all(api.privateGetV5PositionList, query):
            size = amount(row["size"], f"the position on {row['symbol']}")
            if size:
                entry = price(row["avgPrice"], f"the entry price of {row['symbol']}")
                signed = -size if row["side"] == "Sell" else size
                found.append(VenuePosition(symbol_of(api, row["symbol"]), signed, entry))
        return found

    async def account(self, api: Any, quote: str) -> Account:
        answer = await api.privateGetV5AccountWalletBalance({"accountType": "UNIFIED"})
        coins = [coin for row in answer["result"]["list"] for coin in row["coin"]]
        coin = next((coin for coin in coins if coin["coin"] == quote), None)
        if coin is None:
            raise Operational(f"the unified account has no {quote}; transfer some to it")
        return Account(
            exact(coin["walletBalance"], f"the {quote} balance"),
            exact(coin["unrealisedPnl"], f"the open profit in {quote}"),
        )

    async def hedged(self, api: Any, symbol: str) -> bool:
        """In one-way mode a symbol has one entry with index 0; in hedge mode two, 1 and 2."""
        query = {"category": "linear", "symbol": api.market_id(symbol)}
        rows = (await api.privateGetV5PositionList(query))["result"]["list"]
        return any(int(row["positionIdx"]) != 0 for row in rows)

    async def terms(self, api: Any, symbol: str) -> MarginTerms:
        """The margin mode is the account's; a portfolio account has no leverage by symbol."""
        mode = (await api.privateGetV5AccountInfo())["result"]["marginMode"]
        query = {"category": "linear", "symbol": api.market_id(symbol)}
        rows = (await api.privateGetV5PositionList(query))["result"]["list"]
        told = [exact_or_none(row["leverage"], f"the leverage of {symbol}") for row in rows]
        return MarginTerms(mode == "ISOLATED_MARGIN", next(iter(told), None))

    async def set_leverage(self, api: Any, symbol: str, leverage: int) -> None:
        body = {"category": "linear", "symbol": api.market_id(symbol)}
        both = dict.fromkeys(("buyLeverage", "sellLeverage"), str(leverage))
        await api.privatePostV5PositionSetLeverage(body | both)

    async def rights(self, api: Any) -> Rights:
        info = (await api.privateGetV5UserQueryApi())["result"]
        allowed = info["permissions"]
        writes = int(info["readOnly"]) == 0
        return Rights(
            trade=writes and "Order" in allowed.get("ContractTrade", ()),
            withdraw=writes and "Withdraw" in allowed.get("Wallet", ()),
            bound_addresses=tuple(ip for ip in info.get("ips") or () if ip != "*"),
            expires_at=_expiry(info.get("expiredAt")),
            account=str(info["userID"]),
        )


def _lasts(order: OrderRequest) -> str:
    """Bybit cancels what is post-only and would take."""
    if order.kind is OrderKind.LIMIT:
        return "PostOnly" if order.post_only else "GTC"
    return "IOC"


def _expiry(said: str | None) -> datetime | None:
    """A key bound to addresses does not end; Bybit writes the year 1970 then, or nothing."""
    moment_said = datetime.fromisoformat(said) if said else None
    return moment_said if moment_said is not None and moment_said.year > 1970 else None


async def _all(call: Call, query: dict[str, Any]) -> list[dict[str, Any]]:
    """Every page of a list, newest first as Bybit gives them."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = {**query, "cursor": cursor} if cursor else query
        result = (await call(page))["result"]
        rows, following = result["list"], result.get("nextPageCursor") or ""
        found += rows
        if not rows or not following or following == cursor:
            return found
        cursor = following
