"""Phemex's g-* calls for one USDT perpetual in one-way mode, as far as a bot uses them.

Shapes: the examples of https://phemex-docs.github.io/#hedged-contract-rest-api kept in
documented/phemex.json; ``tests/contract/test_venue_fakes.py`` compares each answer with them.
"""

import hashlib
import hmac
import json
from decimal import Decimal
from urllib.parse import parse_qsl

from tests.fakes.venues.account import Account, Refused
from tests.fakes.venues.server import Server

_CODES = {
    "duplicate": (11085, "TE_CL_ORD_ID_DUPLICATE"),
    "price": (11044, "TE_FALLING_TRIGGER_DIRECTLY"),
    "reduce_only": (11057, "TE_QTY_NOT_MATCH_REDUCE_ONLY"),
    "funds": (11001, "TE_NO_ENOUGH_AVAILABLE_BALANCE"),
    "gone": (10002, "OM_ORDER_NOT_FOUND"),
    "many": (11031, "TE_SO_NUM_EXCEEDS"),
    "mode": (20004, "TE_ERR_INCONSISTENT_POS_MODE"),
    "client_id": (30000, "Please double check input arguments"),
    "sign": (10500, "API Signature verification failed."),
    "key": (401, "401 Failed to load API KEY."),
    "right": (403, "403 Forbidden"),
}
_STATES = {"live": "New", "filled": "Filled", "cancelled": "Canceled", "failed": "Rejected"}
_TYPES = {"Limit": "limit", "Market": "market", "Stop": "stop"}
_DETAILS = {"transfer": "TRANSFER", "bonus": "BONUS"}
SYMBOL = "BTCUSDT"
INSTRUMENT = {
    "symbol": SYMBOL,
    "code": 41541,
    "type": "PerpetualV2",
    "displaySymbol": "BTC / USDT",
    "indexSymbol": ".BTCUSDT",
    "markSymbol": ".MBTCUSDT",
    "fundingRateSymbol": ".BTCUSDTFR",
    "fundingRate8hSymbol": ".BTCUSDTFR8H",
    "contractUnderlyingAssets": "BTC",
    "settleCurrency": "USDT",
    "quoteCurrency": "USDT",
    "tickSize": "0.1",
    "priceScale": 0,
    "ratioScale": 0,
    "pricePrecision": 1,
    "baseCurrency": "BTC",
    "status": "Listed",
    "defaultLeverage": "-10",
    "fundingInterval": 28800,
    "maxLeverage": 100,
    "maxOrderQtyRq": "1000",
    "minOrderValueRv": "1",
    "qtyPrecision": 3,
    "qtyStepSize": "0.001",
}
PRODUCTS = {"currencies": [], "products": [], "perpProductsV2": [INSTRUMENT]}


def enveloped(data, code=0, said=""):
    return {"code": code, "msg": said, "data": data}


