"""KuCoin's calls for one linear contract in one-way mode, as far as a bot uses them, in lots.

Shapes: the examples below https://www.kucoin.com/docs-new/ kept in documented/kucoin.json;
``tests/contract/test_venue_fakes.py`` compares each answer with them.
"""

import base64
import hashlib
import hmac
import json
import re
from decimal import Decimal
from urllib.parse import parse_qsl

from tests.fakes.venues.account import Account, Refused
from tests.fakes.venues.server import Server

_CODES = {
    "duplicate": ("300018", "clientOid parameter repeated"),
    "price": ("300012", "Order price cannot be lower than xxx"),
    "reduce_only": ("300009", "No open positions to close."),
    "funds": ("300003", "Balance not enough"),
    "gone": ("100004", "Order is in not cancelable state"),
    "unknown": ("100001", "error.getOrder.orderNotExist"),
    "many": ("300004", "Stop order quantity limit exceeded"),
    "client_id": ("100001", "There are invalid parameters"),
    "size": ("100001", "There are invalid parameters"),
    "margin": ("330005", "Please switch your margin mode to cross margin mode and try again"),
    "mode": ("330012", "Your order is in One-Way Mode, while your account is set to Hedge Mode."),
    "leverage": ("300016", "The leverage cannot be greater than xxx."),
    "sign": ("400005", "Invalid KC-API-SIGN."),
    "key": ("400003", "KC-API-KEY does not exist."),
    "phrase": ("400004", "Invalid KC-API-PASSPHRASE."),
    "version": ("400009", "Invalid KC-API-KEY-VERSION."),
}
SYMBOL = "XBTUSDTM"
INSTRUMENT = {
    "symbol": SYMBOL,
    "rootSymbol": "USDT",
    "type": "FFWCSX",
    "firstOpenDate": 1585555200000,
    "expireDate": None,
    "settleDate": None,
    "baseCurrency": "XBT",
    "quoteCurrency": "USDT",
    "settleCurrency": "USDT",
    "maxOrderQty": 1000000,
    "maxPrice": 1000000.0,
    "lotSize": 1,
    "tickSize": 0.1,
    "multiplier": 0.001,
    "makerFeeRate": 2.0e-4,
    "takerFeeRate": 6.0e-4,
    "isInverse": False,
    "status": "Open",
    "fundingFeeRate": 5.2e-5,
    "fundingRateGranularity": 28800000,
    "openInterest": "6748176",
    "markPrice": 60000.0,
    "nextFundingRateTime": 17752926,
    "maxLeverage": 125,
    "supportCross": True,
}


def enveloped(data):
    return {"code": "200000", "data": data}


def refusal(code, said):
    return {"code": code, "msg": said}


