"""Orders at a venue through ccxt's async class: our own parameters, our own reading of answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ccxt.base.errors import OrderNotFound

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
from runner.exchange.failures import reading, writing
from runner.exchange.numbers import exact, exact_or_none, text
from runner.exchange.quirks.venue import Venue
from runner.protocol import Check, OrderStatus, Side

_STATUS = {
    "open": OrderStatus.OPEN,
    "canceling": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "expired": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
}


class CcxtBroker:
    """Trades one account with its key."""

    protects = True
    # A request carries its time and the venue drops it when the receive window (10 s in ccxt) is
    # over; only an order still unseen after that never arrived.
    unseen_after = timedelta(seconds=15)

    def __init__(self, exchange: Any, venue: Venue, quote: str) -> None:
        self._exchange = exchange
        self._venue = venue
        self._quote = quote

    def snapshot(self) -> dict[str, Any]:
        return {}

    async def check(self, symbols: tuple[str, ...]) -> list[Check]:
        """Whether the key is accepted, and the account is in one-way mode."""
        try:
            with reading("read the balance"):
                await self._exchange.fetch_balance()
        except Operational as error:
            return [Check("key", False, str(error))]
        with reading("read the position mode"):
            mode = await self._exchange.fetch_position_mode(symbols[0])
        hedged = bool(mode["hedged"])
        return [
            Check("key", True, "the venue accepts the key"),
            Check(
                "position mode",
                not hedged,
                "switch the account to one-way mode" if hedged else "one-way",
            ),
        ]

    async def rights(self) -> Rights:
        """``accountAlias`` is the account's unique code (Binance, Futures Account Balance V3)."""
        with reading("read what the key may do"):
            config = await self._exchange.fapiPrivateGetAccountConfig()
            balances = await self._exchange.fapiPrivateV3GetBalance()
        account = next((str(row["accountAlias"]) for row in balances), None)
        may_withdraw = bool(config["canWithdraw"])
        return Rights(trade=bool(config["canTrade"]), withdraw=may_withdraw, account=account)

    async def account(self) -> Account:
        with reading("read the balance"):
            balance = await self._exchange.fetch_balance()
        positions = await self._open_positions()
        wallet = next(
            (
                exact(asset["walletBalance"])
                for asset in balance["info"].get("assets", [])
                if asset.get("asset") == self._quote
            ),
            None,
        )
        if wallet is None:
            raise Operational(f"the account has no {self._quote} wallet; transfer some to it")
        return Account(wallet, sum((exact(p["unrealizedPnl"] or 0) for p in positions), Decimal(0)))

    async def positions(self) -> list[VenuePosition]:
        found = []
        for position in await self._open_positions():
            quantity = exact(position["contracts"] or 0)
            if quantity:
                signed = -quantity if position["side"] == "short" else quantity
                entry = exact(position["entryPrice"] or 0)
                found.append(VenuePosition(position["symbol"], signed, entry))
        return found

    async def place(self, request: OrderRequest) -> OrderReport:
        trigger = text(request.price) if request.kind is OrderKind.STOP_MARKET else None
        kind, params = self._venue.order(
            request.kind, request.client_id, trigger, request.reduce_only
        )
        price = text(request.price) if request.kind is OrderKind.LIMIT else None
        with writing(f"place {request.kind} order"):
            answer = await self._exchange.create_order(
                request.symbol, kind, request.side.value, text(request.quantity), price, params
            )
            return _report(request.kind, answer)

    async def cancel(self, request: OrderRequest) -> OrderReport | None:
        """``None`` when the venue says there is nothing left to cancel; read the order then."""
        params = self._venue.by_client_id(request.kind, request.client_id)
        with writing(f"cancel {request.kind} order"):
            try:
                answer = await self._exchange.cancel_order("", request.symbol, params)
            except OrderNotFound:
                return None
        found = await self.find(request)
        return found if found is not None else _report(request.kind, answer)

    async def find(self, request: OrderRequest) -> OrderReport | None:
        params = self._venue.by_client_id(request.kind, request.client_id)
        with reading(f"look for {request.kind} order"):
            try:
                answer = await self._exchange.fetch_order("", request.symbol, params)
            except OrderNotFound:
                return None
        report = _report(request.kind, answer)
        if request.kind is OrderKind.STOP_MARKET and report.fill_venue_id:
            traded = await self.find_by_venue_id(request.symbol, report.fill_venue_id)
            if traded is not None:
                return replace(report, filled=traded.filled, average=traded.average)
        return report

    async def find_by_venue_id(self, symbol: str, venue_id: str) -> OrderReport | None:
        with reading(f"look for the order of a trade of {symbol}"):
            try:
                answer = await self._exchange.fetch_order(venue_id, symbol)
            except OrderNotFound:
                return None
        kind = OrderKind.LIMIT if answer["type"] == "limit" else OrderKind.MARKET
        return _report(kind, answer)

    async def open_orders(self, symbol: str) -> list[OrderReport]:
        with reading(f"list open orders of {symbol}"):
            plain = await self._exchange.fetch_open_orders(symbol)
            stops = await self._exchange.fetch_open_orders(symbol, params={"trigger": True})
        return [
            *(_report(OrderKind(o["type"] or "limit"), o) for o in plain),
            *(_report(OrderKind.STOP_MARKET, o) for o in stops),
        ]

    async def executions(self, symbol: str, since: datetime) -> list[Execution]:
        start = int(since.timestamp() * 1000)
        with reading(f"read own trades of {symbol}"):
            trades = await self._exchange.fetch_my_trades(symbol, start, 500)
        return [_execution(trade) for trade in trades]

    async def _open_positions(self) -> list[dict[str, Any]]:
        with reading("read positions"):
            return list(await self._exchange.fetch_positions())


def _report(kind: OrderKind, order: dict[str, Any]) -> OrderReport:
    filled = exact(order["filled"] or 0)
    status = _STATUS[order["status"]]
    if status is OrderStatus.OPEN and filled:
        status = OrderStatus.PARTIAL
    price = order["triggerPrice"] if kind is OrderKind.STOP_MARKET else order["price"]
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
        quantity=exact(order["amount"] or 0),
        status=status,
        filled=filled,
        average=exact_or_none(order["average"]),
        price=exact_or_none(price),
        reduce_only=bool(order["reduceOnly"]),
        fill_venue_id=str(fill_id),
    )


def _execution(trade: dict[str, Any]) -> Execution:
    fee = trade["fee"] or {}
    return Execution(
        trade_id=f"{trade['info']['symbol']}:{trade['id']}",
        venue_id=str(trade["order"]),
        symbol=trade["symbol"],
        side=Side(trade["side"]),
        price=exact(trade["price"]),
        quantity=exact(trade["amount"]),
        fee=exact(fee.get("cost") or 0),
        fee_currency=str(fee.get("currency") or ""),
        liquidity=str(trade["takerOrMaker"] or "taker"),
        at=datetime.fromtimestamp(int(trade["timestamp"]) / 1000, UTC),
    )
