"""Funding in a replay: paid when it fell due, on what was held, and never known before."""

from array import array
from datetime import datetime
from decimal import Decimal
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.backtest.payments import Payments
from runner.backtest.request import Model
from runner.backtest.run import histories, instruments, simulate
from runner.history.funding import DAY, settled
from tests.runner.backtest.hand_history import (
    START,
    asked,
    keep,
    plain,
    request,
    rules,
    steps,
    walk,
)

BREAKOUT = {"kind": "donchian_breakout", "params": {"period": 2}}
FREE = {"spread_percent": "0", "taker_fee": "0", "maker_fee": "0"}
FAR = [{"kind": "stop_loss", "params": {"percent": 40}}]
FLAT = [(100, 100, 100, 100)] * 10
HELD = [(100, 101, 100, 101), (102, 103, 102, 103), *([(103, 103, 103, 103)] * 8)]


def run(folder, paid, rows=HELD, **more):
    candles = steps(*FLAT, *rows)
    keep(folder, candles, paid=paid)
    wanted = request(folder, candles, len(FLAT), rules=rules([BREAKOUT], FAR), model=FREE, **more)
    return simulate(wanted, histories(wanted), instruments(wanted), lambda *_: None)


def test_a_long_pays_at_each_time_that_it_holds(tmp_path):
    """Held from minute 11 on; 9.9 at 103 pays 0.1 % and receives 0.05 %."""
    result = run(tmp_path, [(5, "0.01"), (14, "0.001"), (17, "-0.0005")])
    quantity = result.account.fills[0].quantity
    assert result.account.funding == -quantity * 103 * (Decimal("0.001") - Decimal("0.0005"))
    assert result.account.state.balance == 10_000 + result.account.funding


def test_what_fell_due_as_it_was_entered_is_not_its_own(tmp_path):
    """The entry fills at the opening of minute 11; what fell due then was due before."""
    assert run(tmp_path, [(11, "0.01")]).account.funding == 0
    assert run(tmp_path, [(12, "0.01")]).account.funding < 0


def test_a_time_within_a_candle_is_paid_at_its_close(tmp_path):
    result = run(tmp_path, [(13.5, "0.001")])
    assert result.account.funding == -result.account.fills[0].quantity * 103 * Decimal("0.001")


def test_a_trade_carries_its_funding_and_costs_show_it(tmp_path):
    rows = [*HELD, (60, 60, 55, 58)]
    result = run(tmp_path, [(14, "0.001")], rows)
    (trade,) = result.trades
    assert trade.closed.funding == result.account.funding < 0
    assert result.figures["funding"].value == pytest.approx(-float(trade.closed.funding))


def test_equity_falls_when_it_is_paid(tmp_path):
    result = run(tmp_path, [(15, "0.01")])
    begins = int(START.timestamp())
    line = {(one.at - begins) // 60: one.equity for one in result.equity}
    paid = float(result.account.funding)
    assert line[15] == line[14]
    assert line[16] == pytest.approx(line[14] + paid)


def test_a_declared_rate_stands_in_the_place_of_the_venues(tmp_path):
    model = {**FREE, "funding_rate": "0"}
    candles = steps(*FLAT, *HELD)
    keep(tmp_path, candles, paid=[(14, "0.001")])
    wanted = request(tmp_path, candles, 10, rules=rules([BREAKOUT], FAR), model=model)
    result = simulate(wanted, histories(wanted), instruments(wanted), lambda *_: None)
    assert result.account.funding == 0
    assert {it["code"] for it in result.plain()["warnings"]} >= {"no_funding"}


def test_components_read_what_was_settled_last_and_nothing_later():
    """Of candles of a minute: known from the one that closes at the payment, for a day."""
    paid = Payments(
        settled([(600, Decimal("0.01")), (1200, Decimal("0.02"))], 0, 9999), Decimal(0), 0
    )
    times = array("q", [480, 540, 600, 1080, 1140, 1200, 1200 + DAY - 60, 1200 + DAY])
    known = paid.known(times, 60)
    assert isnan(known[0])
    assert known[1:7] == [0.01, 0.01, 0.01, 0.02, 0.02, 0.02]
    assert isnan(known[7])


@given(
    times=st.lists(st.integers(0, 400_000), max_size=12, unique=True),
    opens=st.lists(st.integers(0, 6000), min_size=1, max_size=40, unique=True),
)
def test_what_is_known_is_what_a_search_of_the_past_finds(times, opens):
    pairs = [(at, Decimal(number + 1)) for number, at in enumerate(sorted(times))]
    kept = settled(pairs, 0, 400_001)
    columns = array("q", sorted(60 * it for it in opens))
    for at, told in zip(columns, Payments(kept, Decimal(0), 0).known(columns, 60), strict=True):
        wanted = kept.known(at + 60)
        assert isnan(told) if wanted is None else told == float(wanted)


@given(after=st.integers(0, 10_000), length=st.integers(0, 10_000))
def test_every_payment_is_due_once(after, length):
    for paid in (
        Payments(settled([(n * 777, Decimal(1)) for n in range(30)], 0, 30_000), Decimal(0), 0),
        Payments.of(Model(funding_rate=Decimal("0.1"), funding_hours=1), None),
    ):
        whole = paid.due(after, after + length)
        middle = after + length // 3
        assert whole == paid.due(after, middle) + paid.due(middle, after + length)
        at, walked = after, []
        while (at := paid.next_after(at)) <= after + length:
            walked.append(at)
        assert walked == [one for one, _ in whole]


def test_a_funding_gate_reads_the_series_and_is_named_where_there_is_none(tmp_path):
    gate = [{"kind": "funding_gate", "params": {"percent": 0.05}}]
    candles = walk(400)
    more = {"rules": rules(gates=gate)}
    keep(tmp_path, candles, paid=[(10, "0.0001"), (200, "0.01")])
    passed = asked(plain(tmp_path, candles, 60, **more))[0]["result"]
    entries = passed["trades"]
    assert entries
    late = START.timestamp() + 200 * 60
    assert all(datetime.fromisoformat(it["decided_at"]).timestamp() + 60 < late for it in entries)
    assert "no_rates" not in {it["code"] for it in passed["warnings"]}
    keep(tmp_path, candles)
    nothing = asked(plain(tmp_path, candles, 60, **more))[0]["result"]
    assert nothing["trades"] == []
    assert {it["code"] for it in nothing["warnings"]} >= {"no_rates"}


def test_a_period_without_a_series_says_that_holding_cost_nothing(tmp_path):
    candles = walk(1600)
    keep(tmp_path, candles)
    told = asked(plain(tmp_path, candles, 60))[0]["result"]
    assert "no_funding" in {it["code"] for it in told["warnings"]}
    assert told["pinned"]["funding"][0]["payments"] == 0
    keep(tmp_path, candles, paid=[(60, "0.0001"), (500, "0.0001"), (1000, "0.0001")])
    told = asked(plain(tmp_path, candles, 60))[0]["result"]
    assert not {"no_funding", "funding_gaps"} & {it["code"] for it in told["warnings"]}
    assert told["pinned"]["funding"][0]["payments"] == 2
