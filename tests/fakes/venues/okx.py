"""OKX's v5 calls for one swap in net mode, as far as a bot uses them; sizes are contracts.

Shapes: the examples of https://www.okx.com/docs-v5/en/ kept in documented/okx.json;
``tests/runner/exchange/test_fakes.py`` compares each answer with them.
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
    "duplicate": ("51016", "Client order ID already exists."),
    "price": ("51278", "SL trigger price can't be lower than the last price"),
    "reduce_only": ("51169", "Order failed because you don't have any positions to reduce."),
    "funds": ("51008", "Order failed. Insufficient USDT margin in account"),
    "gone": ("51400", "Cancellation failed as the order has been filled, canceled or does not"),
    "unknown": ("51603", "Order does not exist"),
    "sign": ("50113", "Invalid Sign"),
    "key": ("50111", "Invalid OK-ACCESS-KEY"),
    "phrase": ("50105", "Request header OK-ACCESS-PASSPHRASE incorrect."),
    "environment": ("50101", "APIKey does not match current environment."),
    "leverage": ("59000", "Your settings failed as you have positions or open orders"),
    "many": ("51174", "The number of pending orders reached the upper limit"),
    "client_id": ("51000", "Parameter clOrdId error"),
    "size": ("51121", "Order quantity must be a multiple of the lot size."),
}
_STATES = {"live": "live", "filled": "filled", "cancelled": "canceled", "fired": "effective"}
_STATES["failed"] = "order_failed"
INST = "BTC-USDT-SWAP"
LOT = Decimal("0.01")
INSTRUMENT = {
    "alias": "",
    "baseCcy": "",
    "category": "1",
    "ctMult": "1",
    "ctType": "linear",
    "ctVal": "0.01",
    "ctValCcy": "BTC",
    "expTime": "",
    "instFamily": "BTC-USDT",
    "instId": INST,
    "instType": "SWAP",
    "lever": "100",
    "listTime": "1573557408000",
    "lotSz": "0.01",
    "minSz": "0.01",
    "optType": "",
    "quoteCcy": "",
    "settleCcy": "USDT",
    "state": "live",
    "stk": "",
    "tickSz": "0.1",
    "uly": "BTC-USDT",
}


class Okx(Server):
    """A demo account: a request without the demo header is answered as by the real one."""

    def __init__(self, key, secret, phrase):
        super().__init__()
        self.key, self.secret, self.phrase = key, secret, phrase
        self.account = Account(self.now, fires_anew=True, trims=False, multiplier=Decimal("0.01"))
        self.page = 100
        self.mode = "net_mode"
        self.level = "2"
        self.leverage = "3"
        self.perm = "read_only,trade"
        self.ip = "127.0.0.1"

    def answer(self, request, body):
        route = f"{request.method} {request.path.removeprefix('/api/v5/')}"
        fields = json.loads(body) if body else dict(parse_qsl(request.query_string))
        try:
            if "/public/" not in request.path:
                self._check(request, body)
            rows = _ROUTES[route](self, fields)
        except Refused as refusal:
            code, said = _CODES[str(refusal)]
            if request.method == "POST" and code.startswith("51"):
                row = {"ordId": "", "clOrdId": "", "tag": "", "sCode": code, "sMsg": said}
                return {"code": "1", "data": [row], "msg": "All operations failed"}
            return {"code": code, "data": [], "msg": said}
        return {"code": "0", "data": rows, "msg": ""}

    def _check(self, request, body):
        headers = request.headers
        if headers.get("x-simulated-trading") != "1":
            raise Refused("environment")
        if headers["OK-ACCESS-KEY"] != self.key:
            raise Refused("key")
        if headers["OK-ACCESS-PASSPHRASE"] != self.phrase:
            raise Refused("phrase")
        text = headers["OK-ACCESS-TIMESTAMP"] + request.method + request.raw_path + body
        digest = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest()
        if headers["OK-ACCESS-SIGN"] != base64.b64encode(digest).decode():
            raise Refused("sign")

    def time(self, _):
        return [{"ts": str(self.now())}]

    def instruments(self, _):
        return [INSTRUMENT]

    def place(self, fields):
        kind = "limit" if fields.get("ordType") == "post_only" else fields["ordType"]
        order = self._place(fields, fields["clOrdId"], kind, fields.get("px"))
        done = {"tag": "", "sCode": "0", "sMsg": "Order placed"}
        return [{"ordId": order.number, "clOrdId": order.client_id, **done}]

    def place_algo(self, fields):
        order = self._place(fields, fields["algoClOrdId"], "stop", fields["slTriggerPx"])
        done = {"tag": "", "sCode": "0", "sMsg": ""}
        return [{"algoId": order.number, "clOrdId": "", "algoClOrdId": order.client_id, **done}]

    def _place(self, fields, client_id, kind, price):
        size = Decimal(fields["sz"])
        if size % LOT:
            raise Refused("size")
        if not re.fullmatch("[A-Za-z0-9]{1,32}", client_id):
            raise Refused("client_id")
        return self.account.place(
            client_id,
            fields["side"],
            kind,
            size,
            Decimal(price) if price else None,
            fields["reduceOnly"],
            fields.get("ordType") == "post_only",
        )

    def cancel(self, fields):
        order = self.account.cancel(fields["clOrdId"])
        return [{"ordId": order.number, "clOrdId": order.client_id, "sCode": "0", "sMsg": ""}]

    def cancel_algos(self, fields):
        order = self.account.cancel(fields[0]["algoClOrdId"])
        return [{"algoId": order.number, "clOrdId": "", "sCode": "0", "sMsg": "", "tag": ""}]

    def order(self, fields):
        found = self.account.orders.get(fields.get("ordId", ""))
        found = found or self.account.by_client(fields.get("clOrdId", "-"))
        if found is None or found.kind == "stop":
            raise Refused("unknown")
        return [self._order(found)]

    def algo(self, fields):
        found = self.account.by_client(fields["algoClOrdId"])
        if found is None:
            raise Refused("unknown")
        return [self._algo(found)]

    def pending(self, fields):
        rows = [self._order(o) for o in self.account.open() if o.kind != "stop"]
        return self._paged(rows, fields, "ordId")

    def algos_pending(self, fields):
        rows = [self._algo(o) for o in self.account.open() if o.kind == "stop"]
        rows = rows if fields["ordType"].startswith("conditional") else []
        return self._paged(rows, fields, "algoId")

    def fills(self, fields):
        start = int(fields["begin"])
        rows = [self._fill(f) for f in reversed(self.account.fills) if f.at >= start]
        return self._paged(rows, fields, "billId")

    def recent_fills(self, fields):
        """The last three days only."""
        start = max(int(fields["begin"]), self.now() - 3 * 86_400_000)
        return self.fills({**fields, "begin": start})

    def positions(self, _):
        account = self.account
        if not account.position:
            return []
        profit = (account.price - account.entry) * account.position * account.multiplier
        return [
            {
                "instId": INST,
                "instType": "SWAP",
                "mgnMode": "cross",
                "posSide": "net",
                "pos": f"{account.position:f}",
                "avgPx": f"{account.entry:f}",
                "upl": f"{profit:f}",
                "lever": "3",
                "markPx": f"{account.price:f}",
                "ccy": "USDT",
            }
        ]

    def leverage_info(self, fields):
        told = {"instId": INST, "mgnMode": fields["mgnMode"], "posSide": "net"}
        return [{**told, "ccy": "", "lever": self.leverage}]

    def set_leverage(self, fields):
        resting = any(order.kind != "stop" for order in self.account.open())
        if resting or self.account.position:
            raise Refused("leverage")
        self.leverage = fields["lever"]
        told = {"instId": INST, "mgnMode": fields["mgnMode"], "posSide": "net"}
        return [{**told, "lever": self.leverage}]

    def balance(self, _):
        account = self.account
        profit = (account.price - account.entry) * account.position * account.multiplier
        row = {
            "ccy": "USDT",
            "cashBal": f"{account.balance:f}",
            "eq": f"{account.balance + profit:f}",
            "upl": f"{profit:f}",
        }
        return [{"details": [row], "totalEq": f"{account.balance:f}"}]

    def bills(self, fields):
        start = int(fields["begin"])
        rows = [self._bill(*bill) for bill in reversed(self.account.bills)]
        return self._paged([row for row in rows if int(row["ts"]) >= start], fields, "billId")

    def config(self, _):
        return [
            {
                "uid": "44705892343619584",
                "acctLv": self.level,
                "posMode": self.mode,
                "perm": self.perm,
                "ip": self.ip,
                "label": "bot",
            }
        ]

    def _paged(self, rows, fields, number):
        limit = min(int(fields.get("limit", 100)), self.page)
        if "after" in fields:
            rows = [row for row in rows if int(row[number]) < int(fields["after"])]
        return rows[:limit]

    def _order(self, order):
        return {
            "accFillSz": f"{order.filled:f}",
            "algoClOrdId": order.fired,
            "algoId": "",
            "avgPx": f"{order.average:f}" if order.average else "",
            "cTime": "1751705801423",
            "clOrdId": order.client_id,
            "fee": "0",
            "feeCcy": "USDT",
            "instId": INST,
            "instType": "SWAP",
            "lever": "3",
            "ordId": order.number,
            "ordType": order.kind,
            "posSide": "net",
            "px": f"{order.price:f}" if order.price else "",
            "reduceOnly": str(order.reduce_only).lower(),
            "side": order.side,
            "state": _STATES[order.state],
            "sz": f"{order.quantity:f}",
            "tdMode": "cross",
            "uTime": "1751705807467",
        }

    def _algo(self, order):
        return {
            "algoId": order.number,
            "algoClOrdId": order.client_id,
            "clOrdId": "",
            "actualPx": "",
            "actualSz": "",
            "cTime": "1649119897778",
            "instId": INST,
            "instType": "SWAP",
            "ordId": order.fired,
            "ordIdList": [order.fired] if order.fired else [],
            "ordType": "conditional",
            "posSide": "net",
            "reduceOnly": str(order.reduce_only).lower(),
            "side": order.side,
            "slOrdPx": "-1",
            "slTriggerPx": f"{order.price:f}",
            "slTriggerPxType": "last",
            "state": _STATES[order.state],
            "sz": f"{order.quantity:f}",
            "tdMode": "cross",
        }

    def _bill(self, number, kind, change, at):
        return {
            "bal": f"{self.account.balance:f}",
            "balChg": f"{change:f}",
            "billId": number,
            "ccy": "USDT",
            "fee": "0",
            "instId": INST if kind in ("funding", "trade") else "",
            "instType": "SWAP" if kind in ("funding", "trade") else "",
            "mgnMode": "",
            "notes": "",
            "ordId": "",
            "pnl": "0",
            "posBal": "0",
            "posBalChg": "0",
            "subType": "",
            "sz": f"{abs(change):f}",
            "ts": str(at),
            "type": {"transfer": "1", "trade": "2", "funding": "8", "bonus": "7"}[kind],
        }

    def _fill(self, fill):
        worth = fill.price * fill.quantity * self.account.multiplier
        return {
            "side": fill.order.side,
            "fillSz": f"{fill.quantity:f}",
            "fillPx": f"{fill.price:f}",
            "fee": f"{-worth * self.account.fee:f}",
            "ordId": fill.order.number,
            "instType": "SWAP",
            "instId": INST,
            "clOrdId": fill.order.client_id,
            "posSide": "net",
            "billId": fill.number,
            "tag": "",
            "execType": "M" if fill.order.kind == "limit" else "T",
            "tradeId": fill.number,
            "feeCcy": "USDT",
            "ts": str(fill.at),
        }


_ROUTES = {
    "GET public/time": Okx.time,
    "GET public/instruments": Okx.instruments,
    "POST trade/order": Okx.place,
    "POST trade/order-algo": Okx.place_algo,
    "POST trade/cancel-order": Okx.cancel,
    "POST trade/cancel-algos": Okx.cancel_algos,
    "GET trade/order": Okx.order,
    "GET trade/order-algo": Okx.algo,
    "GET trade/orders-pending": Okx.pending,
    "GET trade/orders-algo-pending": Okx.algos_pending,
    "GET trade/fills": Okx.recent_fills,
    "GET trade/fills-history": Okx.fills,
    "GET account/positions": Okx.positions,
    "GET account/balance": Okx.balance,
    "GET account/bills": Okx.bills,
    "GET account/bills-archive": Okx.bills,
    "GET account/config": Okx.config,
    "GET account/leverage-info": Okx.leverage_info,
    "POST account/set-leverage": Okx.set_leverage,
}
