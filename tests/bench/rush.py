"""Many bots due in one minute: how long the platform itself keeps each from its machine.

Real ticker, real RQ workers that fork for each job, a real Valkey and PostgreSQL, Google's own
client library against the fake cloud in a process of its own. What stands in: the machines' runners
claim by the gate's own verb from this process, and their reports are one UPDATE every few seconds.

*Due* is when a bot's machine is wanted by its schedule: the session's opening less the lead of its
region and the bot's own share of the spread, as its page shows it. *Insert call* is the creation
time that the cloud gives the machine, the moment it took the call.

*The platform's own delay* leaves out what a bot waited because all places were taken. With L
places, bots in order of due and the moments at which places became free (a claim) in order of time,
the k-th bot could have begun at the later of its due and, for k > L, the (k - L)-th such moment;
its own delay is its insert call less that, and at least nothing. A bot that others overtook is
charged in full for having waited behind them.
"""

from __future__ import annotations

import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import redis
from flask import Flask
from rq import Worker
from sqlalchemy import select

from app import create_app
from app.config import Config
from app.extensions import db
from app.gateways import vault
from app.models import Leadership, Machine
from tests.bench import booted, crowd, horses, machine
from tests.bench.report import Figure, Section
from tests.fakes.gce.control import Remote
from tests.services import Postgres, Valkey, die_with_parent
from tests.waiting import PATIENCE, until

MOST = 2.0
WORKERS = 2
_METHOD = (
    "{count:,} bots of one region whose sessions open at the same moment, so that all are due "
    "within one minute. One ticker, {workers} fleet workers of RQ that fork for each job, Valkey, "
    "PostgreSQL with its durable default settings, Google's client library against the fake cloud "
    "in a process of its own, all on this machine. An insertion takes the cloud {insert} s, a boot "
    "{boot} s; the claims go through the gate's verb in this process, and the runners' reports are "
    "one UPDATE every {report:.0f} s. *Own delay*: from due to the insert call at the cloud, less "
    "what the bot waited because all places (`COMPUTE_IN_FLIGHT`) were taken: with L places the "
    "k-th bot in order of due could begin at the later of its due and the (k − L)-th moment at "
    "which a place became free. *Memory* is sampled from /proc while jobs run, largest value seen; "
    "*processor time* is that of the fleet workers and their jobs, from the first due on."
)


@dataclass(frozen=True)
class Rush:
    """How many bots, and how many machines may be on their way at once."""

    bots: int
    places: int


@dataclass(frozen=True)
class Told:
    """What came out: seconds, and memory by name in MB."""

    own: list[float]
    waits: list[float]
    seconds: float
    worked: float
    memory: dict[str, float]


@dataclass
class Scene:
    """The programs of one rush, and where they write."""

    app: Flask
    cloud: Remote
    runners: crowd.Runners
    environment: dict[str, str]
    folder: Path
    stack: ExitStack
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """One of the platform's own programs."""
        log = self.stack.enter_context((self.folder / f"log-{len(self.programs)}").open("wb"))
        made = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=self.environment,
            cwd=machine.ROOT,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
        )
        self.programs.append(made)
        return made

    def is_up(self) -> bool:
        """Whether every worker waits for jobs, and the ticker leads."""
        config: Config = self.app.extensions["plutarc"]
        with redis.Redis.from_url(config.redis_url) as connection, self.app.app_context():
            leads = db.session.scalar(select(Leadership.holder)) is not None
            db.session.remove()
            return leads and len(Worker.all(connection=connection)) == WORKERS

    def end(self) -> None:
        """All of them."""
        for one in self.programs:
            one.send_signal(signal.SIGTERM)
        for one in self.programs:
            try:
                one.wait(15)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


def measure(*rushes: Rush) -> Section:
    """Each rush in an installation of its own."""
    values = {"insert": crowd.INSERT, "boot": crowd.BOOT, "report": crowd.REPORT_EVERY}
    method = _METHOD.format(count=rushes[0].bots, workers=WORKERS, **values)
    section, rows = Section("Rush", method), []
    for rush in rushes:
        with ExitStack() as stack:
            told = _one(rush, stack)
        section.figures += _figures(rush, told)
        rows.append(_row(rush, told))
    head = ["bots", "places", "own delay p50, s", "p95, s", "largest, s"]
    head += ["wait from due p95, s", "all begun after, s", "begun a s", "CPU a bot, ms"]
    section.tables.append((head, rows))
    return section


def _row(rush: Rush, told: Told) -> list[str]:
    p50, p95, most = _spread(told.own)
    own = (f"{value:.2f}" for value in (p50, p95, most))
    pace = f"{told.seconds:.0f}", f"{rush.bots / told.seconds:.1f}", f"{1000 * told.worked:.0f}"
    return [f"{rush.bots:,}", str(rush.places), *own, f"{_spread(told.waits)[1]:.0f}", *pace]


def _figures(rush: Rush, told: Told) -> list[Figure]:
    label = f"own delay of {rush.bots:,} bots due in a minute, {rush.places} places, p95"
    memory = [Figure(name, round(value, 1), "MB") for name, value in told.memory.items()]
    return [Figure(label, round(_spread(told.own)[1], 2), "s", most=MOST), *memory]


