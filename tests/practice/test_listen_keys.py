"""Listen keys: a key is enough, one per account, an hour at a time."""

import asyncio

import pytest

from app.practice.keys import new_key
from app.practice.streams.listen_keys import VALID_MS, ListenKeys
from tests.practice.client import ask, trade
from tests.practice.sockets import hear, opened

PATH = "/fapi/v1/listenKey"


def wish(method, base, key):
    status, body, _headers = ask(method, f"{base}{PATH}", headers={"X-MBX-APIKEY": key})
    return status, body


def test_one_key_per_account_without_a_signature(base):
    mine, other = new_key()[0], new_key()[0]
    status, body = wish("POST", base, mine)
    assert status == 200
    assert wish("POST", base, mine) == wish("PUT", base, mine) == (200, body)
    assert wish("POST", base, other)[1] != body
    assert wish("DELETE", base, mine) == (200, {})
    assert wish("PUT", base, mine)[1]["code"] == -1125
    assert wish("POST", base, mine)[1] != body


@pytest.mark.parametrize(("key", "code"), [("", -2014), ("nonsense", -2015)])
def test_nobody_else_gets_one(base, key, code):
    assert wish("POST", base, key)[1]["code"] == code


def test_an_hour_without_a_word_ends_it():
    keys = ListenKeys()
    mine, other = keys.open("a", "", 0), keys.open("b", "", 0)
    keys.extend("a", VALID_MS - 1)
    assert keys.expired(VALID_MS) == [other]
    assert keys.find(other.text) is None
    assert keys.find(mine.text) is mine
    assert keys.expired(VALID_MS) == []
    assert keys.expired(2 * VALID_MS - 1) == [mine]


@pytest.mark.parametrize(
    "form", ["/private/ws?listenKey={}", "/private/ws/{}", "/private/stream?listenKey={}"]
)
def test_the_key_opens_the_account_in_each_documented_form(base, form):
    credentials = new_key()
    listen_key = wish("POST", base, credentials[0])[1]["listenKey"]

    async def bought(client):
        return await client.create_order("BTC/USDT:USDT", "market", "buy", 0.01)

    async def work(socket):
        placed = await asyncio.to_thread(trade, base, bought, credentials)
        told = await socket.next()
        return placed, told

    placed, told = hear(base, form.format(listen_key), work)
    if "stream?" in form:
        assert told["stream"] == listen_key
        told = told["data"]
    assert (told["e"], told["o"]["x"], told["o"]["i"]) == (
        "ORDER_TRADE_UPDATE",
        "NEW",
        int(placed["id"]),
    )


def test_only_the_events_asked_for_come(base):
    credentials = new_key()
    listen_key = wish("POST", base, credentials[0])[1]["listenKey"]

    async def bought(client):
        await client.create_order("BTC/USDT:USDT", "market", "buy", 0.01)

    async def work(socket):
        await asyncio.to_thread(trade, base, bought, credentials)
        return await socket.next()

    told = hear(base, f"/private/ws?listenKey={listen_key}&events=ACCOUNT_UPDATE", work)
    assert told["e"] == "ACCOUNT_UPDATE"


def test_after_its_end_nothing_of_the_account_is_told(base):
    credentials = new_key()
    old = wish("POST", base, credentials[0])[1]["listenKey"]
    wish("DELETE", base, credentials[0])
    new = wish("POST", base, credentials[0])[1]["listenKey"]

    async def bought(client):
        await client.create_order("BTC/USDT:USDT", "market", "buy", 0.01)

    async def work(socket):
        async with opened(base, f"/private/ws?listenKey={new}") as fresh:
            await asyncio.to_thread(trade, base, bought, credentials)
            await fresh.event("ACCOUNT_UPDATE")
        with pytest.raises(TimeoutError):
            await socket.socket.receive(0.2)

    hear(base, f"/private/ws?listenKey={old}", work)
