"""The unmodified ccxt class reads the practice market's past, and both readings agree."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from runner.errors import Operational
from runner.exchange.ccxt import CcxtMarket, connect
from runner.history.files import Files, Series
from runner.history.reading import fetch, load
from tests.runner.machine import SYMBOL, configuration


async def _with_market(practice, work):
    market = CcxtMarket(*connect(configuration(practice.url), None, None))
    try:
        await market.open((SYMBOL,))
        return await work(market)
    finally:
        await market.close()


def test_the_past_is_what_the_runner_saw(practice, tmp_path):
    files, series = Files(tmp_path), Series("practice", SYMBOL, "1m")

    async def work(market):
        seen = (await market.candles(SYMBOL, "1m", 200))[:-1]
        period = tuple(int(c.opened_at.timestamp()) for c in (seen[0], seen[-1]))
        now = datetime.now(UTC) + timedelta(hours=2)
        await fetch(market, files, series, (period[0], period[1] + 60), now, lambda *_: None)
        return seen, load(files, series, period[0], period[1] + 60)

    seen, history = asyncio.run(_with_market(practice, work))
    assert [history.columns.candle(n) for n in range(len(seen))] == seen
    assert history.gaps == ()


def test_a_symbol_the_venue_does_not_list_is_named(practice, tmp_path):
    files, series = Files(tmp_path), Series("practice", "GONE/USDT:USDT", "1m")
    now = datetime.now(UTC)
    period = (int(now.timestamp()) // 60 * 60 - 600, int(now.timestamp()) // 60 * 60)

    async def work(market):
        await fetch(market, files, series, period, now, lambda *_: None)

    with pytest.raises(Operational, match="does not list GONE"):
        asyncio.run(_with_market(practice, work))
