"""How fast the planner's machinery turns: the ticker's looks, and steps begun and finished."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import redis
from flask import Flask
from sqlalchemy import insert, text, update

from app import create_app
from app.config import Config
from app.domain import fleet
from app.extensions import db
from app.gateways import vault
from app.gateways.compute.driver import MachineState, Outcome, Result
from app.gateways.compute.null import NullDriver
from app.jobs.ticker import Ticker
from app.models import Bot, BotAddress, BotCompute, Machine
from tests import factories, telling
from tests.bench.report import Figure, Section
from tests.services import Postgres, Valkey

DUE = 10
FLAT = 1.2
"""A tick may cost this many times what it costs for the fewest bots."""
_METHOD = (
    "One process. *Tick*: the ticker's whole look (lead, outbox, due bots, commit), once with "
    "nothing due and once with {due} bots due, whose hints go to a real Valkey. *Step*: a bot's "
    "machine looked after once, begun, committed, done by a null driver, finished, committed. "
    "SQLite in WAL mode, PostgreSQL with its durable default settings, both on this disk. "
    "Median of {rounds} rounds, of all sizes in turns."
)


def measure(sizes: tuple[int, ...], rounds: int) -> Section:
    """All sizes on each database, in turns."""
    section = Section("Planner", _METHOD.format(due=DUE, rounds=rounds))
    rows = []
    with ExitStack() as stack:
        valkey = Valkey()
        stack.callback(valkey.stop)
        for name in ("SQLite", "PostgreSQL"):
            with ExitStack() as inner:
                towns = [
                    inner.enter_context(Town(_app(_database(name, inner)), valkey.url, size))
                    for size in sizes
                ]
                told = _measure(towns, rounds)
            rows += [
                [name, f"{size:,}", *(f"{value:,.0f}" for value in rates)]
                for size, rates in zip(sizes, told, strict=True)
            ]
            for size, rates in list(zip(sizes, told, strict=True))[1:]:
                label = f"tick on {name}, {DUE} due, {size:,} bots beside {sizes[0]:,}"
                section.figures.append(Figure(label, told[0][1] / rates[1], "×", most=FLAT))
    head = ["database", "bots", "idle ticks a s", f"ticks a s, {DUE} due", "steps a s"]
    section.tables.append((head, rows))
    return section


def _database(name: str, stack: ExitStack) -> str:
    if name == "SQLite":
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        return f"sqlite:///{Path(folder) / 'plutarc.db'}"
    server = Postgres(durable=True)
    stack.callback(server.stop)
    server.execute("CREATE DATABASE plutarc")
    return server.url("plutarc")


def _app(url: str) -> Flask:
    settings = {"DATABASE_URL": url, "SEAL_PUBLIC_KEY": vault.generate()[1]}
    return create_app(Config.from_environment(settings, "worker"), "worker")


class Town:
    """So many bots in a database of their own, and a ticker for them."""

    def __init__(self, app: Flask, redis_url: str, size: int) -> None:
        self.app, self.size = app, size
        self.redis = redis.Redis.from_url(redis_url)
        self.ticker = Ticker(self.redis, "bench")

    def __enter__(self) -> Self:
        with self.app.app_context():
            db.create_all()
            self.ids = _people(self.size, factories.NOW)
            if db.engine.dialect.name == "postgresql":
                # What it does by itself within a minute after so many rows have come.
                db.session.execute(text("ANALYZE"))
            db.session.commit()
        return self

    def __exit__(self, *_: object) -> None:
        with self.app.app_context():
            db.engine.dispose()
        self.redis.flushall()
        self.redis.close()

    def idle(self, turn: int) -> None:
        """A look with nothing due."""
        self.ticker.tick(factories.NOW + timedelta(seconds=turn))

    def busy(self, turn: int) -> None:
        """A look with some due: a hint pushes a bot back by five seconds, so they are again."""
        self.ticker.tick(factories.NOW + timedelta(seconds=6 * turn))

    def step(self, turn: int) -> None:
        """A machine looked after once."""
        _step(self.ids[turn % self.size], factories.NOW)


def _measure(towns: list[Town], rounds: int) -> list[list[float]]:
    """For each: idle looks, looks with some due, and steps, all by the second."""
    idle = _rates(towns, rounds, Town.idle)
    for town in towns:
        with town.app.app_context():
            _due(town.ids[:DUE], factories.NOW)
    busy, steps = _rates(towns, rounds, Town.busy), _rates(towns, rounds, Town.step)
    return [list(rates) for rates in zip(idle, busy, steps, strict=True)]


def _people(size: int, now: datetime) -> list[str]:
    """Bots that are awake; the first is made by the verbs, the rest are copies of its rows."""
    workspace = factories.organisation(now=now)
    first = factories.bot(workspace, now=now)
    machine = telling.awake(first, now, ip="127.64.0.1")
    machine.observed_at = now - timedelta(minutes=1)
    db.session.flush()
    compute = db.session.get_one(BotCompute, first.id)
    compute.due_at = now + timedelta(days=300)
    db.session.flush()
    ids = [first.id, *(f"bot_copy{number:022}" for number in range(size - 1))]
    for kind, row, key in ((Bot, first, "id"), (BotCompute, compute, "bot_id")):
        _copy(kind, row, [{key: one} for one in ids[1:]])
    named = [
        (one, f"127.{65 + at // 65536}.{at // 256 % 256}.{at % 256}") for at, one in enumerate(ids)
    ]
    address = db.session.get_one(BotAddress, first.id)
    _copy(BotAddress, address, [{"bot_id": one, "name": one, "ip": ip} for one, ip in named[1:]])
    changes = [
        {"bot_id": one, "id": f"mch{one[3:]}", "name": one, "ip": ip} for one, ip in named[1:]
    ]
    _copy(Machine, machine, changes)
    db.session.commit()
    return ids


def _copy(kind: type[Any], row: Any, changes: list[dict[str, Any]]) -> None:
    values = {column.key: getattr(row, column.key) for column in kind.__table__.columns}
    if changes:
        db.session.execute(insert(kind), [values | change for change in changes])


def _due(ids: list[str], now: datetime) -> None:
    db.session.execute(update(BotCompute).where(BotCompute.bot_id.in_(ids)).values(due_at=now))
    db.session.commit()


def _step(bot_id: str, now: datetime) -> None:
    settings = fleet.Settings(factories.TEMPO, "http://127.0.0.1:1", in_flight=8)
    errand = fleet.begin(bot_id, now, settings)
    db.session.commit()
    if errand is None:
        raise RuntimeError(f"{bot_id} had nothing to be done")
    driver = NullDriver([Result(Outcome.DONE, machine=MachineState.RUNNING)])
    if not fleet.finish(errand, driver.do(errand.step), now):
        raise RuntimeError(f"{bot_id} was taken over")
    db.session.commit()
    # A job of the queue begins with an empty session as well.
    db.session.remove()


def _rates(towns: list[Town], rounds: int, verb: Callable[[Town, int], None]) -> list[float]:
    """Turns a second, by the median turn; in turns, so that other load falls on all alike."""
    times: list[list[float]] = [[] for _ in towns]
    for number in range(rounds):
        for town, taken in zip(towns, times, strict=True):
            with town.app.app_context():
                began = time.perf_counter()
                verb(town, number)
                taken.append(time.perf_counter() - began)
    return [1 / sorted(taken)[rounds // 2] for taken in times]
