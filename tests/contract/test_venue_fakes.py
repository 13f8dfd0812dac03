"""The fake venues answer with the fields and types the venues document, and so does our reading.

The lists are in tests/fakes/venues/documented, with their sources; they were not written by what
the fakes or the runner happen to use. What a real venue does beyond them is never proven here: a
testnet key shows it.
"""

import asyncio
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from runner.journal import client_order_id
from tests.fakes.venues import bybit, kucoin, okx
from tests.fakes.venues.account import Refused
from tests.fakes.venues.server import served

FOLDER = Path(__file__).parents[1] / "fakes" / "venues" / "documented"
QUIRKS = Path(__file__).parents[2] / "runner" / "exchange" / "quirks"
KINDS = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "list",
    dict: "object",
    type(None): "null",
}


def documented(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def compare(row, fields, where):
    for name, value in row.items():
        assert name in fields, f"{where} has no field {name}"
        assert KINDS[type(value)] in fields[name], f"{where}.{name} is a {KINDS[type(value)]}"


def traded(fake):
    """One order of each kind and state, so that no list is empty."""
    account = fake.account
    account.place("e1", "buy", "market", Decimal("0.02"), None, False)
    account.place("s1", "sell", "stop", Decimal("0.02"), Decimal(59000), True)
    account.place("s2", "sell", "stop", Decimal("0.02"), Decimal(58000), True)
    account.place("l2", "sell", "limit", Decimal("0.02"), Decimal(62000), True)
    account.cancel("l2")
    account.place("l1", "sell", "limit", Decimal("0.02"), Decimal(61000), True)
    account.move("58500")
    account.book("transfer", "5")
    account.place("e2", "buy", "market", Decimal("0.02"), None, False)
    return fake


BYBIT = {"category": "linear", "startTime": "0", "endTime": "9" * 13}
BYBIT_POST = {
    "orderLinkId": "x",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.02",
    "price": "50000",
    "reduceOnly": False,
}
OKX_ORDER = {"side": "buy", "sz": "2", "reduceOnly": False, "tdMode": "cross"}
OKX = {
    "POST trade/order": {**OKX_ORDER, "clOrdId": "x", "ordType": "limit", "px": "50000"},
    "POST trade/order-algo": {
        **OKX_ORDER,
        "algoClOrdId": "y",
        "ordType": "conditional",
        "slTriggerPx": "99000",
    },
    "POST trade/cancel-order": {"clOrdId": "l1"},
    "POST trade/cancel-algos": [{"algoClOrdId": "s2"}],
    "GET trade/order": {"clOrdId": "e1"},
    "GET trade/order-algo": {"algoClOrdId": "s1"},
    "GET trade/orders-algo-pending": {"ordType": "conditional,oco"},
    "GET trade/fills": {"begin": "0"},
    "GET trade/fills-history": {"begin": "0"},
    "GET account/leverage-info": {"instId": okx.INST, "mgnMode": "cross"},
    "POST account/set-leverage": {"instId": okx.INST, "mgnMode": "cross", "lever": "2"},
    "GET account/bills": {"begin": "0"},
    "GET account/bills-archive": {"begin": "0"},
}


@pytest.mark.parametrize("route", bybit._ROUTES)
def test_bybit_answers_as_documented(route):
    told = documented("bybit")
    fake = traded(bybit.Bybit("k", "s"))
    fields = BYBIT_POST if route.endswith("create") else {**BYBIT, "orderLinkId": "l1"}
    fields = BYBIT if route.startswith("GET") else fields
    fields = fields | {"buyLeverage": "2", "sellLeverage": "2"}
    result = bybit._ROUTES[route](fake, fields)
    compare(bybit.enveloped(result), told["envelope"], "envelope")
    rows = result.get("list", [result])
    assert rows
    for row in rows:
        compare(row, told["rows"][route], route)
        for coin in row.get("coin", ()):
            compare(coin, told["rows"]["coin"], "coin")


@pytest.mark.parametrize("route", okx._ROUTES)
def test_okx_answers_as_documented(route):
    told = documented("okx")
    fake = traded(okx.Okx("k", "s", "p"))
    if route.endswith("set-leverage"):  # refused while anything is held or rests
        fake = okx.Okx("k", "s", "p")
    rows = okx._ROUTES[route](fake, OKX.get(route, {}))
    assert rows
    for row in rows:
        compare(row, told["rows"][route], route)
        for detail in row.get("details", ()):
            compare(detail, told["rows"]["details"], "details")


SPAN = {"startAt": "0", "endAt": "9" * 13}
PAGE = {"currentPage": "1", "pageSize": "100"}
KUCOIN_ORDER = {
    "clientOid": "x",
    "side": "buy",
    "type": "limit",
    "size": 2,
    "price": "50000",
    "reduceOnly": False,
    "leverage": 3,
    "marginMode": "CROSS",
}
KUCOIN = {
    "POST v1/orders": KUCOIN_ORDER,
    "DELETE v1/orders/client-order/{client}": {"client": "l1"},
    "GET v1/orders/byClientOid": {"clientOid": "s1"},
    "GET v1/orders/{number}": {"number": "1001"},
    "GET v1/orders": PAGE,
    "GET v1/stopOrders": PAGE,
    "GET v1/fills": SPAN | PAGE,
    "GET v1/transaction-history": SPAN | {"maxCount": "100"},
    "GET v1/funding-history": SPAN | {"maxCount": "100"},
    "GET v2/position/getMarginMode": {"symbol": kucoin.SYMBOL},
    "GET v2/getCrossUserLeverage": {"symbol": kucoin.SYMBOL},
    "POST v2/changeCrossUserLeverage": {"leverage": "3"},
}


@pytest.mark.parametrize("route", kucoin._ROUTES)
def test_kucoin_answers_as_documented(route):
    told = documented("kucoin")
    fake = traded(kucoin.Kucoin("k", "s", "p"))
    fake.account.book("funding", "-1.5")
    today = {"startAt": str(fake.now() - 60_000)} if route == "GET v1/fills" else {}
    data = kucoin._ROUTES[route](fake, KUCOIN.get(route, {}) | today)
    compare(kucoin.enveloped(data), told["envelope"], "envelope")
    compare(kucoin.refusal("1", "no"), told["envelope"], "refusal")
    if isinstance(data, dict) and data.keys() & {"items", "dataList"}:
        compare(data, told["rows"]["page" if "items" in data else "offsets"], "page")
        data = data.get("items", data.get("dataList"))
    rows = data if isinstance(data, list) else [data]
    assert rows
    for row in rows:
        if isinstance(row, dict):  # else the moment, or "done"
            compare(row, told["rows"][route], route)


IDS = (
    "a",
    "A1",
    "a" * 32,
    "a" * 33,
    "a" * 36,
    "a" * 37,
    "a" * 40,
    "a" * 41,
    "a-1",
    "a_1",
    "a.1",
    "a 1",
    "ä1",
    "",
)


@pytest.mark.parametrize("client_id", IDS)
def test_a_fake_takes_the_client_ids_its_venue_documents_and_no_others(client_id):
    taken = {
        "bybit": lambda: bybit.Bybit("k", "s").create(BYBIT_POST | {"orderLinkId": client_id}),
        "okx": lambda: okx.Okx("k", "s", "p").place(
            OKX["POST trade/order"] | {"clOrdId": client_id}
        ),
        "okx algo": lambda: okx.Okx("k", "s", "p").place_algo(
            OKX["POST trade/order-algo"] | {"algoClOrdId": client_id}
        ),
        "kucoin": lambda: kucoin.Kucoin("k", "s", "p").create(
            KUCOIN_ORDER | {"clientOid": client_id}
        ),
    }
    for what, take in taken.items():
        pattern = documented("client_ids")[what.partition(" ")[0]]["pattern"]
        if re.fullmatch(pattern, client_id):
            take()
            continue
        with pytest.raises(Refused, match="client_id"):
            take()


def test_every_id_the_runner_gives_an_order_is_one_for_every_venue():
    made = client_order_id("bot_" + "a" * 26, "run_" + "b" * 26, "d" * 60, "stop", 12345)
    for rule in documented("client_ids").values():
        assert re.fullmatch(rule["pattern"], made)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("bybit", ("bybit", "bybit_reports")),
        ("okx", ("okx", "okx_reports")),
        ("kucoin", ("kucoin", "kucoin_reports", "kucoin_setup")),
    ],
)
def test_every_field_the_runner_reads_is_documented(name, files):
    told = documented(name)
    known = {field for fields in told["rows"].values() for field in fields}
    known |= told["envelope"].keys() | {"result", "list", "data", "nextPageCursor"}
    known |= {"ContractTrade", "Wallet"}  # inside Bybit's permissions
    known |= {name for it in ("page", "offsets") for name in told["rows"].get(it, ())}
    source = "".join((QUIRKS / f"{file}.py").read_text() for file in files)
    read = set(re.findall(r'(?:row|coin|info|config|answer|result|one|allowed)\["(\w+)"\]', source))
    read |= set(re.findall(r'\.get\("(\w+)"', source))
    assert read
    assert read <= known, f"nobody documents {read - known}"


def test_a_fake_serves_over_http_and_refuses_a_wrong_signature():
    import aiohttp

    async def go():
        fake = bybit.Bybit("k", "s")
        headers = {"X-BAPI-API-KEY": "k", "X-BAPI-TIMESTAMP": "1", "X-BAPI-RECV-WINDOW": "5000"}
        headers["X-BAPI-SIGN"] = "wrong"
        async with served(fake) as url, aiohttp.ClientSession() as http:
            answer = await http.get(f"{url}/v5/account/wallet-balance", headers=headers)
            return await answer.json()

    assert asyncio.run(go())["retCode"] == 10004
