"""A dry run by a real worker on the practice market's candles."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from app.domain import dry_runs
from app.extensions import db
from app.jobs import queues
from app.jobs.queues import QueueName
from app.jobs.ticker import Ticker
from app.models import BacktestState, DryRun
from tests import factories
from tests.e2e.conftest import ROOT
from tests.factories import TESTER
from tests.runner.code.sources import CROSSING
from tests.runner.machine import Practice
from tests.services import die_with_parent
from tests.waiting import until


@pytest.fixture(scope="module")
def practice(tmp_path_factory):
    with Practice(tmp_path_factory.mktemp("practice")) as market:
        yield market


@pytest.fixture
def worker(engine_url, redis_url, practice, tmp_path, switch):
    running = subprocess.Popen(
        [sys.executable, "-m", "app.jobs.worker", QueueName.BACKTESTS],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "VAR_DIR": str(tmp_path),
            "DATABASE_URL": engine_url,
            "REDIS_URL": redis_url,
            "EXCHANGE_ENDPOINTS": json.dumps({"practice": practice.url}),
            "ALLOW_CODE_STRATEGIES": switch,
        },
        stderr=(tmp_path / "worker.log").open("ab"),
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
    )
    yield running
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def asked(source):
    now = datetime.now(UTC)
    made = dry_runs.request(
        factories.organisation(now=now),
        name="Crossing",
        source=source,
        strategy=None,
        base=0,
        allowed=True,
        author=None,
        by=TESTER,
        now=now,
    )
    db.session.commit()
    return made.id


def over(dry_run_id):
    """Without a transaction left open until the next look: no worker could write meanwhile."""
    db.session.rollback()
    found = db.session.get_one(DryRun, dry_run_id, populate_existing=True)
    if found.over:
        return found
    db.session.rollback()
    return None


@pytest.mark.parametrize("switch", ["1"])
def test_a_worker_runs_it_in_a_process_of_its_own(app, worker, redis_url):
    ticker = Ticker(queues.connect(redis_url), "first")
    sound, broken = asked(CROSSING), asked(CROSSING.replace("+= 1", "+= 1 / 0"))
    ticker.tick(datetime.now(UTC))
    found = until("it is over", lambda: over(sound))
    assert (found.state, found.fault) == (BacktestState.DONE, None)
    assert found.told["counts"]["candles"] == dry_runs.CANDLES
    found = until("the other is over", lambda: over(broken))
    assert found.state is BacktestState.FAILED
    assert (found.fault["component"], found.fault["field"]) == ("code", "line 20")


@pytest.mark.parametrize("switch", ["0"])
def test_a_worker_that_may_not_runs_no_class(app, worker, redis_url):
    ticker = Ticker(queues.connect(redis_url), "first")
    made = asked(CROSSING)
    ticker.tick(datetime.now(UTC))
    found = until("it is over", lambda: over(made))
    assert found.state is BacktestState.FAILED
    assert "not allowed" in found.fault["message"]
