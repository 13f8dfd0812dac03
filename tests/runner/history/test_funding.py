"""Past funding rates: paged, kept, verified, extended; and what the practice market settled."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from runner.errors import Operational
from runner.exchange.ccxt import CcxtMarket, connect
from runner.history import funding
from runner.history.funding import DAY, LATE, settled
from tests.runner.machine import SYMBOL, configuration

START = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp())
EIGHT = 8 * 3600
NOW = datetime.fromtimestamp(START + 100 * DAY, UTC)


class Told:
    """A venue's history in memory; ``asked`` holds the stretches it was asked for."""

    def __init__(self, rates):
        self.rates, self.asked = rates, []

    async def past_funding(self, symbol, since, until):
        first, last = int(since.timestamp()), int(until.timestamp())
        self.asked.append((first, last))
        if self.rates is None:
            return None
        return [
            (datetime.fromtimestamp(at, UTC), rate) for at, rate in self.rates if first <= at < last
        ]


def fetched(folder, told, since, until, now=NOW):
    asyncio.run(funding.fetch(told, folder, "x", SYMBOL, (since, until), now))


def rates(days):
    return [(START + n * EIGHT, Decimal(n - 5).scaleb(-8)) for n in range(3 * days)]


def loaded(folder, since, until):
    found = funding.load(folder, "x", SYMBOL, since, until)
    return [(at, rate) for at, rate in found.due(since - 1, until)]


def test_kept_exactly_and_only_what_is_missing_is_asked_for(tmp_path):
    told = Told(rates(9))
    fetched(tmp_path, told, START + 3 * DAY, START + 6 * DAY)
    fetched(tmp_path, told, START + DAY, START + 9 * DAY)
    fetched(tmp_path, told, START + 2 * DAY, START + 4 * DAY)
    assert told.asked == [
        (START + 3 * DAY, START + 6 * DAY),
        (START + DAY, START + 3 * DAY),
        (START + 6 * DAY, START + 9 * DAY),
    ]
    assert loaded(tmp_path, START + DAY, START + 9 * DAY) == rates(9)[3:]


def test_stretches_that_do_not_meet_begin_anew(tmp_path):
    told = Told(rates(30))
    fetched(tmp_path, told, START, START + 2 * DAY)
    fetched(tmp_path, told, START + 20 * DAY, START + 22 * DAY)
    assert len(loaded(tmp_path, START + 20 * DAY, START + 22 * DAY)) == 6
    with pytest.raises(Operational, match="not fetched"):
        loaded(tmp_path, START, START + DAY)


