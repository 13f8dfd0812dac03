"""What a bot's decision log takes: bytes a candle at rest, time to keep one, time to count them."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select, text

from app import tenancy
from app.domain import ingest
from app.domain.decisions import funnels, keep, reading
from app.domain.decisions.reading import Wanted
from app.extensions import db
from app.models import DecisionBlock
from runner.engine import Engine
from runner.protocol import Decision, Event, EventKind, dumps, to_plain
from runner.strategy.spec import Holding
from tests import factories, site, telling
from tests.bench.backtests import MOST_BYTES, RULES, walk
from tests.bench.report import Figure, Section
from tests.services import Postgres

SYMBOL, TABLE = "BTC/USDT:USDT", "decision_block"
_BATCH, _TIDIED, _HELD, _WARM, _COPIES = 20, 500, 30, 1_000, 29
_METHOD = (
    "{candles:,} candles of one minute, a seeded random walk, through a strategy of five "
    "components and three exits that holds a position for 30 candles after each entry; each "
    "decision as a runner tells it, through the gate's intake in batches of {batch}. Bytes are of "
    "the table with its indexes, once its blocks were copied for {copies} more symbols: SQLite's "
    "pages by `dbstat`, PostgreSQL's `pg_total_relation_size` with a plain VACUUM after every "
    "{tidied} candles, as autovacuum does. Every word of every candle is kept, and compared with "
    "what was told. *On the wire* is the JSON of the event, which the runner's disk holds until it "
    "is acknowledged."
)


@dataclass(frozen=True)
class Measured:
    """Bytes a candle, and processor time in milliseconds."""

    name: str
    size: float
    take: float
    count: float
    page: float


def measure(candles: int) -> Section:
    """On both databases."""
    told = decided(candles)
    method = _METHOD.format(candles=candles, batch=_BATCH, tidied=_TIDIED, copies=_COPIES)
    section = Section("Decision log", method)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        found.append(_kept("SQLite", site.build(Path(folder)), told))
        server = Postgres(durable=True)
        try:
            server.execute("CREATE DATABASE decisions")
            app = site.build(Path(folder) / "pg", server.url("decisions"))
            with app.app_context():
                db.create_all()
            found.append(_kept("PostgreSQL", app, told))
        finally:
            server.stop()
    wire = sum(len(dumps(one)) for one in told) / len(told)
    section.figures = [
        Figure(f"stored, {one.name}", one.size, "bytes per candle", most=MOST_BYTES)
        for one in found
    ]
    section.figures.append(Figure("on the wire", wire, "bytes per candle"))
    head = ["database", "bytes per candle", "keep one, ms", "count all, ms", "newest 60, ms"]
    rows = [[it.name, *(f"{v:.1f}" for v in (it.size, it.take, it.count, it.page))] for it in found]
    section.tables.append((head, rows))
    return section


def decided(count: int) -> list[Decision]:
    """What a runner tells of so many candles."""
    columns, engine = walk(count + _WARM), Engine(RULES["five"])
    engine.warm(columns.candle(place) for place in range(_WARM))
    told, entry, age = [], None, 0
    for place in range(_WARM, _WARM + count):
        candle = columns.candle(place)
        holding = Holding(1, entry, age) if entry is not None else None
        made = engine.on_candle(candle, holding, None)
        if made.action.startswith("enter"):
            entry, age = candle.close, 0
        elif entry is not None:
            age += 1
            entry = None if made.action == "exit" or age >= _HELD else entry
        told.append(
            Decision(
                *(SYMBOL, candle, made.action, made.reason, made.verdicts),
                *(int(made.code), made.direction, made.blocker, made.blocked),
            )
        )
    return told


def _kept(name: str, app: Flask, told: list[Decision]) -> Measured:
    with app.app_context(), tenancy.everywhere("to measure"):
        now = datetime.now(UTC)
        bot = factories.bot(factories.organisation(), now=now)
        machine = telling.awake(bot, now)
        db.session.commit()
        spent = 0.0
        for first in range(0, len(told), _BATCH):
            spent += _take(bot, machine, told[first : first + _BATCH], now)
            if first % _TIDIED == 0:
                _tidy()
        whole = Wanted(bot.id)
        lines = reading.newest(whole, len(told))[::-1]
        if [line.row for line in lines] != [keep.judged(one) for one in told]:
            raise RuntimeError(f"{name} did not keep what was told")
        counted, count = _timed(
            lambda: funnels.summary(
                bot,
                funnels.asked(
                    bot, bot.mode, "version", told[0].candle.opened_at + timedelta(days=1)
                ),
            )
        )
        if counted.counts["candles"] != len(told):
            raise RuntimeError(f"{name} counted {counted.counts['candles']} candles")
        _, page = _timed(lambda: reading.newest(whole, 60))
        _copy(bot.id)
        size = _size() / len(told) / (_COPIES + 1)
        return Measured(name, size, spent / len(told) * 1e3, count, page)


def _copy(bot_id: str) -> None:
    """The same blocks for more symbols, so that what a table takes when empty does not count."""
    names = ("workspace_id", "bot_id", "run_id", "first_at", "last_at", "candles", "counts", "body")
    for block in list(db.session.scalars(select(DecisionBlock).filter_by(bot_id=bot_id))):
        same = {name: getattr(block, name) for name in names}
        for number in range(_COPIES):
            db.session.add(DecisionBlock(**same, symbol=f"C{number:02}/USDT:USDT"))
    _tidy()


def _take(bot: Any, machine: Any, told: list[Decision], now: datetime) -> float:
    first = machine.ack_seq + 1
    batch = tuple(
        Event(seq, EventKind.DECISION, now, to_plain(one)) for seq, one in enumerate(told, first)
    )
    began = time.process_time()
    ingest.take(bot, machine, batch, now)
    db.session.commit()
    return time.process_time() - began


def _timed(work: Any) -> tuple[Any, float]:
    db.session.rollback()
    began = time.process_time()
    found = work()
    return found, (time.process_time() - began) * 1e3


def _tidy() -> None:
    db.session.commit()
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as link:
            link.exec_driver_sql(f"VACUUM {TABLE}")


def _size() -> int:
    if db.engine.dialect.name == "postgresql":
        query = f"SELECT pg_total_relation_size('{TABLE}')"
    else:
        names = [f"'{TABLE}'", *(f"'{it.name}'" for it in DecisionBlock.__table__.indexes)]
        automatic = f"name LIKE 'sqlite_autoindex_{TABLE}_%'"
        query = f"SELECT sum(pgsize) FROM dbstat WHERE name IN ({', '.join(names)}) OR {automatic}"
    return int(db.session.execute(text(query)).scalar_one())


if __name__ == "__main__":
    print("\n".join(measure(int(sys.argv[1])).lines()))
