"""The ticker is killed at lines around what it hands over; its successor loses no hint."""

import secrets
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.domain import fleet, outbox
from app.extensions import db
from app.jobs import queues
from app.jobs.ticker import LEASE, Ticker
from app.models.outbox import OutboxMessage
from tests import factories
from tests.kill.cutting import killed_at

TICKER, QUEUES = "app/jobs/ticker.py", "app/jobs/queues.py"
CUTS = [*((TICKER, n) for n in range(1, 32, 2)), *((QUEUES, n) for n in range(1, 7))]


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def engine_url(request):
    return request.getfixturevalue(request.param)


def tick(url, now):
    return Ticker(queues.connect(url), secrets.token_hex(4)).tick(now)


@pytest.mark.parametrize(("place", "line"), CUTS)
def test_what_a_killed_ticker_had_in_hand_is_handed_over(app, redis_url, place, line):
    now = datetime.now(UTC)
    bot = factories.bot(factories.organisation(now=now), now=now).id
    outbox.put("mail", "send_mail", now=now, mail_id="mail_a")
    db.session.commit()
    assert killed_at(line, place, lambda: tick(redis_url, now))

    tick(redis_url, now + LEASE + timedelta(seconds=6))
    connection = queues.connect(redis_url)
    asked = [
        job.kwargs for name in queues.QueueName for job in queues.open_queue(name, connection).jobs
    ]
    # Twice is as good as once: a job looks at the rows and decides anew.
    assert 1 <= asked.count({"bot_ids": bot}) <= 2
    assert 1 <= asked.count({"mail_id": "mail_a"}) <= 2
    assert len(asked) <= 4
    unsent = select(func.count()).where(OutboxMessage.sent_at.is_(None))
    assert db.session.scalar(unsent) == 0
    assert fleet.due(now + LEASE + timedelta(seconds=7)) == []
