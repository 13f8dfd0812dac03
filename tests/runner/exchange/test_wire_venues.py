"""Each venue, mode and order kind on the wire, compared with rows written from documentation.

wire/<venue>.json says where each row comes from. The ccxt class is unmodified; its requests to the
venue's real host names are answered on this machine (``real_hosts``). That a real venue takes them
is never proven here: only a testnet key can show it.
"""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from runner.errors import Operational, RunnerError
from runner.exchange.base import OrderKind, OrderRequest
from runner.exchange.broker import CcxtBroker
from runner.exchange.quirks import venue_of
from runner.exchange.quirks.catalog import VENUES
from runner.protocol import Credentials, Mode, Side
from tests.runner.exchange import signatures, taken_on
from tests.runner.exchange.real_hosts import at_real_hosts
from tests.runner.exchange.taken_on import CLIENT_ID
from tests.runner.machine import SYMBOL

FOLDER = Path(__file__).parent / "wire"
WIRE = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
KEY = Credentials("the-key", "the-secret", "the-phrase")


def request(row):
    price = Decimal(row["price"]) if "price" in row else None
    quantity, side = Decimal(row["quantity"]), Side(row["side"])
    kind, reduces = OrderKind(row["kind"]), row.get("reduce_only", False)
    posts = row.get("post_only", False)
    return OrderRequest(CLIENT_ID, SYMBOL, side, kind, quantity, price, reduces, posts)


def fields_of(seen):
    if seen.body and not seen.headers["Content-Type"].startswith("application/x-www"):
        return json.loads(seen.body)
    return dict(parse_qsl(seen.query + seen.body))


CASES = [
    pytest.param(exchange, Mode(mode), row, id=f"{exchange} {mode} {row['act']} {row['kind']} {n}")
    for exchange, wire in WIRE.items()
    for mode in wire["hosts"]
    for n, row in enumerate(wire["rows"])
]


@pytest.mark.parametrize(("exchange", "mode", "row"), CASES)
def test_what_goes_over_the_wire_is_what_the_venue_documents(monkeypatch, exchange, mode, row):
    wire = WIRE[exchange]

    async def act(_market, broker, seen):
        before = len(seen)
        await getattr(broker, row["act"])(request(row))
        return seen, seen[before:]

    everything, sent = at_real_hosts(
        monkeypatch, exchange, mode, KEY, taken_on.answer_of(exchange), act
    )
    first = row.get("first", ())  # what is read before the order can be written
    told = [{"method": s.method, "path": s.path, "fields": fields_of(s)} for s in sent]
    assert told[: len(first)] == [*first]
    seen = sent[len(first)]
    assert (seen.method, seen.host, seen.path) == (row["method"], wire["hosts"][mode], row["path"])
    fields = fields_of(seen)
    for name in wire.get("unchecked", ()):
        fields.pop(name)
    assert fields == row["fields"]
    given, expected = signatures.OF[exchange](seen, KEY, KEY.secret)
    assert given == expected
    for name, value in wire["headers"].get(row["act"], {}).items():
        assert seen.headers[name].partition(";")[0] == value
    whole = seen.raw_path + seen.body + json.dumps(dict(seen.headers))
    assert not [word for word in (*wire["never"], KEY.secret) if word in whole]
    for one in everything:
        assert one.host == wire["hosts"][mode]
        for name, value in wire.get("mode_headers", {}).get(mode, {}).items():
            assert one.headers.get(name) == value
    if row["act"] == "place":
        assert everything[-1] is seen, "one order, one request"


def test_an_order_kind_is_sent_exactly_where_a_row_proves_it():
    for exchange, wire in WIRE.items():
        placed = {OrderKind(row["kind"]) for row in wire["rows"] if row["act"] == "place"}
        assert {Mode.PAPER, *wire["hosts"]} == set(venue_of(exchange, Mode.PAPER).facts.modes)
        for mode in map(Mode, wire["hosts"]):
            assert venue_of(exchange, mode).proven == placed
            posts = any(row.get("post_only") for row in wire["rows"])
            assert venue_of(exchange, mode).facts.post_only is posts
        assert wire["source"].keys() >= {"hosts", "place", "find", "cancel"}
    assert WIRE.keys() | {"practice"} == VENUES.keys()


def test_an_unproven_kind_is_refused_with_the_reason(monkeypatch):
    row = next(row for row in WIRE["bybit"]["rows"] if row["kind"] == "stop_market")

    async def act(_market, broker, seen):
        before = len(seen)
        broker._venue.proven = frozenset({OrderKind.MARKET})
        with pytest.raises(Operational, match=r"bybit is not sent stop_market orders: .* proven"):
            await broker.place(request(row))
        assert len(seen) == before

    at_real_hosts(monkeypatch, "bybit", Mode.LIVE, KEY, taken_on.answer_of("bybit"), act)


