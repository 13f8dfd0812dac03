"""A backtest from the request to its result, by a real worker and the practice market's candles."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from app.domain import backtest_runs, backtests
from app.domain.backtest_plan import Plan
from app.domain.studies import Axis, Study
from app.extensions import db
from app.jobs import queues
from app.jobs.queues import QueueName
from app.jobs.ticker import Ticker
from app.models import Backtest, BacktestState
from tests import factories
from tests.backtested import SYMBOL
from tests.e2e.conftest import ROOT
from tests.factories import TESTER
from tests.runner.machine import Practice
from tests.services import die_with_parent
from tests.waiting import PATIENCE, until


@pytest.fixture(scope="module")
def practice(tmp_path_factory):
    with Practice(tmp_path_factory.mktemp("practice")) as market:
        yield market


@pytest.fixture
def worker(engine_url, redis_url, practice, tmp_path):
    running = subprocess.Popen(
        [sys.executable, "-m", "app.jobs.worker", QueueName.BACKTESTS],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "VAR_DIR": str(tmp_path),
            "DATABASE_URL": engine_url,
            "REDIS_URL": redis_url,
            "EXCHANGE_ENDPOINTS": json.dumps({"practice": practice.url}),
        },
        stderr=(tmp_path / "worker.log").open("ab"),
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
    )
    yield running
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def asked(minutes=120, study=None, **more):
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    version = factories.strategy(factories.organisation(), now=now).latest
    version.rules = {**version.rules, "timeframe": "1m"}
    until_ = now - timedelta(minutes=5)
    plan = Plan("practice", (SYMBOL,), until_ - timedelta(minutes=minutes), until_, **more)
    made = backtests.request(version, plan, note="", author=None, by=TESTER, now=now, study=study)
    db.session.commit()
    return made.id


def look(backtest_id):
    db.session.rollback()
    found = db.session.get_one(Backtest, backtest_id, populate_existing=True)
    db.session.rollback()
    return found


def over(backtest_id):
    found = look(backtest_id)
    return found if found.over else None


def timed(ticker, backtest_id):
    """One look of the timetable: whoever lost a job to a locked database gets it again."""
    ticker.tick(datetime.now(UTC))
    return over(backtest_id)


def test_a_worker_runs_it_and_a_repeat_gives_the_same_bytes(app, worker, redis_url):
    ticker = Ticker(queues.connect(redis_url), "first")
    first = asked()
    done = until("it is over", lambda: timed(ticker, first))
    assert (done.state, done.fault) == (BacktestState.DONE, None)
    said = backtests.answer_of(done)
    assert json.loads(said)["result"]["pinned"]["exchange"] == "practice"
    again = backtests.rerun(done, author=None, by=TESTER, now=datetime.now(UTC))
    db.session.commit()
    second = until("it is over as well", lambda: timed(ticker, again.id))
    assert backtests.answer_of(second) == said
    assert second.digest == done.digest
    assert [it.id for it in backtests.twins(second)] == [first]


def test_a_sweep_is_cancelled_in_its_middle_and_its_worker_goes_on(app, worker, redis_url):
    ticker = Ticker(queues.connect(redis_url), "first")
    fast = Axis("signals[0].params.fast", Decimal(2), Decimal(40), Decimal(1))
    made = asked(minutes=2000, study=Study((fast,)))
    until("it is under way", lambda: timed(ticker, made) or look(made).percent > 0)
    backtests.cancel(look(made), by=TESTER, now=datetime.now(UTC))
    db.session.commit()
    ended = until("it is over", lambda: over(made))
    assert (ended.state, ended.result) == (BacktestState.CANCELLED, None)
    other = asked()
    done = until("the next one is over", lambda: timed(ticker, other))
    assert done.state is BacktestState.DONE


def test_what_cannot_be_run_fails_with_a_reason_and_can_be_run_again(app, worker, redis_url):
    ticker = Ticker(queues.connect(redis_url), "first")
    made = asked()
    statement = update(Backtest).where(Backtest.id == made)
    wrong = {**look(made).asked, "symbols": ["NOPE/USDT:USDT"]}
    db.session.execute(statement.values(asked=wrong))
    db.session.commit()
    ticker.tick(datetime.now(UTC))
    failed = until("it is over", lambda: over(made))
    assert failed.state is BacktestState.FAILED
    assert failed.fault["component"]
    assert failed.fault["message"]
    again = backtests.rerun(failed, author=None, by=TESTER, now=datetime.now(UTC))
    assert again.state is BacktestState.QUEUED


def test_a_worker_that_is_killed_costs_one_attempt(app, redis_url):
    made, now = asked(), datetime.now(UTC)
    lost = backtest_runs.begin(made, now)
    db.session.commit()
    later = now + backtest_runs.LOST_AFTER + timedelta(seconds=1)
    ticker = Ticker(queues.connect(redis_url), "first")
    db.session.execute(update(Backtest).values(heard_at=now - timedelta(minutes=2)))
    db.session.commit()
    ticker.tick(later)
    db.session.rollback()
    assert look(made).state is BacktestState.QUEUED
    ticker.tick(later + timedelta(seconds=1))
    jobs = queues.open_queue(QueueName.BACKTESTS, queues.connect(redis_url)).jobs
    assert [job.kwargs for job in jobs][-1] == {"backtest_id": made}
    assert jobs[-1].timeout > PATIENCE
    assert not backtest_runs.beat(lost, "simulation", 1, 2, later), "it is held no more"
    assert db.session.scalar(select(Backtest.percent).where(Backtest.id == made)) == 0
