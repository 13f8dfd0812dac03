"""When the timetable judges what of the fleet is late: not before anybody has looked."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain import fleet_alarms, leadership
from app.extensions import db
from app.jobs import queues
from app.jobs.ticker import LEASE, Ticker
from tests import factories

BEGUN = datetime.now(UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ticker(app, redis_url):
    factories.bot(factories.organisation(now=BEGUN), now=BEGUN - timedelta(hours=1))
    db.session.commit()
    return Ticker(queues.connect(redis_url), "one")


def ringing():
    return {it.kind.value for it in fleet_alarms.open_alarms()}


def test_who_begins_to_lead_lets_the_house_look_before_it_rings(ticker):
    for minutes in (0, 1):
        ticker.tick(BEGUN + minutes * MINUTE)
        assert ringing() == set()
    ticker.tick(BEGUN + 2 * MINUTE)
    assert ringing() == {"phase_deadline"}


def test_who_has_lost_the_lead_looks_anew_when_it_has_it_back(ticker):
    ticker.tick(BEGUN)
    at = BEGUN + LEASE + MINUTE
    assert leadership.take("ticker", "two", at, LEASE)
    db.session.commit()
    ticker.tick(at)
    for minutes in (2, 3):
        ticker.tick(at + minutes * MINUTE)
        assert ringing() == set()
    ticker.tick(at + 4 * MINUTE)
    assert ringing() == {"phase_deadline"}
