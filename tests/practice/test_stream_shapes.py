"""Events have the fields, and the types, that the venue documents.

Written by hand from https://developers.binance.com/docs/derivatives/usds-margined-futures (page
named at each table). Fields the documentation gives to other order types only (``AP``, ``cr``,
``si`` of trailing orders, ``ap``/``aq``/``act``/``rm`` of conditional ones that fired or failed)
are left out. A missing field fails, and so does one too many.
"""

import asyncio

import pytest

from app.practice.keys import new_key
from tests.practice.client import BTC, ask, trade
from tests.practice.sockets import hear
from tests.practice.test_shapes import table

# websocket-market-streams/Kline-Candlestick-Streams
CANDLE = table(text="s i o c h l v q V Q B", whole="t T f L n", flag="x")
KLINE = table(text="e s", whole="E") | {"k": dict}
# websocket-market-streams/Aggregate-Trade-Streams
PRINT = table(text="e s p q nq", whole="E a f l T", flag="m")
# websocket-market-streams/Mark-Price-Stream
MARK = table(text="e s p i P r", whole="E T")
# websocket-market-streams/Diff-Book-Depth-Streams
DEPTH = table(text="e s", whole="E T U u pu", rows="b a")
# user-data-streams/Event-Order-Update
UPDATE = table(text="e", whole="E T") | {"o": dict}
ORDER = table(
    text="s c S o f q p ap sp x X l z L b a wt ot ps rp V pm er",
    whole="i T t si ss gtd",
    flag="m R cp pP",
)
# user-data-streams/Event-Balance-and-Position-Update
ACCOUNT = table(text="e", whole="E T") | {"a": dict}
WALLET = table(text="a wb cw bc")
POSITION = table(text="s pa ep bep cr up mt iw ps")
# user-data-streams/Event-Algo-Order-Update
ALGO = table(text="caid at o s S ps f q X ai tp p V wt pm", whole="aid tt gtd", flag="cp pP R")
# user-data-streams/Event-User-Data-Stream-Expired
EXPIRED = table(text="e E listenKey")


def fits(found, wanted):
    assert {name: type(value) for name, value in found.items()} == wanted


@pytest.mark.parametrize(
    ("path", "kind", "wanted"),
    [
        ("/market/ws/btcusdt@kline_1s", "kline", KLINE),
        ("/market/ws/btcusdt@aggTrade", "aggTrade", PRINT),
        ("/market/ws/btcusdt@markPrice@1s", "markPriceUpdate", MARK),
        ("/public/ws/btcusdt@depth@100ms", "depthUpdate", DEPTH),
    ],
)
def test_market_data(base, path, kind, wanted):
    event = hear(base, path, lambda socket: socket.event(kind))
    fits(event, wanted)
    if kind == "kline":
        fits(event["k"], CANDLE)


def told(base, work, kinds):
    """The first event of each kind that ``work`` leads to."""
    credentials = new_key()
    headers = {"X-MBX-APIKEY": credentials[0]}
    _, body, _ = ask("POST", f"{base}/fapi/v1/listenKey", headers=headers)

    async def listening(socket):
        await asyncio.to_thread(trade, base, work, credentials)
        return [await socket.event(kind) for kind in kinds]

    return hear(base, f"/private/ws?listenKey={body['listenKey']}", listening)


def test_an_order_and_its_fill(base):
    async def work(client):
        await client.create_order(BTC, "market", "buy", 0.01)

    new, fill, account = told(
        base, work, ["ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"]
    )
    fits(new, UPDATE)
    fits(new["o"], ORDER)
    assert (new["o"]["x"], new["o"]["X"], new["o"]["t"]) == ("NEW", "NEW", 0)
    fits(fill["o"], ORDER | table(text="N n"))
    assert (fill["o"]["x"], fill["o"]["X"]) == ("TRADE", "FILLED")
    fits(account, ACCOUNT)
    assert set(account["a"]) == {"m", "B", "P"}
    assert account["a"]["m"] == "ORDER"
    fits(account["a"]["B"][0], WALLET)
    fits(account["a"]["P"][0], POSITION)
    assert account["a"]["P"][0]["pa"] == "0.010"


