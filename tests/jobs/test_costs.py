"""The timetable has a worker write what a month came to, whoever leads; it is written once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from sqlalchemy import select

from app.domain import statement_letters
from app.extensions import db
from app.jobs import costs, queues
from app.jobs.ticker import LEASE, Ticker
from app.models import OutboxMessage
from tests.domain.test_budgets import BASE, Desk, letters

CLOSED = datetime(2026, 12, 1, 2, tzinfo=UTC)


@pytest.fixture
def desk(app):
    desk = Desk()
    desk.confirmed()
    desk.spend(70)
    db.session.commit()
    return desk


def asked():
    query = select(OutboxMessage.arguments).where(OutboxMessage.job == statement_letters.JOB)
    return [arguments["place"] for arguments in db.session.scalars(query)]


def test_two_tickers_that_lead_in_turn_have_it_written_once(desk, redis_url):
    connection, place = queues.connect(redis_url), desk.workspace.id
    for number, holder in enumerate(("first", "second")):
        ticker = Ticker(connection, holder)
        ticker.tick(CLOSED + number * (LEASE + timedelta(seconds=1)))
        Ticker(connection, "third").tick(CLOSED + number * (LEASE + timedelta(seconds=1)))
    assert asked() == [place, place], "the second leader cannot know what the first one asked for"
    for _ in asked():
        statement_letters.send(place, CLOSED, BASE)
        db.session.commit()
    assert Counter(it.to_email for it in letters("statement")) == {"bills@example.com": 1}
    Ticker(connection, "fourth").tick(CLOSED + timedelta(hours=1))
    assert len(asked()) == 2, "nobody is left to be written"


def test_every_job_that_may_be_asked_for_is_there():
    for name, path in queues.JOBS.items():
        module, _, function = path.rpartition(".")
        assert callable(getattr(import_module(module), function)), name
    assert queues.JOBS[statement_letters.JOB] == f"{costs.__name__}.send_statement"
