"""A preview by a real worker and the practice market's candles; what nobody wants is ended."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from app.domain import previews
from app.extensions import db
from app.jobs import queues
from app.jobs.queues import QueueName
from app.jobs.ticker import Ticker
from app.models import Preview, PreviewState
from runner.strategy import TEMPLATES
from tests import factories
from tests.e2e.conftest import ROOT
from tests.runner.machine import Practice
from tests.services import die_with_parent
from tests.waiting import until

SYMBOL = "BTC/USDT:USDT"


@pytest.fixture(scope="module")
def practice(tmp_path_factory):
    with Practice(tmp_path_factory.mktemp("practice")) as market:
        yield market


@pytest.fixture
def worker(engine_url, redis_url, practice, tmp_path):
    """Begun by the test: by then the tables are there."""
    begun = []

    def begin(**endpoints):
        endpoints = {"practice": practice.url} | endpoints
        running = subprocess.Popen(
            [sys.executable, "-m", "app.jobs.worker", QueueName.PREVIEWS],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "VAR_DIR": str(tmp_path),
                "DATABASE_URL": engine_url,
                "REDIS_URL": redis_url,
                "EXCHANGE_ENDPOINTS": json.dumps(endpoints),
            },
            stderr=(tmp_path / "worker.log").open("ab"),
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
        )
        begun.append(running)

    yield begin
    for running in begun:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def asked(rules, **more):
    now = datetime.now(UTC)
    workspace, person = factories.organisation(), factories.user()
    plan = previews.plan(rules, "practice", SYMBOL, now) | more
    made = previews.request(workspace, plan, person=person, now=now)
    db.session.commit()
    return made.id


def over(preview_id):
    """Without a transaction left open until the next look: no worker could write meanwhile."""
    db.session.rollback()
    found = db.session.get_one(Preview, preview_id, populate_existing=True)
    if found.over:
        return found
    db.session.rollback()
    return None


def test_a_worker_works_it_out_on_thirty_days(app, worker, redis_url):
    made = asked(TEMPLATES[0].rules)
    worker()
    Ticker(queues.connect(redis_url), "first").tick(datetime.now(UTC))
    done = until("it is worked out", lambda: over(made))
    assert (done.state, done.fault) == (PreviewState.DONE, None)
    told = previews.told(done)
    assert told["until"] - told["since"] == previews.DAYS * 86_400
    assert told["funnel"]["candles"] > 2000
    assert told["entries"] > 0


@pytest.mark.parametrize("gone", ["symbol", "venue"])
def test_a_market_that_is_gone_fails_in_words(app, worker, redis_url, gone):
    more = {"symbols": ["GONE/USDT:USDT"]} if gone == "symbol" else {}
    made = asked(TEMPLATES[0].rules, **more)
    worker(**({"practice": "http://127.0.0.1:9"} if gone == "venue" else {}))
    Ticker(queues.connect(redis_url), "first").tick(datetime.now(UTC))
    failed = until("it is over", lambda: over(made))
    assert failed.state is PreviewState.FAILED
    assert failed.fault["component"] == "history"
    assert ("try again" if gone == "venue" else "GONE/USDT") in failed.fault["message"]
