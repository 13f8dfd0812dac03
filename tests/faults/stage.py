"""Where the faults are played: everything real but the cloud, which is a fake one over HTTP.

A Redis-compatible server, RQ workers with their forked children, a database, Google's own client
library, and the fake cloud in a process of its own, whose virtual clock the test moves. One stage
serves all tests of a process on one database, which is emptied for each of them.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import Interval, func, literal, update

from app import create_app
from app.config import Config
from app.domain import clock, places
from app.extensions import db
from app.jobs import queues
from app.jobs.ticker import Ticker
from app.models import (
    BotAddress,
    BotCompute,
    CloudFind,
    CloudOperation,
    CloudRegion,
    FleetAlarm,
    Leadership,
    Machine,
    OutboxMessage,
    SweepRun,
    ZoneCooldown,
)
from app.models.base import Moment
from tests import services
from tests.e2e.conftest import ROOT
from tests.fakes.gce import Behaviour, Remote
from tests.fakes.gce.behaviour import REGIONS
from tests.faults.workers import PAUSE, Workers
from tests.waiting import until

REGION = "europe-west1"
ZONES = REGIONS[REGION]
IN_FLIGHT = 3
_VIRTUAL = ("--clock", "virtual", "--state")
_KILLED = ("Work-horse terminated", "AbandonedJobError", "stuck in intermediate queue")
"""RQ's words for a job that did not end by itself, or that died on its way to a worker."""
_AGEING = (
    BotAddress,
    BotCompute,
    CloudFind,
    CloudOperation,
    CloudRegion,
    FleetAlarm,
    Leadership,
    Machine,
    OutboxMessage,
    SweepRun,
    ZoneCooldown,
)


class Hinting(Ticker):
    """The timetable, which sends its hints at the end of a tick and remembers them.

    It would send them while it writes; a worker that is stopped in the middle of a transaction
    of its own would keep it waiting then.
    """

    def __init__(self, connection):
        super().__init__(connection, "faults")
        self.asked, self._unsent = [], []

    def tick(self, now):
        sent = super().tick(now)
        db.session.rollback()
        unsent, self._unsent = self._unsent, []
        for hints, at_front in unsent:
            self.asked += [job_id for name, _, job_id, _ in hints if name is queues.QueueName.FLEET]
            super()._hand_over(hints, at_front=at_front)
        return sent

    def _hand_over(self, hints, *, at_front=False):
        self._unsent.append((hints, at_front))

    def _measure_due(self, now):
        """Tests ask for sweeps themselves; how long they take must not decide it."""


