"""The switches themselves: chance, counts, what is refused, what survives a restart."""

import asyncio
from contextlib import suppress

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given, settings
from hypothesis import strategies as st

from app.practice import kinds
from app.practice.control import local_only
from app.practice.faults import Faults, Meeting
from app.practice.kinds import Malformed, read
from app.practice.store import Store
from tests.practice.client import BTC, ROOT, Process, ask, get, trade
from tests.practice.floor import START

REQUEST = Meeting("POST", "/fapi/v1/order", "practice-0123…cdef", "127.64.0.2", "BTCUSDT")


def fault(kind="error_5xx", **more):
    return read({"kind": kind, **more}, lambda: "one", START)


def strikes(faults, times, ms=START, request=REQUEST):
    return [len(list(faults.striking(kinds.KINDS, request, ms))) for _ in range(times)]


def test_chance_is_the_same_for_the_same_seed_and_id(tmp_path):
    rows = []
    for folder, seed in (("a", 7), ("b", 7), ("c", 8)):
        faults = Faults(Store(tmp_path / folder), seed)
        faults.add([fault(probability=0.4)], START)
        rows.append(strikes(faults, 200))
    assert rows[0] == rows[1] != rows[2]
    assert 40 < sum(rows[0]) < 120


def test_a_count_is_used_up_and_shown(floor):
    faults = Faults(floor.store, 7)
    faults.add([fault(count=2)], START)
    assert strikes(faults, 4) == [1, 1, 0, 0]
    [row] = faults.listed(START)
    assert (row["struck"], row["count"], row["active"]) == (2, 0, False)


def test_a_lasting_fault_ends_by_itself(floor):
    faults = Faults(floor.store, 7)
    faults.add([fault("maintenance", seconds=2)], START)
    assert strikes(faults, 1, START + 1999) == [1]
    assert strikes(faults, 1, START + 2000) == [0]


@pytest.mark.parametrize(
    ("match", "meets"),
    [
        ({}, True),
        ({"method": "post", "path": "/fapi/v1/order"}, True),
        ({"path": "*order"}, True),
        ({"path": "*Order"}, False),
        ({"address": "127.64.*"}, True),
        ({"address": "127.64.0.3"}, False),
        ({"symbol": "BTC/USDT:USDT"}, True),
        ({"symbol": "ETHUSDT"}, False),
        ({"account": "practice-0123456789abcdef"}, True),
        ({"account": "practice-0123456789abcdee"}, False),
        ({"method": "POST", "symbol": "ETHUSDT"}, False),
    ],
)
def test_a_match_names_whom_it_meets(match, meets):
    assert fault(match=match).meets(REQUEST) is meets


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("delay", "must be an object"),
        ({}, "kind must be one of delay, error_5xx"),
        ({"kind": "delay"}, "seconds of delay must be a number from 0 to 600: how long it waits"),
        ({"kind": "delay", "seconds": -1}, "seconds of delay"),
        ({"kind": "delay", "seconds": True}, "seconds of delay"),
        ({"kind": "delay", "seconds": float("nan")}, "seconds of delay"),
        ({"kind": "delay", "seconds": 10**400}, "seconds of delay"),
        ({"kind": "disconnect", "seconds": 3}, "seconds means nothing for disconnect"),
        ({"kind": "error_5xx", "amount": 404}, "from 500 to 599"),
        ({"kind": "rate_ban", "amount": 420}, "418 or 429"),
        ({"kind": "clock_skew"}, "in milliseconds"),
        ({"kind": "delay", "seconds": 1, "probability": 1.5}, "probability"),
        ({"kind": "disconnect", "count": 0}, "count must be a whole number from 1"),
        ({"kind": "disconnect", "chance": 1}, "unknown fields: chance; use kind, match"),
        ({"kind": "disconnect", "match": {"pth": "x"}}, "unknown things to match: pth"),
        ({"kind": "disconnect", "match": {"path": 3}}, "object of texts"),
        ({"kind": "disconnect", "match": {"symbol": "XRPUSDT"}}, "symbol must be one of BTCUSDT"),
        ({"kind": "disconnect", "id": 3}, "id must be a text"),
        ({"kind": "disconnect", "persist": "yes"}, "persist must be true or false"),
        ({"kind": "price_gap", "amount": 5, "count": 1}, "meets everyone"),
        ({"kind": "price_gap", "amount": 0}, "must not be 0"),
        ({"kind": "price_gap", "amount": -51}, "from -50 to 100"),
    ],
)
def test_a_wish_that_makes_no_sense_is_told_what_to_do(wish, said):
    with pytest.raises(Malformed, match=said.replace("(", r"\(")):
        read(wish, lambda: "one", START)


@settings(max_examples=60, deadline=None)
@given(
    wish=st.dictionaries(
        st.sampled_from(["kind", "match", "probability", "count", "seconds", "amount", "id"]),
        st.one_of(
            st.sampled_from(list(kinds.KINDS)), st.none(), st.booleans(), st.floats(), st.integers()
        ),
    )
)
def test_whatever_is_wished_is_read_or_refused(wish):
    with suppress(Malformed):
        assert read(wish, lambda: "one", START).kind in kinds.KINDS


