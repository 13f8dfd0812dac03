"""What the unmodified ccxt class really sends for each order kind, captured at a local server.

The expected fields are those of Binance's documentation for USD-M futures: "New Order"
(POST /fapi/v1/order) and "New Algo Order" (POST /fapi/v1/algoOrder, algoType CONDITIONAL).
"""

import asyncio
import hashlib
import hmac
import json
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from runner.errors import Operational, Temporary, UnknownOutcome
from runner.exchange.base import OrderKind, OrderRequest
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.protocol import Credentials, Mode, OrderStatus, Side
from tests.runner.machine import SYMBOL, configuration

KEY = Credentials("the-key", "the-secret")
INFO = {
    "timezone": "UTC",
    "serverTime": 1795533648677,
    "rateLimits": [],
    "assets": [],
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "pair": "BTCUSDT",
            "contractType": "PERPETUAL",
            "deliveryDate": 4133404800000,
            "onboardDate": 1569398400000,
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "marginAsset": "USDT",
            "pricePrecision": 2,
            "quantityPrecision": 3,
            "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET"],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "minPrice": "0.10",
                    "maxPrice": "900000",
                    "tickSize": "0.10",
                },
                {
                    "filterType": "LOT_SIZE",
                    "minQty": "0.001",
                    "maxQty": "1000",
                    "stepSize": "0.001",
                },
                {
                    "filterType": "MARKET_LOT_SIZE",
                    "minQty": "0.001",
                    "maxQty": "120",
                    "stepSize": "0.001",
                },
                {"filterType": "MIN_NOTIONAL", "notional": "100"},
            ],
        }
    ],
}
ORDER = {
    "orderId": 4711,
    "symbol": "BTCUSDT",
    "status": "NEW",
    "clientOrderId": "plx-1",
    "price": "0",
    "avgPrice": "0.00",
    "origQty": "0.010",
    "executedQty": "0",
    "cumQuote": "0",
    "timeInForce": "GTC",
    "type": "MARKET",
    "reduceOnly": False,
    "side": "BUY",
    "positionSide": "BOTH",
    "stopPrice": "0",
    "updateTime": 1795533648677,
}
ALGO = {
    "algoId": 12,
    "clientAlgoId": "plx-1",
    "algoType": "CONDITIONAL",
    "orderType": "STOP_MARKET",
    "symbol": "BTCUSDT",
    "side": "SELL",
    "positionSide": "BOTH",
    "timeInForce": "GTC",
    "quantity": "0.010",
    "algoStatus": "NEW",
    "triggerPrice": "57000.0",
    "price": "0",
    "reduceOnly": True,
    "createTime": 1795533648677,
    "updateTime": 1795533648677,
}


class Capture:
    """Answers as a venue and keeps every signed request."""

    def __init__(self, answer=None):
        self.answer = answer
        self.seen = []

    async def handle(self, request):
        if request.path.endswith("/exchangeInfo"):
            return web.json_response(INFO)
        body = (await request.read()).decode()
        self.seen.append((request.method, request.path, request.query_string + body, request))
        if callable(self.answer):
            return await self.answer(request)
        if self.answer is not None:
            return web.json_response(self.answer)
        return web.json_response(ALGO if "algo" in request.path else ORDER)

    @property
    def fields(self):
        return dict(parse_qsl(self.seen[-1][2]))


def at_venue(capture, act):
    async def go():
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", capture.handle)
        runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        exchange, venue, endpoint = connect(configuration(url, Mode.TESTNET), KEY, "127.64.0.5")
        exchange.timeout = 1000
        market = CcxtMarket(exchange, venue, endpoint)
        try:
            await market.open()
            return await act(CcxtBroker(exchange, venue, "USDT"))
        finally:
            await market.close()
            await runner.cleanup()

    return asyncio.run(go())


def request(kind, side="buy", price=None, reduce_only=False):
    price = None if price is None else Decimal(price)
    return OrderRequest("plx-1", SYMBOL, Side(side), kind, Decimal("0.01"), price, reduce_only)


BASE = {"symbol": "BTCUSDT", "quantity": "0.01"}
PLAIN = {**BASE, "newClientOrderId": "plx-1", "newOrderRespType": "RESULT"}
KINDS = {
    "market": (
        request(OrderKind.MARKET),
        "/fapi/v1/order",
        {**PLAIN, "side": "BUY", "type": "MARKET"},
    ),
    "reduce only": (
        request(OrderKind.MARKET, "sell", reduce_only=True),
        "/fapi/v1/order",
        {**PLAIN, "side": "SELL", "type": "MARKET", "reduceOnly": "true"},
    ),
    "limit": (
        request(OrderKind.LIMIT, "sell", "58000.1"),
        "/fapi/v1/order",
        {**PLAIN, "side": "SELL", "type": "LIMIT", "price": "58000.1", "timeInForce": "GTC"},
    ),
    "stop": (
        request(OrderKind.STOP_MARKET, "sell", "57000", reduce_only=True),
        "/fapi/v1/algoOrder",
        {
            **BASE,
            "clientAlgoId": "plx-1",
            "algoType": "CONDITIONAL",
            "newOrderRespType": "RESULT",
            "side": "SELL",
            "type": "STOP_MARKET",
            "triggerPrice": "57000",
            "workingType": "CONTRACT_PRICE",
            "reduceOnly": "true",
        },
    ),
}


