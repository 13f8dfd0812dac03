"""Phemex's USDT perpetuals in one-way mode, by its calls that begin with g-.

The parameters are our own, not ccxt's unified ones: those send a stop-loss on a market order as a
market order at once, do not know post-only, set leverage with a sign that isolates the margin, and
read executions without the order they belong to. Sources, each a heading of
https://phemex-docs.github.io: general-api-information, http-return-codes, rest-request-header,
rate-limits, common-order-fields, query-server-time, and below hedged-contract-rest-api:
place-order-http-post-2, cancel-single-order-by-orderid, query-open-orders-by-symbol-2,
query-orders-by-ids, query-trades-history, query-account-positions, set-leverage-2,
query-funding-fee-history-2, query-funds-detail, query-kline-2, query-24-ticker, query-risk-mode.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from ccxt.base.errors import ExchangeError, ExchangeNotAvailable

from runner.capabilities.phemex import PHEMEX
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
from runner.exchange.numbers import amount, exact, price, text
from runner.exchange.quirks import phemex_lists as lists
from runner.exchange.quirks.phemex_codes import CODES
from runner.exchange.quirks.phemex_reports import (
    REASONS,
    TRADING,
    change,
    execution,
    funding,
    report,
)
from runner.exchange.quirks.venue import Venue, milliseconds, symbol_of, taken_on
from runner.protocol import Flow, Mode

# What Phemex takes for "the last" of a list of executions where no start is given.
_TRADES_WINDOW = timedelta(days=2)
_CANDLE_PAGES = (5, 10, 50, 100, 500, 1000)
_ORDER_TYPES = {OrderKind.LIMIT: "Limit", OrderKind.MARKET: "Market", OrderKind.STOP_MARKET: "Stop"}
_NO_RIGHT = re.compile(r'"code"\s*:\s*"?(403|34003|39996)\b|Insufficient privilege')
# Those of ccxt's list that Phemex's does not have.
_NO_TIMEFRAMES = ("3m", "2h", "3h", "6h", "12h")


class Phemex(Venue):
    facts = PHEMEX
    options: ClassVar[dict[str, Any]] = {
        "defaultType": "swap",
        "brokerId": "plutarc",  # never used, as each order has an id of ours
        "x-phemex-request-expiry": 60,
    }
    codes = CODES
    # A request is good for a minute, and closed orders are read from a database that may lag.
    unseen_after: ClassVar[timedelta] = timedelta(seconds=75)

    def prepare(self, api: Any) -> None:
        """Its list of products names no fees; these are everybody's.

        https://phemex.com/user-guides/how-are-trading-fees-calculated
        """
        if self.mode is Mode.TESTNET:
            api.set_sandbox_mode(True)
        api.fees["trading"] |= {"taker": "0.0006", "maker": "0.0001"}
        for name in _NO_TIMEFRAMES:
            api.timeframes.pop(name)

    def least_value(self, market: Mapping[str, Any]) -> Any:
        return market["info"].get("minOrderValueRv")

    async def clock(self, api: Any) -> Any:
        """The class has no method for it."""
        return (await api.request("public/time", ["v2"], "GET", {}))["data"]["serverTime"]

    async def candles(
        self, api: Any, symbol: str, timeframe: str, since: int | None, limit: int
    ) -> list[list[Any]]:
        """Pages have fixed sizes, and a stretch of time must be shorter than 2000 candles."""
        span = int(api.timeframes[timeframe])
        query: dict[str, Any] = {"symbol": api.market_id(symbol), "resolution": span}
        if since is None:
            query["limit"] = next(size for size in _CANDLE_PAGES if size >= limit)
            answer = await api.publicGetMdV2KlineLast(query)
        else:
            first = -(-since // (span * 1000)) * span
            now = int(datetime.now(UTC).timestamp())
            query |= {"from": first, "to": min(first + limit * span, now // span * span)}
            if query["from"] >= query["to"]:
                return []
            answer = await api.publicGetMdV2KlineList(query)
        rows = api.parse_ohlcvs(answer["data"]["rows"], api.market(symbol), timeframe)
        found: list[list[Any]] = rows[-limit:] if since is None else rows[:limit]
        return found

    async def mark(self, api: Any, symbol: str) -> Any:
        return (await lists.ticker(api, symbol))["markPriceRp"]

    async def funding(self, api: Any, symbol: str) -> dict[str, Any]:
        """Phemex says how often it is paid; it is at whole multiples of that from midnight UTC."""
        seconds = int(exact(api.market(symbol)["info"]["fundingInterval"], "a funding interval"))
        now = int(datetime.now(UTC).timestamp())
        return {
            "fundingRate": (await lists.ticker(api, symbol))["fundingRateRr"],
            "fundingTimestamp": (now // seconds + 1) * seconds * 1000,
            "interval": f"{seconds // 3600}h",
        }

    async def place(self, api: Any, order: OrderRequest) -> OrderReport:
        """The answer only says that the order was taken on; what became of it must be read."""
        body: dict[str, Any] = {
            "symbol": api.market_id(order.symbol),
            "clOrdID": order.client_id,
            "side": order.side.value.capitalize(),
            "posSide": "Merged",
            "ordType": _ORDER_TYPES[order.kind],
            "orderQtyRq": text(order.quantity),
            "timeInForce": "ImmediateOrCancel",
            "reduceOnly": order.reduce_only,
        }
        if order.kind is OrderKind.LIMIT:
            body["priceRp"] = text(order.price)
            body["timeInForce"] = "PostOnly" if order.post_only else "GoodTillCancel"
        if order.kind is OrderKind.STOP_MARKET:
            body["stopPxRp"] = text(order.price)
            body["triggerType"] = "ByLastPrice"
            # Other orders give way to it if the margin would not suffice when it fires.
            body["closeOnTrigger"] = order.reduce_only
        venue_id = str(_taken(await api.privatePostGOrders(body))["orderID"])
        return taken_on(order, venue_id, venue_id)

    async def cancel(self, api: Any, order: OrderRequest) -> None:
        query = {"symbol": api.market_id(order.symbol), "clOrdID": order.client_id}
        _taken(await api.privateDeleteGOrdersCancel(query | {"posSide": "Merged"}))

    async def find(self, api: Any, order: OrderRequest) -> OrderReport | None:
        return await self._look(api, order.symbol, "clOrdID", order.client_id)

    async def find_by_venue_id(self, api: Any, symbol: str, venue_id: str) -> OrderReport | None:
        return await self._look(api, symbol, "orderID", venue_id)

    async def _look(self, api: Any, symbol: str, name: str, value: str) -> OrderReport | None:
        """Among the open ones, then in the database, where one that closes in between is."""
        for row in await lists.resting(api, symbol):
            if row[name] == value:
                return report(api, row)
        query = {"symbol": api.market_id(symbol), name: value}
        rows = lists.rows_of(await api.privateGetApiDataGFuturesOrdersByOrderId(query))
        return report(api, rows[0]) if rows else None

    async def open_orders(self, api: Any, symbol: str) -> list[OrderReport]:
        return [report(api, row) for row in await lists.resting(api, symbol)]

    async def executions(
        self, api: Any, symbol: str, since: datetime, until: datetime
    ) -> list[Execution]:
        found: list[dict[str, Any]] = []
        start = since
        while start < until:
            query = {
                "symbol": api.market_id(symbol),
                "start": milliseconds(start),
                "end": milliseconds(start + _TRADES_WINDOW),
            }
            found += await lists.pages(api.privateGetApiDataGFuturesTrades, query)
            start += _TRADES_WINDOW
        return [execution(symbol, row) for row in found if row["tradeType"] in REASONS]

    async def flows(self, api: Any, quote: str, since: datetime, until: datetime) -> list[Flow]:
        rows = await lists.details(api, quote, milliseconds(since), milliseconds(until))
        found = [change(row) for row in rows if row["typeDesc"] not in TRADING]
        first = milliseconds(since)
        for row in (await lists.accounts(api, quote))["positions"]:
            if exact(row["cumFundingFeeRv"], "a sum of funding fees") or _held(row):
                query = {"symbol": row["symbol"]}
                fees = await lists.pages(api.privateGetApiDataGFuturesFundingFees, query, first)
                found += [funding(api, fee) for fee in fees if int(fee["createTime"]) >= first]
        return found

    async def positions(self, api: Any, quote: str) -> list[VenuePosition]:
        found = []
        for row in (await lists.accounts(api, quote))["positions"]:
            if size := _held(row):
                entry = price(row["avgEntryPriceRp"], f"the entry price of {row['symbol']}")
                found.append(VenuePosition(symbol_of(api, row["symbol"]), size, entry))
        return found

    async def account(self, api: Any, quote: str) -> Account:
        """Open profit at the mark, as Phemex asks its clients to work it out themselves."""
        told = await lists.accounts(api, quote)
        balance = exact(told["account"]["accountBalanceRv"], f"the {quote} balance")
        open_profit = Decimal(0)
        for row in told["positions"]:
            if size := _held(row):
                entry = price(row["avgEntryPriceRp"], f"the entry price of {row['symbol']}")
                mark = price(row["markPriceRp"], f"the mark price of {row['symbol']}")
                open_profit += (mark - entry) * size
        return Account(balance, open_profit)

    async def hedged(self, api: Any, symbol: str) -> bool:
        """Each symbol has a mode of its own."""
        return any(row["posMode"] == "Hedged" for row in await lists.positions_on(api, symbol))

    async def fault(self, api: Any) -> str | None:
        """In the unified account's other mode all assets are one margin, and may be borrowed."""
        try:
            mode = (await api.privateGetUtaApiRiskRiskMode())["data"]["riskMode"]
        except (ExchangeError, ExchangeNotAvailable):  # an account that has no such mode
            return None
        if mode == "Classic":
            return None
        return (
            f"the account is in {mode} mode, in which other assets are margin too; switch it to "
            "single-asset mode at Phemex"
        )

    async def terms(self, api: Any, symbol: str) -> MarginTerms:
        """The sign tells the margin mode: above zero is isolated. Zero is cross at the most."""
        rows = await lists.positions_on(api, symbol)
        if not rows:
            raise Operational(f"Phemex names no leverage of {symbol}; set it to cross once by hand")
        told = exact(rows[0]["leverageRr"], f"the leverage of {symbol}")
        margin = price(rows[0]["initMarginReqRr"], f"the initial margin of {symbol}")
        return MarginTerms(told > 0, abs(told) or 1 / margin)

    async def set_leverage(self, api: Any, symbol: str, leverage: int) -> None:
        """Cross, as a number below zero says; ccxt's own call would isolate the margin."""
        query = {"symbol": api.market_id(symbol), "leverageRr": str(-leverage)}
        await api.privatePutGPositionsLeverage(query)

    async def rights(self, api: Any) -> Rights:
        """No request tells them; one that needs the right to withdraw is refused where it lacks.

        That it is answered says nothing: Phemex may answer it to every key.
        """
        account = str((await lists.accounts(api, "USDT"))["account"]["userID"])
        if self.mode is not Mode.LIVE:
            return Rights(account=account)
        try:
            await api.privateGetPhemexWithdrawWalletsApiWithdrawHist({"limit": 1})
        except ExchangeError as error:
            withdraw = False if _NO_RIGHT.search(str(error)) else None
            return Rights(withdraw=withdraw, account=account)
        return Rights(account=account)


def _taken(answer: dict[str, Any]) -> dict[str, Any]:
    """The order's own line; ``bizError`` is the code of what is wrong with it."""
    row: dict[str, Any] = answer["data"]
    if str(row["bizError"]) != "0":
        raise ExchangeError(f"phemex {json.dumps({'code': str(row['bizError'])})}")
    return row


def _held(row: dict[str, Any]) -> Decimal:
    """The size of a position, below zero if short; its two requests name it differently."""
    told = row["sizeRq"] if "sizeRq" in row else row["size"]
    size = amount(told, f"the position on {row['symbol']}")
    return -size if row["side"] == "Sell" else size