class Kucoin(Server):
    def __init__(self, key, secret, phrase):
        super().__init__()
        self.key, self.secret, self.phrase = key, secret, phrase
        self.account = Account(
            self.now, fires_anew=False, most_stops=50, multiplier=Decimal("0.001")
        )
        self.page = 100
        self.hedged = False
        self.leverage = "10"
        self.margin_mode = "CROSS"
        self.delayed = False
        self.permission = "General,Futures"
        self.ips = "127.0.0.1"

    def answer(self, request, body):
        fields = json.loads(body) if body else dict(parse_qsl(request.query_string))
        path = request.path.removeprefix("/api/")
        public = re.match("v1/(timestamp|contracts|level2|kline)", path)
        try:
            if not public:
                self._check(request, body)
            for route, method in _ROUTES.items():
                verb, _, pattern = route.partition(" ")
                named = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
                found = re.fullmatch(named, path)
                if verb == request.method and found:
                    return enveloped(method(self, fields | found.groupdict()))
            return refusal("404000", "Url Not Found")
        except Refused as refused:
            return refusal(*_CODES[str(refused)])

    def _check(self, request, body):
        headers = request.headers
        if headers["KC-API-KEY"] != self.key:
            raise Refused("key")
        if headers["KC-API-KEY-VERSION"] != "3":
            raise Refused("version")
        if headers["KC-API-PASSPHRASE"] != self._digest(self.phrase):
            raise Refused("phrase")
        text = headers["KC-API-TIMESTAMP"] + request.method + request.raw_path + body
        if headers["KC-API-SIGN"] != self._digest(text):
            raise Refused("sign")

    def _digest(self, text):
        digest = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

    def time(self, _):
        return self.now()

    def contracts(self, _):
        return [INSTRUMENT]

    def contract(self, _):
        return INSTRUMENT

    def create(self, fields):
        if self.hedged:
            raise Refused("mode")
        if fields.get("marginMode", "ISOLATED") != self.margin_mode:
            raise Refused("margin")
        if not re.fullmatch("[A-Za-z0-9_-]{1,40}", fields["clientOid"]):
            raise Refused("client_id")
        if type(fields["size"]) is not int or fields["size"] < 1:
            raise Refused("size")
        if not fields["reduceOnly"] and fields["leverage"] > INSTRUMENT["maxLeverage"]:
            raise Refused("leverage")
        price = fields.get("stopPrice") or fields.get("price")
        order = self.account.place(
            fields["clientOid"],
            fields["side"],
            "stop" if "stop" in fields else fields["type"],
            Decimal(fields["size"]),
            Decimal(price) if price else None,
            fields["reduceOnly"],
            fields.get("postOnly", False),
        )
        return {"orderId": order.number, "clientOid": order.client_id}

    def cancel(self, fields):
        return {"clientOid": self.account.cancel(fields["client"]).client_id}

    def by_client(self, fields):
        return self._order(self._known(self.account.by_client(fields["clientOid"])))

    def by_number(self, fields):
        return self._order(self._known(self.account.orders.get(fields["number"])))

    def _known(self, order):
        if order is None:
            raise Refused("unknown")
        return order

    def orders(self, fields):
        """Those that wait for their price are in the other list."""
        wanted = [o for o in self.account.open() if o.kind != "stop"]
        return self._paged([self._order(order) for order in wanted], fields)

    def stops(self, fields):
        wanted = [o for o in self.account.open() if o.kind == "stop"]
        return self._paged([self._order(order) for order in wanted], fields)

    def fills(self, fields):
        """``delayed``: "the requested data is not real-time"; the last minute is missing."""
        start = int(fields["startAt"])
        end = min(int(fields["endAt"]), start + 7 * 86_400_000)
        if self.delayed:
            end = min(end, self.now() - 60_000)
        rows = [self._fill(f) for f in reversed(self.account.fills) if start <= f.at <= end]
        return self._paged(rows, fields)

    def recent_fills(self, _):
        start = self.now() - 86_400_000
        return [self._fill(f) for f in reversed(self.account.fills) if f.at >= start]

    def positions(self, _):
        account = self.account
        if not account.position:
            return []
        profit = (account.price - account.entry) * account.position * account.multiplier
        return [
            {
                "id": "500000000000988255",
                "symbol": SYMBOL,
                "crossMode": True,
                "currentQty": int(account.position),
                "isOpen": True,
                "markPrice": float(account.price),
                "unrealisedPnl": float(profit),
                "avgEntryPrice": float(account.entry),
                "settleCurrency": "USDT",
                "isInverse": False,
                "marginMode": "CROSS",
                "positionSide": "BOTH",
                "leverage": 10,
            }
        ]

    def overview(self, _):
        account = self.account
        profit = (account.price - account.entry) * account.position * account.multiplier
        return {
            "accountEquity": float(account.balance + profit),
            "unrealisedPNL": float(profit),
            "marginBalance": float(account.balance),
            "availableBalance": float(account.balance),
            "currency": "USDT",
        }

    def ledger(self, fields):
        """Newest first; while something is held the first row is a pending one of no number."""
        named = {"transfer": "Transfer", "trade": "RealisedPNL", "bonus": "Bonus"}
        rows = []
        if self.account.position:
            rows.append(self._entry("RealisedPNL", Decimal(0), "Pending", -1, self.now()))
        for number, kind, change, at in reversed(self.account.bills):
            if kind in named:
                way = ("In" if change > 0 else "Out") if kind == "transfer" else ""
                rows.append(self._entry(named[kind] + way, change, "Completed", int(number), at))
        return self._offset(rows, fields, "offset", "time")

    def funding(self, fields):
        paid = [bill for bill in reversed(self.account.bills) if bill[1] == "funding"]
        rows = [self._paid(number, change, at) for number, _, change, at in paid]
        return self._offset(rows, fields, "id", "timePoint")

    def position_mode(self, _):
        return {"positionMode": 1 if self.hedged else 0}

    def margin(self, fields):
        return {"symbol": fields["symbol"], "marginMode": self.margin_mode}

    def lent(self, fields):
        return {"symbol": fields["symbol"], "leverage": self.leverage}

    def lend(self, fields):
        self.leverage = fields["leverage"]
        return True

    def key_info(self, _):
        return {
            "remark": "bot",
            "apiKey": self.key,
            "apiVersion": 3,
            "permission": self.permission,
            "ipWhitelist": self.ips,
            "createdAt": 1728443843000,
            "uid": 165111215,
            "isMaster": True,
        }

    def _paged(self, rows, fields):
        size = min(int(fields["pageSize"]), self.page)
        number = int(fields["currentPage"])
        return {
            "currentPage": number,
            "pageSize": size,
            "totalNum": len(rows),
            "totalPage": -(-len(rows) // size),
            "items": rows[(number - 1) * size : number * size],
        }

    def _offset(self, rows, fields, number, time):
        start, end = int(fields["startAt"]), int(fields["endAt"])
        rows = [row for row in rows if start <= row[time] <= end + 1000]
        if "offset" in fields:
            rows = [row for row in rows if 0 < row[number] < int(fields["offset"])]
        size = min(int(fields["maxCount"]), self.page)
        return {"dataList": rows[:size], "hasMore": len(rows) > size}

    def _order(self, order):
        done = order.state != "live"
        stops = order.kind == "stop"
        return {
            "id": order.number,
            "symbol": SYMBOL,
            "type": "limit" if order.kind == "limit" else "market",
            "side": order.side,
            "price": f"{order.price:f}" if order.kind == "limit" else "0",
            "size": int(order.quantity),
            "stop": ("down" if order.side == "sell" else "up") if stops else "",
            "stopPriceType": "TP" if stops else "",
            "stopTriggered": stops and order.state == "filled",
            "stopPrice": f"{order.price:f}" if stops else None,
            "timeInForce": "GTC",
            "postOnly": False,
            "leverage": self.leverage,
            "clientOid": order.client_id,
            "isActive": not done,
            "cancelExist": order.state == "cancelled",
            "createdAt": 1729236185949,
            "settleCurrency": "USDT",
            "marginMode": "CROSS",
            "avgDealPrice": f"{order.average:f}" if order.average else "0",
            "filledSize": int(order.filled),
            "status": "done" if done else "open",
            "reduceOnly": order.reduce_only,
        }

    def _fill(self, fill):
        worth = fill.price * fill.quantity * self.account.multiplier
        return {
            "symbol": SYMBOL,
            "tradeId": fill.number,
            "orderId": fill.order.number,
            "side": fill.order.side,
            "liquidity": "maker" if fill.order.kind == "limit" else "taker",
            "forceTaker": False,
            "price": f"{fill.price:f}",
            "size": int(fill.quantity),
            "value": f"{worth:f}",
            "feeRate": f"{self.account.fee:f}",
            "feeCurrency": "USDT",
            "fee": f"{worth * self.account.fee:f}",
            "settleCurrency": "USDT",
            "orderType": "market",
            "tradeType": "trade",
            "tradeTime": fill.at * 1_000_000,
            "createdAt": fill.at,
        }

    def _entry(self, kind, change, status, offset, at):
        return {
            "time": at,
            "type": kind,
            "amount": float(abs(change) if kind.startswith("Transfer") else change),
            "fee": 0.0,
            "accountEquity": float(self.account.balance),
            "status": status,
            "remark": SYMBOL,
            "offset": offset,
            "currency": "USDT",
        }

    def _paid(self, number, change, at):
        return {
            "id": int(number),
            "symbol": SYMBOL,
            "timePoint": at,
            "fundingRate": 6.41e-4,
            "markPrice": float(self.account.price),
            "positionQty": 20,
            "positionCost": 1200.0,
            "funding": float(change),
            "settleCurrency": "USDT",
            "marginMode": "CROSS",
        }


_ROUTES = {
    "GET v1/timestamp": Kucoin.time,
    "GET v1/contracts/active": Kucoin.contracts,
    "GET v1/contracts/{symbol}": Kucoin.contract,
    "POST v1/orders": Kucoin.create,
    "GET v1/orders": Kucoin.orders,
    "DELETE v1/orders/client-order/{client}": Kucoin.cancel,
    "GET v1/orders/byClientOid": Kucoin.by_client,
    "GET v1/orders/{number}": Kucoin.by_number,
    "GET v1/stopOrders": Kucoin.stops,
    "GET v1/fills": Kucoin.fills,
    "GET v1/recentFills": Kucoin.recent_fills,
    "GET v1/positions": Kucoin.positions,
    "GET v1/account-overview": Kucoin.overview,
    "GET v1/transaction-history": Kucoin.ledger,
    "GET v1/funding-history": Kucoin.funding,
    "GET v2/position/getPositionMode": Kucoin.position_mode,
    "GET v2/position/getMarginMode": Kucoin.margin,
    "GET v2/getCrossUserLeverage": Kucoin.lent,
    "POST v2/changeCrossUserLeverage": Kucoin.lend,
    "GET v1/user/api-key": Kucoin.key_info,
}
