"""Decisions that stood in rows of their own are read from blocks after the upgrade."""

import json
from datetime import timedelta
from decimal import Decimal

import flask_migrate
from sqlalchemy import text

from app import tenancy
from app.domain.decisions import keep, reading
from app.domain.decisions.reading import Wanted
from app.domain.sources import Source
from app.extensions import db
from app.models import Bot, DecisionBlock
from runner.protocol import Candle, Decision, Mode
from tests import factories
from tests.factories import NOW

BEFORE = "0014"
SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT")
SAID = [{"component": "adx", "role": "gate", "value": 0, "detail": "ADX is 3.1, 5 passes"}]
WORDS = "score 1, but adx blocks: ADX is 3.1, 5 passes"


def older_row(run, symbol, number, span=timedelta(minutes=1)):
    at = NOW + number * span
    sqlite = db.engine.dialect.name == "sqlite"
    values = {
        "w": run.workspace_id,
        "b": run.bot_id,
        "r": run.id,
        "s": symbol,
        "at": at.replace(tzinfo=None) if sqlite else at,
        "close": "100.50" if sqlite else Decimal("100.50"),
        "words": WORDS if number % 2 else "no signal (score 0)",
        "said": json.dumps(SAID),
    }
    said = ":said" if sqlite else "CAST(:said AS jsonb)"
    db.session.execute(
        text(
            "INSERT INTO decision (workspace_id, bot_id, run_id, symbol, candle_at, close, action, "
            f"reason, verdicts) VALUES (:w, :b, :r, :s, :at, :close, 'none', :words, {said})"
        ),
        values,
    )


def test_rows_become_blocks_and_are_added_to(app):
    run = factories.run(factories.bot(factories.organisation(), mode=Mode.PAPER))
    db.session.commit()
    flask_migrate.downgrade(revision=BEFORE)
    with tenancy.everywhere("to write"):
        for symbol, count in zip(SYMBOLS, (300, 7), strict=True):
            for number in range(count):
                older_row(run, symbol, number)
        older_row(run, "DOGE/USDT:USDT", 0, timedelta(days=1))
        older_row(run, "DOGE/USDT:USDT", 31, timedelta(days=1))
        db.session.commit()
        before = db.session.execute(text("SELECT count(*) FROM decision")).scalar_one()
        db.session.commit()
    flask_migrate.upgrade()
    with tenancy.everywhere("to look"):
        lines = reading.newest(Wanted(run.bot_id), 10**6)
        assert len(lines) == before == 309
        first = [it for it in lines if it.symbol == SYMBOLS[0]][::-1]
        assert [it.row.candle_at for it in first] == [
            NOW + n * timedelta(minutes=1) for n in range(300)
        ]
        assert {str(it.row.close) for it in lines} == {"100.50"}
        assert [it.row.code for it in first] == [5, 7] * 150
        assert first[1].row.reason == WORDS
        assert vars_of(first[1].row.verdicts) == SAID
        counted = db.session.query(DecisionBlock.symbol, DecisionBlock.candles).all()
        assert sorted(counted) == [
            *((SYMBOLS[0], 60), (SYMBOLS[0], 120), (SYMBOLS[0], 120)),
            *(("DOGE/USDT:USDT", 1), ("DOGE/USDT:USDT", 1)),
            (SYMBOLS[1], 7),
        ]
        source = Source(db.session.get_one(Bot, run.bot_id), None, run.id, 0, NOW)
        for number in (299, 300):
            bar = Candle(NOW + number * timedelta(minutes=1), *[Decimal(1)] * 5)
            keep.take(source, Decision(SYMBOLS[0], bar, "none", "paused", (), 8, blocked="paused"))
        assert len(reading.newest(Wanted(run.bot_id), 10**6)) == 310
        found = reading.newest(Wanted(run.bot_id, blocker="adx"), 10**6)
        assert len(found) == 153 + 1
        db.session.rollback()
    flask_migrate.downgrade(revision=BEFORE)
    with tenancy.everywhere("to look"):
        query = "SELECT count(*), count(DISTINCT candle_at) FROM decision"
        assert db.session.execute(text(query)).one() == (309, 301)
        db.session.rollback()
    flask_migrate.upgrade()


def vars_of(verdicts):
    return [
        {"component": it.component, "role": it.role, "value": it.value, "detail": it.detail}
        for it in verdicts
    ]
