"""Bybit's v5 calls for one linear symbol, as far as a bot uses them.

Shapes: the examples below https://bybit-exchange.github.io/docs/v5/ kept in documented/bybit.json;
``tests/runner/exchange/test_fakes.py`` compares each answer with them.
"""

import hashlib
import hmac
import json
import re
from decimal import Decimal
from urllib.parse import parse_qsl

from tests.fakes.venues.account import Account, Refused
from tests.fakes.venues.server import Server

_CODES = {
    "duplicate": (110072, "OrderLinkedID is duplicate"),
    "price": (110093, "expect Falling, but trigger_price >= current"),
    "reduce_only": (110017, "Reduce-only rule not satisfied"),
    "funds": (110007, "ab not enough for new order"),
    "gone": (110001, "order not exists or too late to cancel"),
    "unchanged": (110043, "Set leverage not modified"),
    "many": (110009, "The number of stop orders exceeds maximum limit allowed"),
    "client_id": (10001, "params error: OrderLinkID is invalid"),
    "sign": (10004, "error sign! origin_string"),
    "key": (10003, "API key is invalid."),
}
_STATES = {"live": "New", "filled": "Filled", "cancelled": "Cancelled"}
SYMBOL = "BTCUSDT"
INSTRUMENT = {
    "symbol": SYMBOL,
    "contractType": "LinearPerpetual",
    "status": "Trading",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "launchTime": "1585526400000",
    "deliveryTime": "0",
    "deliveryFeeRate": "",
    "priceScale": "2",
    "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
    "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
    "lotSizeFilter": {
        "maxOrderQty": "1190.000",
        "minOrderQty": "0.001",
        "qtyStep": "0.001",
        "postOnlyMaxOrderQty": "1190.000",
        "minNotionalValue": "5",
    },
    "unifiedMarginTrade": True,
    "fundingInterval": 480,
    "settleCoin": "USDT",
}


def enveloped(result, code=0, said="OK", now=0):
    return {"retCode": code, "retMsg": said, "result": result, "retExtInfo": {}, "time": now}