def test_a_post_only_order_is_not_sent_without_its_flag(monkeypatch):
    async def act(_market, broker, seen):
        before = len(seen)
        broker._venue.facts = replace(broker._venue.facts, post_only=False)
        limit = request(next(row for row in WIRE["okx"]["rows"] if row["kind"] == "limit"))
        with pytest.raises(Operational, match=r"okx is not sent post-only orders"):
            await broker.place(replace(limit, post_only=True))
        assert len(seen) == before

    at_real_hosts(monkeypatch, "okx", Mode.LIVE, KEY, taken_on.answer_of("okx"), act)


@pytest.mark.parametrize("exchange", [name for name in WIRE if len(WIRE[name]["hosts"]) == 2])
@pytest.mark.parametrize("mode", [Mode.TESTNET, Mode.LIVE])
def test_the_other_mode_s_host_is_never_reached(monkeypatch, exchange, mode):
    other = {Mode.TESTNET: Mode.LIVE, Mode.LIVE: Mode.TESTNET}[mode]
    row = WIRE[exchange]["rows"][0]

    async def act(market, broker, seen):
        api = broker._exchange
        for part, url in api.urls["api"].items():
            api.urls["api"][part] = url.replace(
                WIRE[exchange]["hosts"][mode], WIRE[exchange]["hosts"][other]
            ).replace("{hostname}", "bybit.com")
        if exchange == "bybit":
            api.urls["api"]["private"] = "https://" + WIRE[exchange]["hosts"][other]
        if exchange == "okx":
            api.set_sandbox_mode(other is Mode.TESTNET)
        before = len(seen)
        with pytest.raises(RunnerError, match=r"not a host of this mode|this mode needs"):
            await broker.place(request(row))
        assert len(seen) == before, "refused before anything left"

    at_real_hosts(monkeypatch, exchange, mode, KEY, taken_on.answer_of(exchange), act)


def test_a_custom_header_cannot_be_lost_unnoticed(monkeypatch):
    """The demo header of OKX stands in ccxt's own state; without it the order would be live."""

    async def act(_market, broker, seen):
        broker._exchange.headers = {}
        before = len(seen)
        with pytest.raises(Operational, match="this mode needs x-simulated-trading: 1"):
            await broker.place(request(WIRE["okx"]["rows"][0]))
        assert len(seen) == before

    at_real_hosts(monkeypatch, "okx", Mode.TESTNET, KEY, taken_on.answer_of("okx"), act)


@pytest.mark.parametrize("exchange", WIRE)
def test_paper_reads_real_prices_with_no_key_at_hand(monkeypatch, exchange):
    async def act(market, broker, seen):
        assert not broker._exchange.apiKey
        return {one.host for one in seen}, market.instrument(SYMBOL)

    hosts, rules = at_real_hosts(
        monkeypatch, exchange, Mode.PAPER, None, taken_on.answer_of(exchange), act
    )
    assert hosts == {WIRE[exchange]["hosts"]["live"]}
    assert CcxtBroker.protects
    assert rules.step == Decimal({"okx": "0.0001"}.get(exchange, "0.001"))


# "Get API Key Permission" (https://developers.binance.com/docs/wallet/account/api-key-permission)
RESTRICTIONS = {
    "ipRestrict": False,
    "createTime": 1623840271000,
    "enableReading": True,
    "enableWithdrawals": True,
    "enableInternalTransfer": False,
    "permitsUniversalTransfer": False,
    "enableVanillaOptions": False,
    "enableFutures": True,
    "enableMargin": False,
    "enableSpotAndMarginTrading": False,
    "tradingAuthorityExpirationTime": 1893456000000,
}


@pytest.mark.parametrize("mode", [Mode.TESTNET, Mode.LIVE])
def test_binance_tells_the_rights_of_a_live_key_alone_and_by_its_wallet_host(monkeypatch, mode):
    """The account's number is in "Futures Account Balance V3", on either host."""

    def answers(seen):
        if seen.path == "/sapi/v1/account/apiRestrictions":
            return 200, RESTRICTIONS
        if seen.path == "/fapi/v3/balance":
            return 200, [{"accountAlias": "SgsR", "asset": "USDT", "balance": "1"}]
        if seen.path == "/fapi/v1/accountConfig":
            return 200, {"canTrade": True, "canWithdraw": True}
        return taken_on.answer_of("binance")(seen)

    async def act(_market, broker, seen):
        return await broker.rights(), {one.host for one in seen}

    rights, hosts = at_real_hosts(monkeypatch, "binance", mode, KEY, answers, act)
    assert rights.trade is True
    assert rights.account == "SgsR"
    if mode is Mode.LIVE:
        assert hosts == {"fapi.binance.com", "api.binance.com"}
        assert rights.withdraw is True
        assert rights.bound_addresses == ()
        assert rights.expires_at.year == 2030
    else:
        assert hosts == {"demo-fapi.binance.com"}
        assert rights.withdraw is None
