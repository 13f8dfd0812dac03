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

from tests.fakes.venues import bybit, okx
from tests.fakes.venues.server import served

FOLDER = Path(__file__).parents[1] / "fakes" / "venues" / "documented"
QUIRKS = Path(__file__).parents[2] / "runner" / "exchange" / "quirks"
KINDS = {
    str: "string",
    int: "integer",
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
    "POST trade/order-algo": {**OKX_ORDER, "algoClOrdId": "y", "slTriggerPx": "99000"},
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


@pytest.mark.parametrize(
    ("name", "files"), [("bybit", ("bybit", "bybit_reports")), ("okx", ("okx", "okx_reports"))]
)
def test_every_field_the_runner_reads_is_documented(name, files):
    told = documented(name)
    known = {field for fields in told["rows"].values() for field in fields}
    known |= told["envelope"].keys() | {"result", "list", "data", "nextPageCursor"}
    known |= {"ContractTrade", "Wallet"}  # inside Bybit's permissions
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
