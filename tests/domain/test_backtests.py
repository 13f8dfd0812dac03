"""Backtests: asked for within bounds, taken once, ended by whoever holds them, kept with a log."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import backtest_runs, backtests
from app.domain.backtest_plan import Assumed
from app.domain.errors import Invalid, Refused
from app.extensions import db
from app.gateways.backtest_outcome import End, Outcome
from app.models import AuditEvent, Backtest, BacktestState
from tests import backtested, factories
from tests.factories import NOW, TESTER

LATE = NOW + backtest_runs.LOST_AFTER + timedelta(seconds=1)


@pytest.fixture
def version(app):
    made = factories.strategy(factories.organisation()).latest
    db.session.commit()
    return made


def request(version, **more):
    end = NOW - timedelta(hours=1)
    usual = {"since": end - timedelta(days=1), "until": end}
    plan = backtested.plan(**{**usual, **more})
    made = backtests.request(version, plan, note="why", author=None, by=TESTER, now=NOW)
    db.session.commit()
    return made


def read(backtest):
    db.session.flush()
    db.session.expire_all()
    return db.session.get_one(Backtest, backtest.id)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"exchange": "moon"}, "exchange"),
        ({"symbols": ()}, "symbols"),
        ({"symbols": ("NOPE/USDT:USDT",)}, "symbols"),
        ({"until": NOW + timedelta(minutes=1)}, "until"),
        ({"since": NOW - timedelta(hours=1)}, "until"),
        ({"since": NOW - timedelta(days=40_000)}, "since"),
        ({"balance": Decimal(0)}, "balance"),
        ({"seed": -1}, "seed"),
        ({"assumed": Assumed(spread_percent=Decimal(80))}, "spread_percent"),
        ({"assumed": Assumed(depth=Decimal(0))}, "depth"),
        ({"assumed": Assumed(taker_fee=Decimal(1))}, "taker_fee"),
        ({"assumed": Assumed(funding_rate=Decimal(1))}, "funding_rate"),
    ],
)
def test_what_cannot_be_run_names_its_field(version, more, field):
    with pytest.raises(Invalid) as refused:
        request(version, **more)
    assert refused.value.field == field


def test_so_many_wait_and_no_more_and_each_knows_its_place(version):
    made = [request(version) for _ in range(backtests.MOST_WAITING)]
    for number, each in enumerate(made):
        each.created_at = NOW + timedelta(seconds=number)
    db.session.flush()
    assert [backtests.place_of(it) for it in made] == [1, 2, 3, 4, 5]
    with pytest.raises(Refused, match="wait or run"):
        request(version)


def test_it_is_taken_once_and_only_its_holder_is_heard(version):
    made = request(version)
    errand = backtest_runs.begin(made.id, NOW)
    assert backtest_runs.begin(made.id, NOW) is None
    assert errand.request["rules"] == version.rules
    assert backtest_runs.beat(errand, "simulation", 1, 4, NOW)
    assert (read(made).percent, read(made).step) == (25, "simulation")
    assert backtest_runs.finish(errand, Outcome(End.DONE, backtested.answer(), "said"), NOW)
    done = read(made)
    assert (done.state, done.log, done.attempt) == (BacktestState.DONE, "said", 1)
    assert backtests.answer_of(done) == backtested.answer()
    assert set(done.figures) == set(backtest_runs.SHOWN)
    assert not backtest_runs.finish(errand, Outcome(End.FAILED), NOW)
    assert read(made).state is BacktestState.DONE


def test_who_was_silent_has_lost_it_and_the_second_time_it_fails_with_words(version):
    made = request(version)
    first = backtest_runs.begin(made.id, NOW)
    made.heard_at = NOW - timedelta(days=1)
    db.session.flush()
    assert backtest_runs.sweep(NOW) == 1
    assert read(made).state is BacktestState.QUEUED
    assert backtest_runs.begin(made.id, NOW) is not None
    assert not backtest_runs.beat(first, "simulation", 1, 2, NOW)
    assert not backtest_runs.finish(first, Outcome(End.DONE, backtested.answer()), NOW)
    assert read(made).state is BacktestState.RUNNING
    read(made).heard_at = NOW - timedelta(days=1)
    db.session.flush()
    backtest_runs.sweep(NOW)
    failed = read(made)
    assert failed.state is BacktestState.FAILED
    assert "lost twice" in failed.fault["message"]
    assert backtests.rerun(failed, author=None, by=TESTER, now=NOW).asked == failed.asked


def test_cancel_ends_at_once_what_waits_and_what_runs_with_its_next_beat(version):
    waiting, running = request(version), request(version)
    errand = backtest_runs.begin(running.id, NOW)
    for each in (waiting, running, running):
        backtests.cancel(read(each), by=TESTER, now=NOW)
    assert read(waiting).state is BacktestState.CANCELLED
    assert backtest_runs.begin(waiting.id, NOW) is None
    assert read(running).state is BacktestState.RUNNING
    assert not backtest_runs.beat(errand, "simulation", 1, 2, NOW)
    backtest_runs.finish(errand, Outcome(End.CANCELLED), NOW)
    assert read(running).state is BacktestState.CANCELLED
    backtests.cancel(read(running), by=TESTER, now=NOW)
    actions = select(AuditEvent.action).where(AuditEvent.action == "backtest.cancel")
    assert len(db.session.scalars(actions).all()) == 2


def test_only_what_is_over_is_deleted(version):
    made = request(version)
    with pytest.raises(Refused, match="cancel it first"):
        backtests.remove(made, by=TESTER, now=NOW)
    backtests.cancel(made, by=TESTER, now=NOW)
    backtests.remove(made, by=TESTER, now=NOW)
    db.session.commit()
    assert db.session.scalar(select(Backtest).where(Backtest.id == made.id)) is None