def test_switching_over_http(base, switch):
    ids = switch({"kind": "disconnect", "count": 3}, {"kind": "maintenance", "id": "closed"})
    url = f"{base}/practice/v1/faults"
    rows = get(url)[1]
    assert [row["id"] for row in rows] == ids
    assert ids[1] == "closed"
    switch({"kind": "maintenance", "id": "closed", "seconds": 9})
    assert [row["seconds"] for row in get(url)[1] if row["id"] == "closed"] == [9]
    assert ask("DELETE", url, params={"id": "closed"})[1] == {"cleared": 1}
    assert ask("DELETE", url, params={"id": "closed"})[0] == 404
    assert [row["id"] for row in get(url)[1]] == ids[:1]


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"data": "[]"}, 415, "application/json"),
        ({"json": {"kind": "disconnect"}}, 422, "send a list"),
        ({"data": "[", "headers": {"Content-Type": "application/json"}}, 422, "not JSON"),
        ({"json": [{"kind": "disconnect"}, {"kind": "x"}]}, 422, "fault 1: kind must be"),
        ({"json": [{"kind": "disconnect", "id": "a"}] * 2}, 422, "an id of its own"),
    ],
)
def test_a_bad_request_switches_nothing_on(base, more, status, said):
    url = f"{base}/practice/v1/faults"
    before = get(url)[1]
    answered, body, _headers = ask("POST", url, **more)
    assert answered == status
    assert said in body["error"]
    assert get(url)[1] == before


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("192.0.2.7", 403),
        ("10.0.0.1", 403),
        ("2001:db8::1", 403),
        ("127.64.0.9", 299),
        ("::1", 299),
    ],
)
def test_faults_and_transfers_are_for_loopback_only(source, status):
    async def work():
        for method in ("GET", "POST", "DELETE"):
            for path in ("/practice/v1/faults", "/practice/v1/transfers"):
                request = make_mocked_request(method, path).clone(remote=source)
                answer = await local_only(request, reached)
                assert answer.status == status

    asyncio.run(work())


async def reached(_request):
    return web.Response(status=299)


def test_the_page_for_people_shows_what_is_on(base, switch):
    switch({"kind": "delay", "seconds": 0.5, "count": 2, "match": {"symbol": "ETHUSDT"}})
    switch({"kind": "price_gap", "amount": 0.01, "id": "<b>gap</b>"})
    page = get(f"{base}/")[1]
    for shown in (
        "Active faults",
        "The request waits",
        "symbol ETHUSDT",
        "seconds 0.5, count 2, probability 1",
    ):
        assert shown in page
    assert "<b>gap</b>" not in page


def test_only_what_is_asked_to_persists_over_a_restart(tmp_path):
    process = Process(tmp_path)
    url = f"{process.base}/practice/v1/faults"
    wishes = [
        {"kind": "delay", "seconds": 0, "id": "gone"},
        {"kind": "error_5xx", "id": "kept", "count": 3, "persist": True},
    ]
    try:
        assert ask("POST", url, json=wishes)[0] == 200
        assert get(f"{process.base}/fapi/v1/ping")[0] == 503
    finally:
        process.end()
    process = Process(tmp_path)
    try:
        rows = get(f"{process.base}/practice/v1/faults")[1]
        assert [(row["id"], row["count"], row["struck"]) for row in rows] == [("kept", 2, 1)]
        statuses = [get(f"{process.base}/fapi/v1/ping")[0] for _ in range(3)]
        assert statuses == [503, 503, 200]
    finally:
        process.end()


async def prices(client, since):
    seconds = await client.fetch_ohlcv(BTC, "1s", since=since, limit=60)
    minutes = await client.fetch_ohlcv(BTC, "1m", since=since // 60_000 * 60_000, limit=1)
    return seconds, minutes


def test_a_price_gap_is_history_to_everyone_and_over_a_kill(tmp_path):
    process = Process(tmp_path)
    try:

        async def fall(client):
            await client.create_order(BTC, "market", "buy", 0.01)
            before = (await client.fetch_ticker(BTC))["last"]
            wish = [{"kind": "price_gap", "amount": -8, "match": {"symbol": BTC}}]
            url = f"{process.base}/practice/v1/faults"
            async with client.session.post(url, json=wish) as answer:
                assert answer.status == 200
            since = int(await client.fetch_time()) // 1000 * 1000
            for _ in range(400):
                if (await client.fetch_ohlcv(BTC, "1s"))[-1][0] >= since + 2000:
                    break
                await client.sleep(50)
            after = (await client.fetch_ticker(BTC))["last"]
            assert -0.085 < after / before - 1 < -0.075
            assert (await client.fetch_positions([BTC]))[0]["unrealizedPnl"] < 0
            return since, (await prices(client, since))[0][:2]

        since, seconds = trade(process.base, fall)
    finally:
        process.end(9)
    process = Process(tmp_path)
    try:
        again, minutes = trade(process.base, lambda client: prices(client, since))
    finally:
        process.end()
    assert again[:2] == seconds
    assert minutes[0][2] >= max(row[2] for row in seconds if row[0] < minutes[0][0] + 60_000)


def test_every_kind_is_explained_to_people():
    told = (ROOT / "docs" / "practice-market.md").read_text()
    assert [kind for kind in kinds.KINDS if f"`{kind}`" not in told] == []
