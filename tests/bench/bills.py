"""How long the statement of many bots takes, on each database."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from app import create_app
from app.config import Config
from app.domain import forecast, schedule, statements
from app.domain.months import Month
from app.extensions import db
from app.gateways import vault
from app.models import Bot, Machine, Resource, UsageInterval, Wish, Workspace
from tests import factories
from tests.bench.report import Figure, Section
from tests.services import Postgres

MONTH = Month(2026, 10)
REGION = "us-central1"
SESSIONS = 22
"""Working days: a machine comes and goes that often."""

AWAKE = timedelta(hours=9)

MOST = 1.0
_METHOD = (
    "One process, one workspace, {bots} bots that each had an address all month and a machine of "
    "{sessions} sessions, each of nine hours. *Statement*: `statements.of_workspace`, every "
    "interval read, priced and added up. *Forecast*: the rest of the month by each bot's own "
    "schedule, half a month ahead. SQLite in WAL mode, PostgreSQL with its durable default "
    "settings. Medians of {rounds} rounds, by the clock, which tells of other load too, and by the "
    "processor time of this process."
)


def measure(bots: int, rounds: int) -> Section:
    """On each database."""
    section = Section("Statement", _METHOD.format(bots=bots, sessions=SESSIONS, rounds=rounds))
    rows = []
    for name in ("SQLite", "PostgreSQL"):
        with ExitStack() as inner:
            told = _measure_one(_database(name, inner), bots, rounds)
        rows.append([name, f"{bots:,}", *(f"{value:.3f}" for pair in told for value in pair)])
        label = f"statement of {bots} bots and a month on {name}, processor time"
        section.figures.append(Figure(label, round(told[0][1], 3), "s", most=MOST))
    head = ("statement, s", "CPU, s", "forecast, s", "CPU, s")
    section.tables.append((["database", "bots", *head], rows))
    return section


def _database(name: str, stack: ExitStack) -> str:
    if name == "SQLite":
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        return f"sqlite:///{Path(folder) / 'plutarc.db'}"
    server = Postgres(durable=True)
    stack.callback(server.stop)
    server.execute("CREATE DATABASE plutarc")
    return server.url("plutarc")


def _measure_one(url: str, bots: int, rounds: int) -> list[tuple[float, float]]:
    settings = {"DATABASE_URL": url, "SEAL_PUBLIC_KEY": vault.generate()[1]}
    app = create_app(Config.from_environment(settings, "worker"), "worker")
    with app.app_context():
        try:
            db.create_all()
            workspace = _furnish(bots)
            half = MONTH.start + (MONTH.end - MONTH.start) / 2
            told = statements.of_workspace(workspace, MONTH, half)
            whole = _median(rounds, lambda: statements.of_workspace(workspace, MONTH, MONTH.end))
            ahead = _median(
                rounds, lambda: forecast.of_month(told, workspace, half, factories.TEMPO)
            )
            return [whole, ahead]
        finally:
            db.session.remove()
            db.engine.dispose()


def _furnish(bots: int) -> Workspace:
    """The first bot is made by the verbs, the rest are copies of its row."""
    workspace = factories.organisation(now=MONTH.start)
    first = factories.bot(workspace, now=MONTH.start)
    first.region, first.wish = REGION, Wish.FOLLOW
    db.session.flush()
    ids = [first.id, *(f"bot_copy{number:022}" for number in range(bots - 1))]
    values = {column.key: getattr(first, column.key) for column in Bot.__table__.columns}
    values |= {"workspace_id": workspace.id}
    db.session.execute(
        insert(Bot),
        [values | {"id": one, "name": one, "schedule": _plan(n)} for n, one in enumerate(ids[1:])],
    )
    machines, usage = [], []
    for one in ids:
        own = {"workspace_id": workspace.id, "bot_id": one, "region": REGION}
        usage.append(own | _span(Resource.ADDRESS, one, None, MONTH.start, None))
        for turn in range(SESSIONS):
            start = MONTH.start + timedelta(days=turn, hours=8)
            machines.append(own | _machine(one, turn + 1, start))
            usage.append(own | _span(Resource.MACHINE, one, turn + 1, start, start + AWAKE))
    db.session.execute(insert(Machine), machines)
    db.session.execute(insert(UsageInterval), usage)
    db.session.commit()
    return workspace


def _plan(number: int) -> dict[str, Any]:
    """No two bots have the same hours: none profits from another's forecast."""
    opens, closes = f"08:{number % 60:02}:{number // 60:02}", "17:00"
    return schedule.Schedule(
        "Europe/Berlin", (schedule.session([0, 1, 2, 3, 4], opens, closes),)
    ).to_plain()


def _machine(bot_id: str, generation: int, start: Any) -> dict[str, Any]:
    return {
        "id": f"mch_{generation}_{bot_id[4:]}"[:40],
        "generation": generation,
        "name": f"{bot_id}-{generation}",
        "machine_type": "e2-micro",
        "ip": "203.0.113.1",
        "token_hash": "0" * 64,
        "created_at": start,
        "gone_at": start + AWAKE,
    }


def _span(
    resource: Resource, bot_id: str, generation: int | None, start: Any, end: Any
) -> dict[str, Any]:
    return {
        "id": f"u{generation or 0}_{bot_id[4:]}"[:40],
        "resource": resource,
        "generation": generation,
        "started_at": start,
        "ended_at": end,
    }


def _median(rounds: int, turn: Callable[[], object]) -> tuple[float, float]:
    """By the clock and by the processor; each round begins empty, as a request does."""
    times = []
    for _ in range(rounds):
        db.session.expire_all()
        began, worked = time.perf_counter(), time.process_time()
        turn()
        times.append((time.perf_counter() - began, time.process_time() - worked))
    walls, works = zip(*times, strict=True)
    return statistics.median(walls), statistics.median(works)