def unsigned(fields):
    return {k: v for k, v in fields.items() if k not in ("timestamp", "recvWindow", "signature")}


@pytest.mark.parametrize("name", KINDS)
def test_each_order_kind_on_the_wire(name):
    order, path, expected = KINDS[name]
    capture = Capture()
    report = at_venue(capture, lambda broker: broker.place(order))
    method, seen_path, _, raw = capture.seen[-1]
    assert (method, seen_path) == ("POST", path)
    assert unsigned(capture.fields) == expected
    assert len(capture.seen) == 1, "one order, one request"
    assert raw.remote == "127.64.0.5"
    assert report.status is OrderStatus.OPEN
    assert report.client_id == "plx-1"


def test_requests_are_signed_with_the_secret_and_never_carry_it():
    capture = Capture()
    at_venue(capture, lambda broker: broker.place(request(OrderKind.MARKET)))
    _, _, text, raw = capture.seen[-1]
    signed, _, signature = text.rpartition("&signature=")
    assert hmac.new(b"the-secret", signed.encode(), hashlib.sha256).hexdigest() == signature
    assert raw.headers["X-MBX-APIKEY"] == "the-key"
    assert "the-secret" not in text + json.dumps(dict(raw.headers))
    assert int(capture.fields["recvWindow"]) < 15_000, "an order unseen after 15 s never arrived"


@pytest.mark.parametrize(
    ("kind", "path", "field"),
    [
        (OrderKind.MARKET, "/fapi/v1/order", "origClientOrderId"),
        (OrderKind.STOP_MARKET, "/fapi/v1/algoOrder", "clientAlgoId"),
    ],
)
@pytest.mark.parametrize(("act", "method"), [("find", "GET"), ("cancel", "DELETE")])
def test_orders_are_addressed_by_our_own_id(kind, path, field, act, method):
    capture = Capture()
    order = request(kind, price="57000")
    at_venue(capture, lambda broker: getattr(broker, act)(order))
    first = capture.seen[0]
    assert first[:2] == (method, path)
    assert unsigned(dict(parse_qsl(first[2]))) == {"symbol": "BTCUSDT", field: "plx-1"}


def refusal(code, status=400):
    async def answer(_):
        return web.json_response({"code": code, "msg": "as the test says"}, status=status)

    return answer


async def hang_up(request):
    request.transport.abort()
    return web.Response()


async def never(_):
    await asyncio.sleep(30)


async def nonsense(_):
    return web.Response(text="<html>bad gateway</html>", status=502)


async def cut_json(_):
    return web.Response(text='{"orderId": 47', content_type="application/json")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (hang_up, UnknownOutcome),
        (never, UnknownOutcome),
        (nonsense, UnknownOutcome),
        (cut_json, UnknownOutcome),
        (refusal(-1007, 408), UnknownOutcome),
        (refusal(-1006, 500), UnknownOutcome),
        (refusal(-4116), UnknownOutcome),
        (refusal(-1000, 503), UnknownOutcome),
        (refusal(-1021), Temporary),
        (refusal(-1003, 429), Temporary),
        (refusal(-2019), Operational),
        (refusal(-2022), Operational),
        (refusal(-4164), Operational),
        (refusal(-2015, 401), Operational),
    ],
)
def test_only_a_definite_refusal_counts_as_one(answer, error):
    with pytest.raises(error) as caught:
        at_venue(Capture(answer), lambda broker: broker.place(request(OrderKind.MARKET)))
    assert type(caught.value) is error
    assert "signature" not in str(caught.value)


def test_an_order_the_venue_never_saw_is_none():
    found = at_venue(Capture(refusal(-2013)), lambda b: b.find(request(OrderKind.MARKET)))
    assert found is None


def test_another_host_is_never_reached():
    async def go(broker):
        broker._exchange.urls["api"]["fapiPrivate"] = "https://fapi.binance.com/fapi/v1"
        return await broker.place(request(OrderKind.MARKET))

    with pytest.raises(Operational, match=r"refused to reach https://fapi\.binance\.com"):
        at_venue(Capture(), go)


def test_a_redirect_to_another_host_is_refused():
    async def elsewhere(_):
        return web.Response(status=307, headers={"Location": "http://127.0.0.1:9/fapi"})

    with pytest.raises(Operational, match="not a host of this mode"):
        at_venue(Capture(elsewhere), lambda b: b.place(request(OrderKind.MARKET)))


def test_the_paper_market_has_no_way_to_send():
    assert not [n for n in dir(CcxtMarket) if "order" in n.lower() or n in ("place", "cancel")]