def test_what_has_just_fallen_due_is_asked_for_once_more(tmp_path):
    told, now = Told([]), datetime.fromtimestamp(START + DAY, UTC)
    fetched(tmp_path, told, START, START + DAY, now)
    assert loaded(tmp_path, START, START + DAY) == []
    told.rates = [(START + DAY - LATE // 2, Decimal("0.0001"))]
    fetched(tmp_path, told, START, START + DAY, now + timedelta(hours=1))
    assert loaded(tmp_path, START, START + DAY) == told.rates


def test_a_venue_that_tells_none_is_asked_once(tmp_path):
    told = Told(None)
    fetched(tmp_path, told, START, START + DAY)
    fetched(tmp_path, told, START, START + DAY)
    assert len(told.asked) == 1
    assert loaded(tmp_path, START, START + DAY) == []


def test_a_damaged_file_counts_as_missing(tmp_path):
    fetched(tmp_path, Told(rates(5)), START, START + 5 * DAY)
    (file,) = tmp_path.rglob("*.funding")
    raw = bytearray(file.read_bytes())
    for place in (3, len(raw) // 2, len(raw) - 2):
        broken = bytearray(raw)
        broken[place] ^= 0xFF
        file.write_bytes(broken)
        with pytest.raises(Operational, match="not fetched"):
            loaded(tmp_path, START, START + DAY)


@pytest.mark.parametrize("name", ["since", "until"])
def test_a_changed_bound_counts_as_missing_too(tmp_path, name):
    """Or days nobody asked for would pass as days without a payment."""
    fetched(tmp_path, Told(rates(5)), START, START + 5 * DAY)
    (file,) = tmp_path.rglob("*.funding")
    magic, head, body = file.read_bytes().split(b"\n", 2)
    told = json.loads(head)
    told[name] += -DAY if name == "since" else DAY
    file.write_bytes(b"\n".join((magic, json.dumps(told).encode(), body)))
    with pytest.raises(Operational, match="not fetched"):
        loaded(tmp_path, START, START + DAY)


def test_the_digest_pins_the_rates_of_the_period_alone():
    whole = settled(rates(9), START, START + 9 * DAY)
    other = settled([*rates(6), (START + 8 * DAY, Decimal("0.5"))], START, START + 9 * DAY)
    part = START, START + 6 * DAY
    assert whole.between(*part).digest == other.between(*part).digest
    assert whole.digest != other.digest
    changed = settled([*rates(5), (START + 5 * DAY, Decimal("0.1"))], *part)
    assert changed.digest != whole.between(*part).digest


class Paged:
    """A ccxt object that sends at most so many rows of a page, the newest of them."""

    def __init__(self, rows, most):
        self.has = {"fetchFundingRateHistory": True}
        self.rows, self.most, self.calls = rows, most, 0

    async def fetch_funding_rate_history(self, symbol, since, limit, params):
        self.calls += 1
        fitting = [it for it in self.rows if since <= it["timestamp"] <= params["until"]]
        return fitting[-min(self.most, limit) :]


class Venue:
    exchange, codes = "x", {}

    def funding_until(self, end):
        return {"until": end - 1}


def test_a_full_page_is_asked_for_in_halves_so_that_none_is_cut_off():
    """A venue that pays every hour fills pages that are made for one that pays every eight."""
    rows = [{"timestamp": (START + 3600 * n) * 1000, "fundingRate": str(n)} for n in range(2000)]
    market = CcxtMarket(Paged(rows, 100), Venue(), "")
    market._instruments[SYMBOL] = object()
    span = datetime.fromtimestamp(START, UTC), datetime.fromtimestamp(START + 2000 * 3600, UTC)
    found = asyncio.run(market.past_funding(SYMBOL, *span))
    assert [int(rate) for _, rate in found] == list(range(2000))


def test_the_practice_market_tells_what_it_settled(practice):
    """By the unmodified ccxt class: every eight hours, the rate it named before each of them."""
    now = datetime.now(UTC)
    since = (now - timedelta(days=40)).replace(hour=0, minute=0, second=0, microsecond=0)

    async def work():
        market = CcxtMarket(*connect(configuration(practice.url), None, None))
        try:
            await market.open((SYMBOL,))
            return await market.past_funding(SYMBOL, since, now)
        finally:
            await market.close()

    found = asyncio.run(work())
    times = [at for at, _ in found]
    assert times[0] == since
    assert {b - a for a, b in pairwise(times)} == {timedelta(hours=8)}
    assert now - times[-1] < timedelta(hours=8)
    assert all(abs(rate) < Decimal("0.01") for _, rate in found)
    assert len({rate for _, rate in found}) > 20


PAID = START + 3 * EIGHT
SHAPES = {
    # Binance, "Get Funding Rate History"; Bybit, "Get Funding Rate History"; OKX, "Get funding
    # rate history": each as its documentation shows an answer.
    "binance": (
        "BTCUSDT",
        [{"symbol": "BTCUSDT", "fundingRate": "-0.03750000", "fundingTime": PAID * 1000}],
        {"startTime": START * 1000, "endTime": (START + DAY + EIGHT) * 1000 - 1, "limit": 100},
        Decimal("-0.0375"),
    ),
    "bybit": (
        "BTCUSDT",
        {
            "retCode": 0,
            "retMsg": "OK",
            "result": {
                "category": "linear",
                "list": [
                    {
                        "symbol": "BTCUSDT",
                        "fundingRate": "0.0001",
                        "fundingRateTimestamp": str(PAID * 1000),
                    }
                ],
            },
        },
        {"startTime": START * 1000, "endTime": (START + DAY + EIGHT) * 1000 - 1, "limit": 100},
        Decimal("0.0001"),
    ),
    "okx": (
        "BTC-USDT-SWAP",
        {
            "code": "0",
            "msg": "",
            "data": [
                {
                    "instType": "SWAP",
                    "instId": "BTC-USDT-SWAP",
                    "fundingRate": "0.0000746604960499",
                    "fundingTime": str(PAID * 1000),
                    "realizedRate": "0.0000746572360545",
                }
            ],
        },
        {"before": START * 1000 - 1, "after": str((START + DAY + EIGHT) * 1000), "limit": 100},
        Decimal("0.0000746572360545"),
    ),
    # KuCoin, "Get Public Funding History".
    "kucoin": (
        "XBTUSDTM",
        {
            "code": "200000",
            "data": [{"symbol": "XBTUSDTM", "fundingRate": 2.1e-4, "timepoint": PAID * 1000}],
        },
        {"from": START * 1000, "to": (START + DAY + EIGHT) * 1000 - 1},
        Decimal("0.00021"),
    ),
}


@pytest.mark.parametrize("exchange", SHAPES)
def test_each_venue_is_asked_for_the_stretch_and_its_answer_is_read(exchange):
    """The unmodified ccxt class, with the answer that the venue's documentation shows."""
    name, answer, wanted, rate = SHAPES[exchange]
    sent = {}

    async def work():
        api, venue, endpoint = connect(configuration(None, exchange=exchange), None, None)
        reader = CcxtMarket(api, venue, endpoint)
        try:
            kind = {"swap": True, "linear": True, "contract": True, "type": "swap"}
            market = {"id": name, "symbol": SYMBOL, "base": "BTC", "quote": "USDT", **kind}
            api.set_markets([api.safe_market_structure({**market, "settle": "USDT", "info": {}})])

            async def request(path, api="public", method="GET", params=(), *_more, **_named):
                sent.update(params)
                return answer

            api.fetch2 = api.request = request
            reader._instruments[SYMBOL] = object()
            span = (datetime.fromtimestamp(at, UTC) for at in (START, START + DAY + EIGHT))
            return await reader.past_funding(SYMBOL, *span)
        finally:
            await reader.close()

    found = asyncio.run(work())
    assert found == [(datetime.fromtimestamp(PAID, UTC), rate)]
    assert {key: sent[key] for key in wanted} == wanted