def test_a_conditional_order(base):
    async def work(client):
        last = (await client.fetch_ticker(BTC))["last"]
        more = {"stopLossPrice": round(last * 0.95, 1)}
        await client.create_order(BTC, "market", "sell", 0.01, None, more)

    (event,) = told(base, work, ["ALGO_UPDATE"])
    fits(event, UPDATE)
    fits(event["o"], ALGO)
    assert event["o"]["X"] == "NEW"


def test_the_end_of_a_listen_key(base, switch):
    credentials = new_key()
    headers = {"X-MBX-APIKEY": credentials[0]}
    _, body, _ = ask("POST", f"{base}/fapi/v1/listenKey", headers=headers)

    async def listening(socket):
        masked = credentials[0]
        await asyncio.to_thread(switch, {"kind": "listen_key_expiry", "match": {"account": masked}})
        return await socket.event("listenKeyExpired")

    event = hear(base, f"/private/ws?listenKey={body['listenKey']}", listening)
    fits(event, EXPIRED)
    assert event["listenKey"] == body["listenKey"]


WISHES = [
    ({"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 1}, {"result": None, "id": 1}),
    ({"method": "UNSUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 2}, {"result": None, "id": 2}),
    ({"method": "LIST_SUBSCRIPTIONS", "id": 3}, {"result": ["ethusdt@kline_1m"], "id": 3}),
    ({"method": "GET_PROPERTY", "params": ["combined"], "id": 4}, {"result": False, "id": 4}),
    ({"method": "SET_PROPERTY", "params": ["combined", True], "id": 5}, {"result": None, "id": 5}),
]
REFUSED = [
    ("no json", 3),
    ({"params": [], "id": 1}, 2),
    ({"method": "SUBSCRIBE", "params": [], "id": "one"}, 2),
    ({"method": "WATCH", "params": [], "id": 1}, 2),
    ({"method": "SUBSCRIBE", "params": "btcusdt@depth", "id": 1}, 2),
    ({"method": "SUBSCRIBE", "params": [7], "id": 1}, 2),
    ({"method": "SUBSCRIBE", "params": ["a"] * 1024, "id": 1}, 2),
    ({"method": "GET_PROPERTY", "params": ["size"], "id": 1}, 0),
    ({"method": "SET_PROPERTY", "params": ["combined", "yes"], "id": 1}, 1),
]


@pytest.mark.parametrize(("wish", "answer"), WISHES, ids=lambda one: str(one)[:40])
def test_wishes(base, wish, answer):
    assert hear(base, "/market/ws/ethusdt@kline_1m", lambda socket: socket.ask(wish)) == answer


@pytest.mark.parametrize(("wish", "code"), REFUSED, ids=lambda one: str(one)[:40])
def test_wishes_that_are_refused(base, wish, code):
    answer = hear(base, "/market/ws/ethusdt@kline_1m", lambda socket: socket.ask(wish))
    assert answer["error"]["code"] == code
    assert answer["error"]["msg"]


def test_who_asks_too_often_is_cut_off(base):
    async def work(socket):
        for number in range(12):
            await socket.socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        while await socket.next() is not None:
            pass
        return True

    assert hear(base, "/market/ws", work)


@pytest.mark.parametrize(
    "path", ["/public/ws/btcusdt@aggTrade", "/market/ws/btcusdt@depth", "/ws/btcusdt@kline_1s"]
)
def test_a_stream_of_another_path_says_nothing(base, path):
    """The venue warns of it: the subscription stands, and no event ever comes."""

    async def work(socket):
        with pytest.raises(TimeoutError):
            await socket.socket.receive(0.7)

    hear(base, path, work)


def test_combined_streams_carry_their_names(base):
    async def work(socket):
        names = set()
        while len(names) < 2:
            names.add((await socket.next())["stream"])
        return names

    found = hear(base, "/market/stream?streams=btcusdt@aggTrade/ethusdt@kline_1s", work)
    assert found == {"btcusdt@aggTrade", "ethusdt@kline_1s"}
