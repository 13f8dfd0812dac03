"""What a bot has shown so far adds up to its rows, and deposits are no heights."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import evidence
from app.domain.going_live import Standing
from app.extensions import db
from app.models import (
    CashFlow,
    EquityPoint,
    Run,
    RunnerNotice,
)
from runner.protocol import FlowKind, Limits, Mode, OrderStatus
from tests import factories, telling
from tests.factories import NOW

AMOUNTS = st.decimals(-(10**6), 10**6, places=2)
SECOND = timedelta(seconds=1)


def told(bot, run_id, **values):
    keys = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "run_id": run_id}
    return keys | values


def line(bot, record, name):
    found = {line.name: line for line in evidence.lines(bot, bot.workspace, record)}
    return found[name]


def test_a_new_bot_has_shown_nothing(app):
    bot = factories.bot(factories.organisation())
    record = evidence.so_far(bot, NOW)
    assert record == evidence.Record()
    lines = evidence.lines(bot, bot.workspace, record)
    assert {it.standing for it in lines} == {Standing.THINK}


def test_what_it_has_shown_is_what_its_rows_say(app):
    bot = factories.bot(factories.organisation(), limits=Limits(max_daily_loss=Decimal(90)))
    machine = telling.awake(bot, NOW)
    machine.claimed_at = NOW - timedelta(days=8)
    trades = [(100, 110, 1), (100, 95, 1), (50, 50, 0)]
    for entry, exit_, fees in trades:
        run = db.session.get_one(Run, machine.run_id)
        factories.trade(run, entry, exit_, fees)
    factories.order(bot, machine.run_id, "c1", OrderStatus.REJECTED)
    factories.order(bot, machine.run_id, "c2", OrderStatus.FILLED)
    alarm = told(bot, machine.run_id, level="alarm", code="stop_missing", message="", at=NOW)
    db.session.add(RunnerNotice(**alarm))
    for second, equity in enumerate((1000, 1100, 1010, 1500, 1420)):
        point = {"equity": Decimal(equity), "balance": Decimal(0), "unrealised": Decimal(0)}
        at = NOW + second * SECOND
        db.session.add(EquityPoint(**told(bot, machine.run_id, at=at), **point))
    flow = {"flow_id": "f1", "kind": FlowKind.DEPOSIT, "amount": Decimal(490), "currency": "USDT"}
    db.session.add(CashFlow(**told(bot, machine.run_id, at=NOW + 3 * SECOND, symbol=None), **flow))
    db.session.flush()
    record = evidence.so_far(bot, NOW)
    assert len(record.days[Mode.PAPER]) == 9
    assert record.awake == timedelta(days=8)
    assert (record.trades[Mode.PAPER], record.net[Mode.PAPER]) == (3, Decimal(3))
    assert (record.rejected, dict(record.alarms)) == (1, {"stop_missing": 1})
    assert record.worst_fall == Decimal(170), "the deposit is taken out of what follows it"
    assert line(bot, record, "time").standing is Standing.GOOD
    assert "stop missing" in line(bot, record, "errors").found
    fall = line(bot, record, "fall")
    assert fall.standing is Standing.THINK
    assert "limit of 90" in fall.cure


@pytest.mark.parametrize("other", ["symbols", "version"])
def test_what_it_was_before_is_no_evidence_of_what_it_is(app, other):
    bot = factories.bot(factories.organisation())
    machine = telling.awake(bot, NOW)
    factories.order(bot, machine.run_id, "c1", OrderStatus.REJECTED)
    run = db.session.get_one(Run, machine.run_id)
    assert evidence.so_far(bot, NOW).since == run.started_at
    if other == "symbols":
        bot.symbols = ["ETH/USDT:USDT"]
    else:
        bot.strategy_version_id = factories.bot(bot.workspace, name="Other").strategy_version_id
        assert bot.strategy_version_id != run.strategy_version_id
    db.session.flush()
    assert evidence.so_far(bot, NOW) == evidence.Record()


def test_the_worst_fall_is_that_of_all_looks(app, monkeypatch):
    monkeypatch.setattr(evidence, "POINTS", 2)
    bot = factories.bot(factories.organisation())
    machine = telling.awake(bot, NOW)
    for second, equity in enumerate((1000, 400, 410, 420, 430)):
        point = {"equity": Decimal(equity), "balance": Decimal(0), "unrealised": Decimal(0)}
        at = NOW + second * SECOND
        db.session.add(EquityPoint(**told(bot, machine.run_id, at=at), **point))
    db.session.flush()
    record = evidence.so_far(bot, NOW)
    assert record.worst_fall == Decimal(600)
    assert f"{record.since:%Y-%m-%d}" in line(bot, record, "time").found


def test_what_a_testnet_earned_is_told_apart_and_is_no_performance(app):
    bot = factories.bot(factories.organisation(), limits=Limits(max_daily_loss=Decimal(90)))
    bot.mode = Mode.TESTNET
    run = db.session.get_one(Run, telling.awake(bot, NOW).run_id)
    for _ in range(evidence.ENOUGH_TRADES):
        factories.trade(run, 100, 150, 0)
    for second, equity in enumerate((1000, 400)):
        point = {"equity": Decimal(equity), "balance": Decimal(0), "unrealised": Decimal(0)}
        db.session.add(EquityPoint(**told(bot, run.id, at=NOW + second * SECOND), **point))
    db.session.flush()
    record = evidence.so_far(bot, NOW)
    assert (record.trades[Mode.PAPER], record.worst_fall) == (0, 0)
    found = line(bot, record, "trades")
    assert found.standing is Standing.THINK
    assert "On paper 0 closed trades, +0.00" in found.found
    assert "On testnet 20 closed trades, +1000.00" in found.found
    assert "shows plumbing" in found.found
    assert line(bot, record, "fall").cure == evidence.NEVER_ON_PAPER


def test_what_it_does_live_is_no_evidence_for_going_live(app):
    bot = factories.bot(factories.organisation())
    bot.mode = Mode.LIVE
    machine = telling.awake(bot, NOW)
    factories.order(bot, machine.run_id, "c1", OrderStatus.REJECTED)
    assert evidence.so_far(bot, NOW) == evidence.Record()


def test_a_machine_that_went_without_proof_is_named(app):
    bot = factories.bot(factories.organisation())
    machine = telling.awake(bot, NOW)
    machine.gone_at, machine.proven_flat = NOW, False
    db.session.flush()
    found = line(bot, evidence.so_far(bot, NOW), "uptime")
    assert found.standing is Standing.THINK
    assert "1 of which went without proving" in found.found


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS)))
def test_the_worst_fall_is_the_largest_of_all_pairs_whatever_came_in(steps):
    points, flows, moved = [], [], Decimal(0)
    for second, (own, flow) in enumerate(steps):
        at = NOW + second * SECOND
        flows.append((at, flow))
        moved += flow
        points.append((at, own + moved))
    owns = [own for own, _ in steps]
    pairs = [before - after for i, before in enumerate(owns) for after in owns[i:]]
    assert evidence.worst_fall(points, flows) == max(pairs, default=Decimal(0))