class Bybit(Server):
    def __init__(self, key, secret):
        super().__init__()
        self.key, self.secret = key, secret
        self.account = Account(self.now, fires_anew=False)
        self.page = 100
        self.hedged = False
        self.leverage = "10"
        self.margin_mode = "REGULAR_MARGIN"
        self.forgotten = False
        self.permissions = {"ContractTrade": ["Order", "Position"], "Wallet": ["AccountTransfer"]}
        self.ips = ["127.0.0.1"]
        self.expired_at = "1970-01-01T00:00:00Z"  # as for a key that is bound to addresses

    def answer(self, request, body):
        route = f"{request.method} {request.path.removeprefix('/v5/')}"
        fields = json.loads(body) if body else dict(parse_qsl(request.query_string))
        try:
            if "/market/" not in request.path:
                self._check(request, body)
            return enveloped(_ROUTES[route](self, fields), now=self.now())
        except Refused as refusal:
            code, said = _CODES[str(refusal)]
            return enveloped({}, code, said, self.now())

    def _check(self, request, body):
        headers = request.headers
        if headers["X-BAPI-API-KEY"] != self.key:
            raise Refused("key")
        text = headers["X-BAPI-TIMESTAMP"] + self.key + headers["X-BAPI-RECV-WINDOW"]
        text += body or request.query_string
        expected = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if headers["X-BAPI-SIGN"] != expected:
            raise Refused("sign")

    def time(self, _):
        now = self.now()
        return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}

    def instruments(self, _):
        return {"category": "linear", "list": [INSTRUMENT], "nextPageCursor": ""}

    def create(self, fields):
        kind = "stop" if "triggerPrice" in fields else fields["orderType"].lower()
        if not re.fullmatch("[A-Za-z0-9_-]{1,36}", fields["orderLinkId"]):
            raise Refused("client_id")
        price = fields.get("triggerPrice") or fields.get("price")
        order = self.account.place(
            fields["orderLinkId"],
            fields["side"].lower(),
            kind,
            Decimal(fields["qty"]),
            Decimal(price) if price else None,
            fields["reduceOnly"],
            fields.get("timeInForce") == "PostOnly",
        )
        return {"orderId": order.number, "orderLinkId": order.client_id}

    def cancel(self, fields):
        order = self.account.cancel(fields["orderLinkId"])
        return {"orderId": order.number, "orderLinkId": order.client_id}

    def realtime(self, fields):
        """ "openOnly will be ignored when query by orderId or orderLinkId"; else open ones only.

        ``forgotten``: "after a server release closed orders should only be queried through order
        history".
        """
        wanted = self._wanted(fields)
        if self.forgotten or not fields.keys() & {"orderLinkId", "orderId"}:
            wanted = [order for order in wanted if order.state == "live"]
        return self._paged([self._order(order) for order in wanted], fields)

    def history(self, fields):
        return self._paged([self._order(order) for order in self._wanted(fields)], fields)

    def executions(self, fields):
        start = int(fields["startTime"])
        # "If only startTime is passed, return range between startTime and startTime+7days".
        end = int(fields.get("endTime", start + 7 * 86_400_000))
        rows = [self._fill(f) for f in reversed(self.account.fills) if start <= f.at <= end]
        return self._paged(rows, fields)

    def positions(self, _):
        account = self.account
        row = {
            "positionIdx": 1 if self.hedged else 0,
            "symbol": SYMBOL,
            "side": "Buy" if account.position > 0 else "Sell" if account.position else "",
            "size": f"{abs(account.position):f}",
            "avgPrice": f"{account.entry:f}" if account.position else "0",
            "unrealisedPnl": f"{(account.price - account.entry) * account.position:f}",
            "leverage": "" if self.margin_mode == "PORTFOLIO_MARGIN" else self.leverage,
            "liqPrice": "",
            "createdTime": "1669097244192",
            "updatedTime": str(self.now()),
        }
        return {"category": "linear", "list": [row], "nextPageCursor": ""}

    def info(self, _):
        return {
            "marginMode": self.margin_mode,
            "updatedTime": "1697078946000",
            "unifiedMarginStatus": 4,
            "dcpStatus": "OFF",
            "timeWindow": 10,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }

    def set_leverage(self, fields):
        if fields["buyLeverage"] == self.leverage:
            raise Refused("unchanged")
        self.leverage = fields["buyLeverage"]
        return {}

    def wallet(self, _):
        account = self.account
        coin = {
            "coin": "USDT",
            "equity": f"{account.balance:f}",
            "walletBalance": f"{account.balance:f}",
            "unrealisedPnl": f"{(account.price - account.entry) * account.position:f}",
        }
        return {"list": [{"accountType": "UNIFIED", "coin": [coin]}]}

    def transactions(self, fields):
        start, end = int(fields["startTime"]), int(fields["endTime"])
        rows = [self._bill(*bill) for bill in reversed(self.account.bills)]
        wanted = [row for row in rows if start <= int(row["transactionTime"]) <= end]
        return self._paged(wanted, fields)

    def query_api(self, _):
        return {
            "id": "13770661",
            "note": "bot",
            "apiKey": self.key,
            "readOnly": 0,
            "secret": "",
            "permissions": self.permissions,
            "ips": self.ips,
            "type": 1,
            "deadlineDay": 83,
            "expiredAt": self.expired_at,
            "createdAt": "2026-10-16T02:24:40Z",
            "uta": 1,
            "userID": 24617703,
            "isMaster": True,
        }

    def _wanted(self, fields):
        found = reversed(self.account.orders.values())
        if "orderLinkId" in fields:
            return [order for order in found if order.client_id == fields["orderLinkId"]]
        if "orderId" in fields:
            return [order for order in found if order.number == fields["orderId"]]
        return list(found)

    def _paged(self, rows, fields):
        limit = min(int(fields.get("limit", 20)), self.page)
        start = int(fields.get("cursor") or 0)
        after = start + limit
        cursor = str(after) if after < len(rows) else ""
        return {"category": "linear", "list": rows[start:after], "nextPageCursor": cursor}

    def _order(self, order):
        waits = order.kind == "stop" and order.state == "live"
        stop = order.kind == "stop"
        return {
            "orderId": order.number,
            "orderLinkId": order.client_id,
            "symbol": SYMBOL,
            "price": f"{order.price:f}" if order.kind == "limit" else "0",
            "qty": f"{order.quantity:f}",
            "side": order.side.capitalize(),
            "positionIdx": 0,
            "orderStatus": "Untriggered" if waits else _STATES[order.state],
            "avgPrice": f"{order.average:f}" if order.average else "",
            "leavesQty": f"{order.quantity - order.filled:f}",
            "cumExecQty": f"{order.filled:f}",
            "cumExecValue": f"{order.filled * (order.average or 0):f}",
            "cumExecFee": "0",
            "timeInForce": "GTC" if order.kind == "limit" else "IOC",
            "orderType": "Limit" if order.kind == "limit" else "Market",
            "stopOrderType": "Stop" if stop else "",
            "triggerPrice": f"{order.price:f}" if stop else "",
            "triggerDirection": (2 if order.side == "sell" else 1) if stop else 0,
            "triggerBy": "LastPrice" if stop else "",
            "reduceOnly": order.reduce_only,
            "closeOnTrigger": stop,
            "createdTime": "1757837618905",
            "updatedTime": "1757837618909",
        }

    def _bill(self, number, kind, change, at):
        names = {"funding": "SETTLEMENT", "trade": "TRADE", "bonus": "BONUS"}
        moved = "TRANSFER_IN" if change > 0 else "TRANSFER_OUT"
        return {
            "id": f"592324_{number}",
            "symbol": SYMBOL if kind in ("funding", "trade") else "",
            "category": "linear",
            "side": "None",
            "transactionTime": str(at),
            "type": names.get(kind, moved),
            "qty": "0",
            "size": "0",
            "currency": "USDT",
            "tradePrice": "0",
            "funding": "",
            "fee": "0",
            "cashFlow": f"{change:f}",
            "change": f"{change:f}",
            "cashBalance": f"{self.account.balance:f}",
            "feeRate": "0",
            "tradeId": "",
            "orderId": "",
            "orderLinkId": "",
        }

    def _fill(self, fill):
        return {
            "symbol": SYMBOL,
            "orderId": fill.order.number,
            "orderLinkId": fill.order.client_id,
            "side": fill.order.side.capitalize(),
            "orderPrice": "0",
            "orderQty": f"{fill.order.quantity:f}",
            "leavesQty": "0",
            "orderType": "Market",
            "stopOrderType": "UNKNOWN",
            "execFee": f"{fill.price * fill.quantity * self.account.fee:f}",
            "execId": f"e0cbe81d-{fill.number}",
            "execPrice": f"{fill.price:f}",
            "execQty": f"{fill.quantity:f}",
            "execType": "Trade",
            "execValue": f"{fill.price * fill.quantity:f}",
            "execTime": str(fill.at),
            "isMaker": fill.order.kind == "limit",
            "feeRate": f"{self.account.fee:f}",
        }


_ROUTES = {
    "GET market/time": Bybit.time,
    "GET market/instruments-info": Bybit.instruments,
    "POST order/create": Bybit.create,
    "POST order/cancel": Bybit.cancel,
    "GET order/realtime": Bybit.realtime,
    "GET order/history": Bybit.history,
    "GET execution/list": Bybit.executions,
    "GET position/list": Bybit.positions,
    "POST position/set-leverage": Bybit.set_leverage,
    "GET account/info": Bybit.info,
    "GET account/wallet-balance": Bybit.wallet,
    "GET account/transaction-log": Bybit.transactions,
    "GET user/query-api": Bybit.query_api,
}
