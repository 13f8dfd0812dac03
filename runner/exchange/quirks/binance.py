"""Binance USD-M futures, through ccxt's unified calls.

Sources: Binance's API documentation, "USDⓈ-M Futures": New Order, New Algo Order, Query Order,
Account Trade List, Symbol Configuration, Change Initial Leverage, Position Information V3, Futures
Account Balance V3, Futures Account Configuration, and "Error Code"
(https://developers.binance.com/docs/derivatives/usds-margined-futures);
the key's rights from "Get API Key Permission" of the wallet API, which only the real host has.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from runner.capabilities.binance import BINANCE
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
from runner.exchange.quirks.binance_codes import CODES
from runner.exchange.quirks.binance_streams import BinanceStreams
from runner.exchange.quirks.venue import milliseconds, symbol_of
from runner.exchange.sanity import moment
from runner.protocol import Flow, FlowKind, Mode, OrderStatus, Side

_STATUS = {
    "open": OrderStatus.OPEN,
    "canceling": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "expired": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
}
_TRADES_WINDOW = timedelta(days=7)
_TRADES_AT_ONCE = 1000
_TRADING = ("REALIZED_PNL", "COMMISSION")  # what fills account for


class Binance(BinanceStreams):
    facts = BINANCE
    # Without fetchCurrencies off, loading markets with a key calls the spot host's sapi.
    options: ClassVar[dict[str, Any]] = {
        "fetchMarkets": {"types": ["linear"]},
        "fetchCurrencies": False,
        # The plain tape costs a quarter of the aggregated one, and paper reads it often.
        "fetchTradesMethod": "fapiPublicGetTrades",
    }
    codes = CODES

    def prepare(self, api: Any) -> None:
        if self.mode is Mode.TESTNET:
            api.enable_demo_trading(True)

    async def place(self, api: Any, order: OrderRequest) -> OrderReport:
        params: dict[str, Any] = {"clientOrderId": order.client_id}
        if order.reduce_only:
            params["reduceOnly"] = True
        if order.post_only:
            params["postOnly"] = True  # ccxt writes it as timeInForce GTX, "Good Till Crossing"
        kind = order.kind.value
        if order.kind is OrderKind.STOP_MARKET:
            # To /fapi/v1/algoOrder under clientAlgoId; ccxt routes it by stopLossPrice.
            kind = "market"
            params |= {"stopLossPrice": text(order.price), "workingType": "CONTRACT_PRICE"}
        limit = text(order.price) if order.kind is OrderKind.LIMIT else None
        quantity = text(order.quantity)
        answer = await api.create_order(
            order.symbol, kind, order.side.value, quantity, limit, params
        )
        return _report(order.kind, answer)

    async def cancel(self, api: Any, order: OrderRequest) -> None:
        await api.cancel_order("", order.symbol, _by_client_id(order))

    async def find(self, api: Any, order: OrderRequest) -> OrderReport | None:
        answer = await api.fetch_order("", order.symbol, _by_client_id(order))
        return _report(order.kind, answer)

    async def find_by_venue_id(self, api: Any, symbol: str, venue_id: str) -> OrderReport | None:
        answer = await api.fetch_order(venue_id, symbol)
        kind = OrderKind.LIMIT if answer["type"] == "limit" else OrderKind.MARKET
        return _report(kind, answer)

    async def open_orders(self, api: Any, symbol: str) -> list[OrderReport]:
        plain = await api.fetch_open_orders(symbol)
        stops = await api.fetch_open_orders(symbol, params={"trigger": True})
        return [
            *(_report(OrderKind(order["type"] or "limit"), order) for order in plain),
            *(_report(OrderKind.STOP_MARKET, order) for order in stops),
        ]

    async def executions(
        self, api: Any, symbol: str, since: datetime, until: datetime
    ) -> list[Execution]:
        """By windows of 7 days, the most the venue takes, until there is one with trades.

        A full page may have cut off others of the same millisecond, so the next one goes on from
        the number of the trade, which leads up to the newest.
        """
        found: list[dict[str, Any]] = []
        start = since
        while True:
            end = start + _TRADES_WINDOW
            window = {"until": milliseconds(end)} if end < until else {}
            page = await api.fetch_my_trades(symbol, milliseconds(start), _TRADES_AT_ONCE, window)
            found += page
            if len(page) >= _TRADES_AT_ONCE:
                found += await self._from(api, symbol, int(page[-1]["id"]) + 1)
                break
            if end >= until:
                break
            start = end
        return [_execution(trade) for trade in found]

    async def _from(self, api: Any, symbol: str, number: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = await api.fetch_my_trades(symbol, None, _TRADES_AT_ONCE, {"fromId": number})
            found += page
            if len(page) < _TRADES_AT_ONCE:
                return found
            number = int(page[-1]["id"]) + 1

    async def flows(self, api: Any, quote: str, since: datetime, until: datetime) -> list[Flow]:
        """From "Get Income History"; a page begins with the moment the last one broke off in."""
        found, start = [], milliseconds(since)
        while start <= milliseconds(until):
            end = start + int(_TRADES_WINDOW.total_seconds() * 1000)
            query = {"startTime": start, "endTime": end, "limit": _TRADES_AT_ONCE}
            rows = await api.fapiPrivateGetIncome(query)
            found += [row for row in rows if row["incomeType"] not in _TRADING]
            full, last = len(rows) >= _TRADES_AT_ONCE, int(rows[-1]["time"]) if rows else 0
            start = max(last, start + 1) if full else end + 1
        return [_flow(api, row) for row in found if row["asset"] == quote]

    async def positions(self, api: Any, quote: str) -> list[VenuePosition]:
        return [
            VenuePosition(
                row["symbol"],
                _signed(row),
                amount(row["entryPrice"] or 0, f"the entry price of {row['symbol']}"),
            )
            for row in await api.fetch_positions()
            if _is_in(row, quote)
        ]

    async def account(self, api: Any, quote: str) -> Account:
        balance = await api.fetch_balance()
        wallets = balance["info"].get("assets", [])
        wallet = next((row for row in wallets if row.get("asset") == quote), None)
        if wallet is None:
            raise Operational(f"the account has no {quote} wallet; transfer some to it")
        profits = [
            exact(row["unrealizedPnl"] or 0, f"the open profit of {row['symbol']}")
            for row in await api.fetch_positions()
        ]
        return Account(
            exact(wallet["walletBalance"], f"the {quote} balance"), sum(profits, Decimal(0))
        )

    async def hedged(self, api: Any, symbol: str) -> bool:
        return bool((await api.fetch_position_mode(symbol))["hedged"])

    async def terms(self, api: Any, symbol: str) -> MarginTerms:
        (row,) = await api.fapiPrivateGetSymbolConfig({"symbol": api.market_id(symbol)})
        leverage = price(row["leverage"], f"the leverage of {symbol}")
        return MarginTerms(row["marginType"] != "CROSSED", leverage)

    async def set_leverage(self, api: Any, symbol: str, leverage: int) -> None:
        body = {"symbol": api.market_id(symbol), "leverage": leverage}
        await api.fapiPrivatePostLeverage(body)

    async def rights(self, api: Any) -> Rights:
        """The wallet API tells whether a key is bound, but not to which addresses."""
        account = await self._number(api)
        if self.mode is not Mode.LIVE:
            config = await api.fapiPrivateGetAccountConfig()
            return Rights(trade=_flag(config.get("canTrade")), account=account)
        rules = await api.sapiGetAccountApiRestrictions()
        expiry = rules.get("tradingAuthorityExpirationTime")
        return Rights(
            trade=_flag(rules.get("enableFutures")),
            withdraw=_flag(rules.get("enableWithdrawals")),
            bound_addresses=None if _flag(rules.get("ipRestrict")) else (),
            expires_at=moment(expiry, "the expiry of the key") if expiry else None,
            account=account,
        )

    async def _number(self, api: Any) -> str | None:
        """``accountAlias``: "unique account code" (Futures Account Balance V3)."""
        rows = await api.fapiPrivateV3GetBalance()
        return next((str(row["accountAlias"]) for row in rows if row.get("accountAlias")), None)


def _by_client_id(order: OrderRequest) -> dict[str, Any]:
    if order.kind is OrderKind.STOP_MARKET:
        return {"clientAlgoId": order.client_id, "trigger": True}
    return {"origClientOrderId": order.client_id}


def _is_in(row: dict[str, Any], quote: str) -> bool:
    return str(row["symbol"]).endswith(f":{quote}")


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _signed(row: dict[str, Any]) -> Decimal:
    quantity = amount(row["contracts"] or 0, f"the position on {row['symbol']}")
    return -quantity if row["side"] == "short" else quantity


def _report(kind: OrderKind, order: dict[str, Any]) -> OrderReport:
    what = f"order {order['clientOrderId']}"
    filled = amount(order["filled"] or 0, f"what was filled of {what}")
    status = _STATUS[order["status"]]
    if status is OrderStatus.OPEN and filled:
        status = OrderStatus.PARTIAL
    level = order["triggerPrice"] if kind is OrderKind.STOP_MARKET else order["price"]
    fill_id = order["id"]
    if kind is OrderKind.STOP_MARKET:
        # Algo orders are numbered apart. A triggered one trades as a plain order, whose id the
        # trades carry; before that, nothing at the venue belongs to it.
        fill_id = order["info"].get("actualOrderId") or ""
    return OrderReport(
        client_id=str(order["clientOrderId"]),
        venue_id=str(order["id"]),
        symbol=order["symbol"],
        side=Side(order["side"]),
        kind=kind,
        quantity=amount(order["amount"] or 0, f"the quantity of {what}"),
        status=status,
        filled=filled,
        average=exact_or_none(order["average"], f"the average price of {what}"),
        price=exact_or_none(level, f"the price of {what}"),
        reduce_only=bool(order["reduceOnly"]),
        fill_venue_id=str(fill_id),
    )


def _flow(api: Any, row: dict[str, Any]) -> Flow:
    """A number is unique among the incomes of one kind and symbol only."""
    what, market = row["incomeType"], row["symbol"]
    size = exact(row["income"], f"an income ({what})")
    kind = FlowKind.FUNDING if what == "FUNDING_FEE" else FlowKind.OTHER
    if what.endswith("TRANSFER"):
        kind = FlowKind.DEPOSIT if size > 0 else FlowKind.WITHDRAWAL
    return Flow(
        id=":".join(part for part in (what, market, str(row["tranId"])) if part),
        kind=kind,
        amount=size,
        currency=str(row["asset"]),
        at=moment(row["time"], "the time of an income"),
        symbol=symbol_of(api, market) if market else None,
    )


def _execution(trade: dict[str, Any]) -> Execution:
    fee = trade["fee"] or {}
    what = f"trade {trade['id']}"
    return Execution(
        trade_id=f"{trade['info']['symbol']}:{trade['id']}",
        venue_id=str(trade["order"]),
        symbol=trade["symbol"],
        side=Side(trade["side"]),
        price=price(trade["price"], f"the price of {what}"),
        quantity=price(trade["amount"], f"the quantity of {what}"),
        fee=exact(fee.get("cost") or 0, f"the fee of {what}"),
        fee_currency=str(fee.get("currency") or ""),
        liquidity=str(trade["takerOrMaker"] or "taker"),
        at=moment(trade["timestamp"], f"the time of {what}"),
    )
