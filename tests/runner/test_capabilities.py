"""The capability table, compared with ccxt's classes, the strategies' frames and the clouds'."""

import importlib
import re

import pytest

from runner.capabilities import CLOSED, TABLE, UNLISTED
from runner.capabilities.table import Sandbox
from runner.exchange.base import OrderKind
from runner.exchange.quirks import venue_of
from runner.exchange.quirks.streaming import StreamingVenue
from runner.protocol import Mode
from runner.strategy import TIMEFRAMES

ROWS = [pytest.param(row, id=name) for name, row in (TABLE | UNLISTED).items()]


@pytest.mark.parametrize("row", ROWS)
def test_candles_are_those_that_strategies_use_and_the_class_of_ccxt_has(row):
    known = getattr(importlib.import_module(f"ccxt.async_support.{row.ccxt_id}"), row.ccxt_id)
    frames = known({"asyncio_loop": object()}).timeframes
    assert set(row.timeframes) <= set(frames) & set(TIMEFRAMES)
    left_out = set(frames) & set(TIMEFRAMES) - set(row.timeframes)
    assert left_out <= {"1s"}  # Binance has them on its spot markets alone


@pytest.mark.parametrize("row", ROWS)
def test_a_kind_that_is_not_sent_has_its_reason(row):
    assert set(row.orders) | set(row.refused) == set(OrderKind)
    assert not set(row.orders) & set(row.refused)


@pytest.mark.parametrize("row", ROWS)
def test_each_mode_has_hosts_and_no_other_has(row):
    if row.sandbox is Sandbox.ENDPOINT:
        assert not row.hosts
        return
    assert set(row.hosts) == set(row.modes)
    assert all(re.fullmatch(r"https://[a-z.-]+", host) for at in row.hosts.values() for host in at)
    assert (Mode.TESTNET in row.modes) == (row.sandbox is not Sandbox.NONE) == bool(row.test_keys)


@pytest.mark.parametrize("row", ROWS)
def test_symbols_are_linear_in_the_quote(row):
    assert all(re.fullmatch(rf"[A-Z]+/{row.quote}:{row.quote}", it) for it in row.symbols)


@pytest.mark.parametrize("row", ROWS)
def test_the_region_that_is_recommended_is_written_as_the_cloud_writes_it(row):
    assert row.engine is None or re.fullmatch(r"[a-z]+-[a-z]+[0-9]+", row.engine.cloud_region)


def test_what_closed_trades_nowhere():
    assert not {row.exchange for row in CLOSED} & set(TABLE | UNLISTED)


@pytest.mark.parametrize("row", ROWS)
def test_streams_have_a_host_in_each_mode_and_a_class_that_listens(row):
    assert isinstance(venue_of(row.exchange, row.modes[0]), StreamingVenue) is row.streams
    if not row.streams:
        assert not row.stream_hosts
        return
    assert set(row.stream_hosts) == set(row.hosts)
    assert all(re.fullmatch(r"wss://[a-z.-]+", host) for host in row.stream_hosts.values())
    known = getattr(importlib.import_module(f"ccxt.pro.{row.ccxt_id}"), row.ccxt_id)
    has = known({"asyncio_loop": object()}).has
    assert has["watchOHLCVForSymbols"]
    assert has["watchOrders"]
    assert has["watchPositions"]