class Stage:
    """See the module."""

    def __init__(self, database, bundles):
        self.var = Path(tempfile.mkdtemp(prefix="pl-faults-"))
        (self.var / "bundles").symlink_to(bundles)
        self.database = database
        self.valkey = services.Valkey()
        self._cloud = self._serve_cloud()
        self.cloud = Remote(self._cloud.stdout.readline().strip())
        self.environ = self._settings(database.url)
        self.app = create_app(Config.from_environment(self.environ, "worker"), "worker")
        self.connection = queues.connect(self.valkey.url)
        self.workers = Workers(self.var, self.environ, self.connection.ping)
        self.queue = queues.open_queue(queues.QueueName.FLEET, self.connection)
        self.ticker = Hinting(self.connection)
        self._lost = set()

    def _serve_cloud(self):
        return subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.gce", *_VIRTUAL, str(self.var / "cloud.db")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=services.die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
        )

    def _settings(self, url):
        return {
            "PATH": os.environ["PATH"],
            "NO_PROXY": "127.0.0.1",
            "VAR_DIR": str(self.var),
            "DATABASE_URL": url,
            "REDIS_URL": self.valkey.url,
            "RUNNER_BASE_URL": "http://127.0.0.1:1",
            "DEMO": "0",
            "COMPUTE_DRIVER": "gce",
            "COMPUTE_IN_FLIGHT": str(IN_FLIGHT),
            "SLEEP_FLAT_FOR": "3s",
            "GCE_PROJECT": Behaviour().project,
            "GCE_REGIONS": REGION,
            "GCE_API_ENDPOINT": self.cloud.url,
            "GCE_CREDENTIALS": "anonymous",
            "GCE_ENV_LABEL": "faults",
        }

    @property
    def config(self):
        return self.app.extensions["plutarc"]

    def reset(self):
        """As if nothing had ever happened; to be called inside the application."""
        self.exchange(self.database.empty)
        self.cloud.empty()
        self.ticker.asked.clear()
        (self.var / "trip").unlink(missing_ok=True)
        places.learn_zones(REGION, ZONES)
        db.session.commit()
        self.workers.at_least_one()

    def exchange(self, how):
        """Put other rows in the place of those there are, while nobody looks at them."""
        db.session.remove()
        db.engine.dispose()
        how()

    def close(self):
        self.workers.end()
        with suppress(ProcessLookupError):
            self._cloud.send_signal(signal.SIGTERM)
        self._cloud.wait()
        self._cloud.stdout.close()
        self.connection.close()
        self.valkey.stop()
        shutil.rmtree(self.var, ignore_errors=True)

    # -- jobs ---------------------------------------------------------------------------------

    def hint(self):
        """One tick of the timetable: every bot that is due is asked for."""
        self.ticker.tick(datetime.now(UTC))

    def look(self):
        """One tick, and all that comes of it."""
        self.hint()
        self.done()

    def hand_over(self, job, **arguments):
        """Ask for a job by name."""
        name = f"asked-{os.urandom(6).hex()}"
        queues.hand_over(self.queue, job, name, arguments)
        self.ticker.asked.append(name)

    def ask(self, job, **arguments):
        """Ask for a job, and wait until it is over."""
        self.hand_over(job, **arguments)
        self.done()

    def until_held(self):
        """The cloud holds an exchange that it was to hold."""
        return until("the cloud holds a call", self.cloud.held, PAUSE)

    def done(self):
        """Every job that was asked for has ended, well or not."""
        db.session.rollback()
        until("the jobs are done", self.is_quiet, PAUSE)

    def is_quiet(self):
        """Whether all that was asked for is over."""
        self.ticker.asked = [name for name in self.ticker.asked if self._is_at_work(name)]
        return not self.ticker.asked

    def _is_at_work(self, name):
        key = Job.key_for(name)
        return self.connection.hget(key, "status") not in (None, b"failed")

    def failed(self):
        """Why jobs failed that nobody killed, as RQ keeps it."""
        registry = self.queue.failed_job_registry
        found = []
        for name in registry.get_job_ids():
            registry.remove(name)
            if name in self._lost:
                continue
            job = Job.fetch(name, connection=self.connection, serializer=JSONSerializer)
            result = job.latest_result()
            told = (result.exc_string if result else "") or f"{name} failed without a word"
            if not any(word in told for word in _KILLED):
                found.append(told)
        return found

    def forget_jobs(self):
        """What a worker has in hand that is held up is not waited for."""
        self.ticker.asked.clear()

    def lose_jobs(self):
        """What a killed worker had in hand: how RQ puts it away is not looked at either."""
        self._lost |= set(self.ticker.asked)
        self.forget_jobs()

    # -- time ---------------------------------------------------------------------------------

    def pass_time(self, by):
        """Every moment in the rows lies so much further back, and the cloud's clock goes on."""
        if not by:
            return
        for kind in _AGEING:
            columns = [it for it in kind.__table__.columns if isinstance(it.type, Moment)]
            aged = {column.name: _earlier(column, by) for column in columns}
            db.session.execute(
                update(kind).values(aged).execution_options(synchronize_session=False)
            )
        db.session.commit()
        db.session.expire_all()
        self.cloud.advance(by.total_seconds())

    def now(self):
        """By the clock that the planner goes by."""
        found = clock.database_now(datetime.now(UTC))
        db.session.rollback()
        return found


def _earlier(column, by):
    if db.engine.dialect.name == "postgresql":
        return column - literal(by, Interval)
    seconds = f"-{by.total_seconds():.3f} seconds"
    return func.strftime("%Y-%m-%d %H:%M:%f000", column, seconds)


def seconds(count):
    return timedelta(seconds=count)
