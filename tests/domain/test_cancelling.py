"""Cancel at every moment of what workers carry out for minutes, whatever kind it is."""

from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from app.domain import backtest_runs, backtests, dry_runs, long_runs
from app.extensions import db
from app.gateways.backtest_outcome import End, Outcome
from app.models import AuditEvent, BacktestKind, BacktestState
from tests import backtested, coded, factories
from tests.factories import NOW, TESTER

ENDED = Outcome(End.CANCELLED, log="as far as it came")
KINDS = ["single", "sweep", "walk_forward", "dry_run"]


@pytest.fixture(params=KINDS)
def run(app, request):
    """One that waits, and what people and workers do with it."""
    workspace = factories.organisation()
    if request.param == "dry_run":
        row = coded.dry_run(workspace, NOW, state=BacktestState.QUEUED)
        person, worker, action = dry_runs, dry_runs, "strategy.dry_run_cancel"
        done = (Outcome(End.DONE, backtested.answer()), Outcome(End.DONE, backtested.answer()))
    else:
        version = factories.strategy(workspace).latest
        kind = BacktestKind(request.param)
        row = backtested.row(version, NOW, kind=kind, state=BacktestState.QUEUED, said=None)
        person, worker, action = backtests, backtest_runs, "backtest.cancel"
        done = (Outcome(End.DONE, backtested.answer()),)
    db.session.commit()
    ended = (ENDED, None) if request.param == "dry_run" else (ENDED,)
    return SimpleNamespace(
        row=row,
        begin=lambda: worker.begin(row.id, NOW),
        beat=lambda errand: worker.beat(errand, "simulation", 1, 2, NOW),
        done=lambda errand: worker.finish(errand, *done, NOW),
        ended=lambda errand: worker.finish(errand, *ended, NOW),
        give_back=lambda errand: worker.give_back(errand, NOW),
        cancel=lambda: person.cancel(row, by=TESTER, now=NOW),
        sweep=worker.sweep,
        action=action,
    )


def stands(run):
    db.session.commit()
    db.session.expire_all()
    return run.row.state


def events(run):
    query = select(func.count()).where(AuditEvent.action == run.action)
    return db.session.scalar(query)


def test_while_it_waits_it_is_over_at_once_and_nobody_takes_it(run):
    run.cancel()
    run.cancel()
    assert stands(run) is BacktestState.CANCELLED
    assert run.begin() is None
    assert events(run) == 1


@pytest.mark.parametrize("beats", [0, 3])
def test_while_it_runs_it_is_over_when_its_worker_hears_of_it(run, beats):
    errand = run.begin()
    assert all(run.beat(errand) for _ in range(beats))
    run.cancel()
    run.cancel()
    assert stands(run) is BacktestState.RUNNING
    assert not run.beat(errand)
    assert run.ended(errand)
    assert stands(run) is BacktestState.CANCELLED
    assert run.row.log == ENDED.log
    run.cancel()
    assert events(run) == 1


def test_in_the_last_second_it_is_cancelled_as_was_told(run):
    errand = run.begin()
    run.cancel()
    assert run.done(errand)
    assert stands(run) is BacktestState.CANCELLED
    assert (run.row.fault, run.row.holder) == (None, "")
    assert getattr(run.row, "told", None) is getattr(run.row, "result", None) is None


def test_what_is_over_stays_as_it_is(run):
    run.done(run.begin())
    assert stands(run) is BacktestState.DONE
    run.cancel()
    assert stands(run) is BacktestState.DONE
    assert (run.row.cancel_at, events(run)) == (None, 0)


def test_one_that_could_not_begin_does_not_wait_again(run):
    errand = run.begin()
    run.cancel()
    run.give_back(errand)
    assert stands(run) is BacktestState.CANCELLED
    assert run.row.ended_at is not None
    assert run.begin() is None


def test_one_whose_worker_was_lost_is_over_with_the_next_sweep(run):
    run.begin()
    run.cancel()
    assert run.sweep(NOW + long_runs.LOST_AFTER) == 1
    assert stands(run) is BacktestState.CANCELLED
