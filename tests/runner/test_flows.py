"""Deposits and withdrawals at the real practice market: told once, and no result."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import aiohttp
import pytest

from runner import flows
from runner.exchange.quirks import binance, venue_of
from runner.memory import Memory
from runner.protocol import OVER, EventKind, FlowKind, Mode, payload
from runner.reconcile import reconcile
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import ENTRY, at_bench


def with_money(tmp_path, practice, steps):
    """Run ``steps`` at a bench whose account was looked at once."""

    async def go():
        key = practice_credentials()

        async def pay(amount):
            body = {"account": key.api_key, "amount": str(amount)}
            async with (
                aiohttp.ClientSession() as http,
                http.post(f"{practice.url}/practice/v1/transfers", json=body) as answer,
            ):
                assert answer.status == 200, await answer.text()

        async with at_bench(tmp_path, practice.url, Mode.TESTNET, key) as (bench, desk):
            assert (await reconcile(bench, desk)).ok
            return await steps(bench, desk, pay)

    return asyncio.run(go())


def told(bench, kind):
    found = [payload(e) for e in bench.outbox.pending(99) if e.kind is kind]
    return [it for it in found if kind is not EventKind.NOTICE or it.level != OVER]


async def equity(bench):
    account = await flows.weigh(bench)
    return account.balance + account.unrealised


def test_the_opening_balance_is_the_beginning_and_no_deposit(tmp_path, practice):
    async def steps(bench, _desk, _pay):
        return told(bench, EventKind.FLOW), bench.memory.capital

    found, capital = with_money(tmp_path, practice, steps)
    assert found == []
    assert (capital.wallet, capital.flows) == (10_000, 0)


def test_a_deposit_is_no_profit_and_a_withdrawal_no_loss(tmp_path, practice):
    async def steps(bench, _desk, pay):
        await pay("-120.5")
        early = bench.memory.day_result(await equity(bench))
        await flows.compare(bench)
        await pay(500)
        await flows.compare(bench)
        await flows.compare(bench)
        now = await equity(bench)
        memory = bench.memory
        return early, memory.day_result(now), memory.drawdown(now), told(bench, EventKind.FLOW)

    early, result, drawdown, found = with_money(tmp_path, practice, steps)
    assert (early, result, drawdown) == (0, 0, 0)
    assert [(f.kind, f.amount, f.currency) for f in found] == [
        (FlowKind.WITHDRAWAL, Decimal("-120.5"), "USDT"),
        (FlowKind.DEPOSIT, 500, "USDT"),
    ]
    assert len({f.id for f in found}) == 2


def test_the_wallet_is_what_fills_and_flows_say(tmp_path, practice):
    async def steps(bench, desk, pay):
        await desk.submit(ENTRY)
        await desk.settle()
        await pay(50)
        await flows.compare(bench)
        account = await bench.broker.account()
        said = told(bench, EventKind.NOTICE)
        return account.balance, bench.memory.capital, said, desk.quantity(SYMBOL)

    balance, capital, said, held = with_money(tmp_path, practice, steps)
    assert held == ENTRY.quantity
    assert balance < 10_050  # the fee
    assert (capital.wallet, capital.strange_since) == (balance, None)
    assert said == []


def test_what_nothing_explains_is_told_once(tmp_path, practice):
    async def steps(bench, _desk, _pay):
        bench.memory.capital.book(Decimal(-25))  # as if a fill had been booked that never was
        await flows.compare(bench)
        early = told(bench, EventKind.NOTICE)
        bench.memory.capital.strange_since -= timedelta(hours=1)
        for _ in range(2):
            await flows.compare(bench)
        return early, told(bench, EventKind.NOTICE), bench.memory.capital

    early, (notice,), capital = with_money(tmp_path, practice, steps)
    assert early == []
    assert notice.code == "balance_differs"
    assert "+25.00" in notice.text
    assert (capital.wallet, capital.strange_since) == (10_000, None)


def test_another_machine_tells_no_flow_again(tmp_path, practice):
    async def steps(bench, _desk, pay):
        await pay(10)
        await flows.compare(bench)
        before = len(told(bench, EventKind.FLOW))
        kept = bench.memory.plain()
        bench.memory.__init__(bench.outbox._store, bench.configuration, 2, kept, bench.clock.now())
        await pay(20)
        await flows.compare(bench)
        return before, told(bench, EventKind.FLOW), bench.memory

    before, found, memory = with_money(tmp_path, practice, steps)
    assert before == 1
    assert [flow.amount for flow in found] == [10, 20]
    assert memory.capital.flows == 30
    assert isinstance(memory, Memory)


class Ledger:
    """An income history of any length, answered in windows and pages as Binance does."""

    def __init__(self, rows, page):
        self.rows, self.page, self.asked = rows, page, 0

    async def fapiPrivateGetIncome(self, params):  # noqa: N802 - ccxt's name
        self.asked += 1
        assert params["endTime"] - params["startTime"] <= 7 * 86_400_000
        found = [r for r in self.rows if params["startTime"] <= r["time"] <= params["endTime"]]
        return found[: min(self.page, params["limit"])]

    @property
    def markets_by_id(self):
        return {"BTCUSDT": [{"symbol": SYMBOL, "swap": True}]}


def read(ledger, since, until):
    venue = venue_of("binance", Mode.TESTNET)
    return asyncio.run(venue.flows(ledger, "USDT", since, until))


def row(number, at, kind="TRANSFER", amount="1", symbol=""):
    return {
        "tranId": number,
        "time": at,
        "incomeType": kind,
        "income": amount,
        "asset": "USDT",
        "symbol": symbol,
    }


@pytest.mark.parametrize("apart_ms", [1, 86_400_000])
def test_a_long_history_is_read_whole(apart_ms, monkeypatch):
    monkeypatch.setattr(binance, "_TRADES_AT_ONCE", 10)
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    start = int(begin.timestamp() * 1000)
    rows = [row(n, start + n // 3 * apart_ms) for n in range(100)]
    rows += [row(1, start + 5, "REALIZED_PNL"), row(2, start + 6, "COMMISSION")]
    rows.sort(key=lambda r: r["time"])
    ledger = Ledger(rows, 10)
    found = read(ledger, begin, begin + timedelta(days=60))
    assert sorted({f.id for f in found}) == sorted(f"TRANSFER:{n}" for n in range(100))


def test_each_kind_of_income_has_its_name():
    start = datetime(2026, 11, 1, tzinfo=UTC)
    at = int(start.timestamp() * 1000)
    rows = [
        row(1, at, "FUNDING_FEE", "-0.5", "BTCUSDT"),
        row(2, at, "INTERNAL_TRANSFER", "-5"),
        row(3, at, "INSURANCE_CLEAR", "2", "BTCUSDT"),
    ]
    found = read(Ledger(rows, 10), start, start)
    assert [(f.id, f.kind, f.symbol) for f in found] == [
        ("FUNDING_FEE:BTCUSDT:1", FlowKind.FUNDING, SYMBOL),
        ("INTERNAL_TRANSFER:2", FlowKind.WITHDRAWAL, None),
        ("INSURANCE_CLEAR:BTCUSDT:3", FlowKind.OTHER, SYMBOL),
    ]