class Phemex(Server):
    """``lags``: the database does not have the last orders and trades yet.

    ``says_none``: an empty list of open orders is told as an error, as it was seen to be.
    ``offset_counts_rows``, ``oldest_first``: what the documentation leaves open of a history.
    """

    def __init__(self, key, secret):
        super().__init__()
        self.key, self.secret = key, secret
        self.account = Account(self.now, fires_anew=False, trims=False)
        self.page = 200
        self.hedged = self.isolated = False
        self.leverage = "10"
        self.lags = self.says_none = self.offset_counts_rows = self.oldest_first = False
        self.may_withdraw = True
        self.risk_mode = "Classic"

    def answer(self, request, body):
        route = f"{request.method} {request.path.removeprefix('/')}"
        fields = json.loads(body) if body else dict(parse_qsl(request.query_string))
        try:
            if "public/" not in request.path:
                self._check(request, body)
            return enveloped(_ROUTES[route](self, fields))
        except Refused as refusal:
            code, said = _CODES[str(refusal)]
            return enveloped(None, code, said)

    def _check(self, request, body):
        headers = request.headers
        if headers["x-phemex-access-token"] != self.key:
            raise Refused("key")
        expiry = headers["x-phemex-request-expiry"]
        text = request.path + request.query_string + expiry + body
        expected = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if headers["x-phemex-request-signature"] != expected or int(expiry) * 1000 < self.now():
            raise Refused("sign")

    def time(self, _):
        return {"serverTime": self.now()}

    def products(self, _):
        return PRODUCTS

    def create(self, fields):
        kind, client_id = _TYPES[fields["ordType"]], fields["clOrdID"]
        if not 0 < len(client_id) <= 40:
            raise Refused("client_id")
        if (fields["posSide"] == "Merged") is self.hedged:
            raise Refused("mode")
        side, size = fields["side"].lower(), Decimal(fields["orderQtyRq"])
        price = fields.get("stopPxRp") or fields.get("priceRp")
        price = Decimal(price) if price else None
        if kind == "stop" and fields["reduceOnly"] and not self._reduces(side):
            raise Refused("reduce_only")
        reduces, posts = fields["reduceOnly"], fields["timeInForce"] == "PostOnly"
        order = self.account.place(client_id, side, kind, size, price, reduces, posts)
        return self._order(order) | {"ordStatus": "Created"}

    def cancel(self, fields):
        return self._order(self.account.cancel(fields["clOrdID"]))

    def active(self, _):
        rows = [self._order(order) for order in self.account.open()]
        if not rows and self.says_none:
            raise Refused("gone")
        return {"rows": rows, "nextPageArg": ""}

    def by_ids(self, fields):
        """From the database: what is closed."""
        closed = [order for order in self.account.orders.values() if order.state != "live"]
        wanted = [
            order
            for order in closed
            if order.number == fields.get("orderID") or order.client_id == fields.get("clOrdID")
        ]
        return {"rows": [] if self.lags else [self._closed(order) for order in wanted]}

    def trades(self, fields):
        end = int(fields.get("end", self.now()))
        start = int(fields.get("start", end - 2 * 86_400_000))
        fills = [] if self.lags else [f for f in self.account.fills if start <= f.at <= end]
        return self._paged([self._fill(fill) for fill in fills], fields)

    def accounts(self, _):
        account = self.account
        owner = {"accountId": 42000130003, "currency": "USDT", "userID": 4200013}
        balances = {"accountBalanceRv": f"{account.balance:f}", "bonusBalanceRv": "0"}
        sides = ("Long", "Short") if self.hedged else ("Merged",)
        rows = [self._position(side) for side in sides]
        return {"account": owner | balances | {"totalUsedBalanceRv": "0"}, "positions": rows}

    def set_leverage(self, fields):
        told = Decimal(fields["leverageRr"])
        self.isolated, self.leverage = told > 0, f"{abs(told):f}"
        return "OK"

    def risk(self, _):
        return {"riskMode": self.risk_mode, "lastUpdateTimeNs": 1701414861472716784}

    def funding_fees(self, fields):
        rows = [self._fee(at, change) for _, kind, change, at in self._bills() if kind == "funding"]
        return self._paged(rows, fields)

    def details(self, fields):
        """Newest first; ``offset`` counts rows here."""
        start, end, skip = int(fields["start"]), int(fields["end"]), int(fields["offset"])
        rows = [self._detail(*bill) for bill in reversed(self._bills()) if start <= bill[3] <= end]
        return {"rows": rows[skip : skip + min(int(fields["limit"]), self.page)]}

    def withdrawals(self, _):
        if not self.may_withdraw:
            raise Refused("right")
        return []

    def _bills(self):
        return sorted(self.account.bills, key=lambda bill: bill[3])

    def _reduces(self, side):
        return self.account.position > 0 if side == "sell" else self.account.position < 0

    def _paged(self, rows, fields):
        rows = rows if self.oldest_first else rows[::-1]
        limit = min(int(fields.get("limit", 20)), self.page)
        skip = int(fields.get("offset", 0)) * (1 if self.offset_counts_rows else limit)
        return {"rows": rows[skip : skip + limit]}

    def _order(self, order):
        """As the list of open orders has it."""
        waits, stop = order.kind == "stop" and order.state == "live", order.kind == "stop"
        names = {"limit": "Limit", "market": "Market", "stop": "Stop"}
        left = order.quantity - order.filled
        return {
            "bizError": 0,
            "orderID": order.number,
            "clOrdID": order.client_id,
            "symbol": SYMBOL,
            "side": order.side.capitalize(),
            "actionTimeNs": 1678163665765381733,
            "transactTimeNs": 1678163665769528669,
            "orderType": names[order.kind],
            "priceRp": f"{order.price:f}" if order.kind == "limit" else "0",
            "orderQtyRq": f"{order.quantity:f}",
            "timeInForce": "GoodTillCancel" if order.kind == "limit" else "ImmediateOrCancel",
            "reduceOnly": False,  # as recorded: only execInst tells
            "cumQtyRq": f"{order.filled:f}",
            "cumValueRv": f"{order.filled * (order.average or 0):f}",
            "leavesQtyRq": f"{left:f}",
            "stopDirection": "Falling" if stop else "UNSPECIFIED",
            "stopPxRp": f"{order.price:f}" if stop else "0",
            "trigger": "ByLastPrice" if stop else "UNSPECIFIED",
            "ordStatus": "Untriggered" if waits else self._state(order),
            "execInst": ("CloseOnTrigger" if stop else "ReduceOnly")
            if order.reduce_only
            else "None",
        }

    def _closed(self, order):
        """As the database has it: other names, and no trigger."""
        row = self._order(order)
        kept = (
            "symbol",
            "side",
            "actionTimeNs",
            "priceRp",
            "orderQtyRq",
            "timeInForce",
            "bizError",
        )
        kept += (
            "reduceOnly",
            "cumQtyRq",
            "cumValueRv",
            "leavesQtyRq",
            "stopDirection",
            "ordStatus",
        )
        renamed = {
            "orderId": row["orderID"],
            "clOrdId": row["clOrdID"],
            "ordType": row["orderType"],
        }
        return {name: row[name] for name in kept} | renamed

    def _state(self, order):
        untriggered = order.kind == "stop" and order.state == "cancelled"
        return "Deactivated" if untriggered else _STATES[order.state]

    def _position(self, side):
        account = self.account
        paid = -sum((bill[2] for bill in account.bills if bill[1] == "funding"), Decimal(0))
        held = {
            "Long": max(account.position, Decimal(0)),
            "Short": min(account.position, Decimal(0)),
        }
        size = held.get(side, account.position)
        return {
            "accountID": 42000130003,
            "symbol": SYMBOL,
            "currency": "USDT",
            "side": "Buy" if size > 0 else "Sell" if size else "None",
            "positionStatus": "Normal",
            "leverageRr": self.leverage if self.isolated else f"-{self.leverage}",
            "initMarginReqRr": "0.1",
            "size": f"{abs(size):f}",
            "avgEntryPriceRp": f"{account.entry:f}" if size else "0",
            "markPriceRp": f"{account.price:f}",
            "cumFundingFeeRv": f"{paid:f}",
            "posSide": side,
            "posMode": "Hedged" if self.hedged else "OneWay",
        }

    def _fee(self, at, change):
        return {
            "symbol": SYMBOL,
            "currency": "USDT",
            "execQtyRq": "0.02",
            "side": "Buy",
            "fundingRateRr": "0.0001",
            "feeRateRr": "0.0001",
            "execFeeRv": f"{-change:f}",
            "createTime": at,
        }

    def _detail(self, _, kind, change, at):
        return {
            "typeDesc": _DETAILS.get(kind, "REALIZED_PNL"),
            "amountRv": f"{change:f}",
            "balanceRv": f"{self.account.balance:f}",
            "createTime": at,
            "currency": "USDT",
        }

    def _fill(self, fill):
        worth = fill.price * fill.quantity
        return {
            "transactTimeNs": fill.at * 1_000_000 + 215_067,
            "symbol": SYMBOL,
            "currency": "USDT",
            "action": "New",
            "posSide": "Merged",
            "side": fill.order.side.capitalize(),
            "tradeType": "Trade",
            "execQtyRq": f"{fill.quantity:f}",
            "execPriceRp": f"{fill.price:f}",
            "execValueRv": f"{worth:f}",
            "feeRateRr": f"{self.account.fee:f}",
            "execFeeRv": f"{worth * self.account.fee:f}",
            "execID": f"5c3d96e1-{fill.number}",
            "orderID": fill.order.number,
            "clOrdID": fill.order.client_id,
            "execStatus": "MakerFill" if fill.order.kind == "limit" else "TakerFill",
        }


_ROUTES = {
    "GET public/time": Phemex.time,
    "GET public/products": Phemex.products,
    "GET v1/exchange/public/products": lambda *_: [],
    "POST g-orders": Phemex.create,
    "DELETE g-orders/cancel": Phemex.cancel,
    "GET g-orders/activeList": Phemex.active,
    "GET api-data/g-futures/orders/by-order-id": Phemex.by_ids,
    "GET api-data/g-futures/trades": Phemex.trades,
    "GET g-accounts/accountPositions": Phemex.accounts,
    "PUT g-positions/leverage": Phemex.set_leverage,
    "GET uta-api/risk/risk-mode": Phemex.risk,
    "GET api-data/g-futures/funding-fees": Phemex.funding_fees,
    "GET api-data/futures/v2/tradeAccountDetail": Phemex.details,
    "GET phemex-withdraw/wallets/api/withdrawHist": Phemex.withdrawals,
}