def _one(rush: Rush, stack: ExitStack) -> tuple[list[float], list[float], float, dict[str, float]]:
    """Own delays, whole waits, how long it took, and memory by name in MB."""
    scene = _build(rush, stack)
    stack.callback(scene.end)
    pattern = crowd.found(scene.app)
    workers = [scene.start("app.jobs.worker", "fleet") for _ in range(WORKERS)]
    scene.start("app.jobs.ticker")
    until("the workers are up", scene.is_up)
    before = sum(horses.worked(one.pid) for one in workers)
    dues = crowd.settle(scene.app, scene.cloud.url, pattern, rush.bots)
    with horses.Sampler([one.pid for one in workers]) as sampler:
        _wait_for(scene, rush.bots)
    worked = sum(horses.worked(one.pid) for one in workers) - before
    ready = _ready(scene.app)
    began = _begun(scene.cloud)
    scene.end()
    first = min(dues.values())
    seconds = (max(began.values()) - first).total_seconds()
    waits = [(began[bot] - due).total_seconds() for bot, due in dues.items()]
    own = own_delays(dues, began, ready, rush.places)
    return Told(own, waits, seconds, worked / rush.bots, sampler.most())


def own_delays(
    dues: dict[str, datetime],
    began: dict[str, datetime],
    freed: list[datetime],
    places: int,
) -> list[float]:
    """The platform's own delay of each bot in seconds; see the module."""
    free, found = sorted(freed), []
    for rank, bot in enumerate(sorted(dues, key=lambda it: (dues[it], it))):
        could = dues[bot]
        if rank >= places:
            could = max(could, free[rank - places])
        found.append(max((began[bot] - could).total_seconds(), 0.0))
    return found


def _spread(values: list[float]) -> tuple[float, float, float]:
    """Median, 95th of a hundred, largest."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.95)], ordered[-1]


def _build(rush: Rush, stack: ExitStack) -> Scene:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    valkey, postgres = Valkey(), Postgres(durable=True)
    stack.callback(valkey.stop)
    stack.callback(postgres.stop)
    postgres.execute("CREATE DATABASE plutarc")
    url = _start_cloud(folder, stack, rush.bots)
    private, public = vault.generate()
    settings = {
        "DATABASE_URL": postgres.url("plutarc"),
        "REDIS_URL": valkey.url,
        "VAR_DIR": str(folder / "var"),
        "SECRET_KEY": secrets.token_hex(32),
        "SEAL_PUBLIC_KEY": public,
        "COMPUTE_DRIVER": "gce",
        "GCE_PROJECT": crowd.PROJECT,
        "GCE_REGIONS": crowd.REGION,
        "GCE_API_ENDPOINT": url,
        "GCE_CREDENTIALS": "anonymous",
        "COMPUTE_IN_FLIGHT": str(rush.places),
    }
    app = create_app(Config.from_environment(settings, "worker"), "worker")
    inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    environment = inherited | settings | {"NO_PROXY": "127.0.0.1", "DEMO": "0"}
    runners = stack.enter_context(crowd.Runners(app, folder / "door", private))
    return Scene(app, Remote(url), runners, environment, folder, stack)


def _start_cloud(folder: Path, stack: ExitStack, count: int) -> str:
    """The cloud as a program of its own; its address."""
    options = ["--behaviour", crowd.behaviour(count), "--boot", "tests.bench.booted:boot"]
    made = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.gce", *options],
        env=os.environ | {booted.DOOR: str(folder / "door")},
        cwd=machine.ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
    )
    stack.callback(made.wait)
    stack.callback(made.terminate)
    if made.stdout is None:
        raise RuntimeError("the cloud has no output")
    return made.stdout.readline().strip()


def _wait_for(scene: Scene, count: int) -> None:
    """Until every machine is claimed; long waits are what is measured, standstill is none."""
    seen, changed = 0, time.monotonic()
    while (claimed := scene.runners.claimed) < count:
        if claimed != seen:
            seen, changed = claimed, time.monotonic()
        ended = any(it.poll() is not None for it in scene.programs)
        if ended or time.monotonic() > changed + PATIENCE:
            logs = "\n".join(it.read_text()[-2000:] for it in scene.folder.glob("log-*"))
            raise RuntimeError(f"{claimed} of {count} machines are claimed\n{logs}")
        time.sleep(0.1)


def _ready(app: Flask) -> list[datetime]:
    with app.app_context():
        found = [it for it in db.session.scalars(select(Machine.claimed_at)) if it is not None]
        db.session.remove()
    return found


def _begun(cloud: Remote) -> dict[str, datetime]:
    """When the cloud took the call for each bot's first machine."""
    found: dict[str, datetime] = {}
    for it in cloud.snapshot()["instances"]:
        bot, _, generation = it["name"].removeprefix("b-").rpartition("-g")
        if generation == "1":
            found[f"bot_{bot}"] = datetime.fromisoformat(it["creationTimestamp"]).astimezone(UTC)
    return found
