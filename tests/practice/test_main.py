import asyncio
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from itertools import count

import ccxt

from app.practice.keys import account_of, new_key
from app.practice.store import Store
from tests.practice.client import BTC, ROOT, Process, get, trade


def test_a_terminated_market_ends_cleanly(tmp_path):
    process = Process(tmp_path)
    assert get(f"{process.base}/practice/v1/health")[1] == {"ok": True}
    assert process.end() == 0


def test_an_interrupted_market_ends_cleanly(tmp_path):
    assert Process(tmp_path).end(signal.SIGINT) == 0


def test_a_taken_port_is_said_plainly(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "app.practice", "--port", str(port), "--dir", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr


async def leave_traces(client):
    await client.create_order(BTC, "market", "buy", 0.02, None, {"newClientOrderId": "in"})
    price = (await client.fetch_order_book(BTC, 5))["bids"][0][0]
    low, lower = round(price * 0.97, 1), round(price * 0.96, 1)
    await client.create_order(BTC, "limit", "buy", 0.01, low, {"newClientOrderId": "low"})
    await client.create_order(
        BTC, "market", "sell", 0.02, None, {"stopLossPrice": lower, "reduceOnly": True}
    )
    return await look(client)


async def look(client):
    """Everything that must be the same before and after."""
    account = await client.fapiPrivateV3GetAccount()
    open_orders = await client.fetch_open_orders(BTC)
    stops = await client.fetch_open_orders(BTC, params={"trigger": True})
    positions = await client.fetch_positions([BTC])
    trades = await client.fetch_my_trades(BTC)
    order = await client.fetch_order(None, BTC, {"origClientOrderId": "in"})
    return {
        "wallet": account["totalWalletBalance"],
        "open": [one["info"] for one in open_orders],
        "stops": [one["info"] for one in stops],
        "positions": [(one["contracts"], one["entryPrice"]) for one in positions],
        "trades": [one["info"] for one in trades],
        "order": order["info"],
        "income": await client.fapiPrivateGetIncome(),
    }


async def candles(client, since):
    return await client.fetch_ohlcv(BTC, "1s", since=since, limit=120)


def test_a_killed_market_continues_where_it_was(tmp_path):
    credentials = new_key()
    process = Process(tmp_path, "--seed", "11")
    since = get(f"{process.base}/fapi/v1/time")[1]["serverTime"] - 130_000
    try:
        before = trade(process.base, leave_traces, credentials)
        path = trade(process.base, lambda client: candles(client, since))
        assert len(before["open"]) == len(before["stops"]) == len(before["positions"]) == 1
    finally:
        process.end(signal.SIGKILL)
    process = Process(tmp_path, "--seed", "11")
    try:
        assert trade(process.base, look, credentials) == before
        assert trade(process.base, lambda client: candles(client, since)) == path
    finally:
        assert process.end() == 0


def test_the_first_seed_is_kept(tmp_path):
    paths = []
    for seed in ("3", "4"):
        process = Process(tmp_path, "--seed", seed)
        try:
            query = "symbol=BTCUSDT&interval=1d&startTime=1700000000000&limit=3"
            paths.append(get(f"{process.base}/fapi/v1/klines?{query}")[1])
        finally:
            process.end()
    assert paths[0] == paths[1]
    assert len(paths[0]) == 3


async def trade_on(client, kill):
    """Buy and sell, have the market killed at some instant, go on until the line breaks."""
    for k in count():
        if k == 20:
            asyncio.get_running_loop().call_later(0.01, kill)
        await client.create_order(BTC, "market", "sell" if k % 2 else "buy", 0.05)


def test_a_kill_in_the_middle_of_trading_leaves_whole_sums(tmp_path):
    credentials = new_key()
    process = Process(tmp_path)
    with suppress(ccxt.NetworkError):
        trade(process.base, lambda client: trade_on(client, process.child.kill), credentials)
    assert process.end(signal.SIGKILL) == -signal.SIGKILL
    with closing(Store(tmp_path)) as store:
        account = store.load_account(account_of(credentials[0]))
        fills = store.fills(account.id, limit=-1)
        assert len(fills) >= 20
        assert account.wallet == sum(one.amount for one in store.incomes(account.id, limit=-1))
        held = sum(one.side.sign * one.qty for one in fills)
        assert account.position("BTCUSDT").qty == held
        orders = store.orders(account.id, limit=-1)
        assert sum(one.executed for one in orders) == sum(one.qty for one in fills)
