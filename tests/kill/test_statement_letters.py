"""A worker is killed while it writes what a month came to; the next one writes nobody twice."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.domain import statement_letters
from app.extensions import db
from app.models import BillingContact, Mail
from tests.domain.test_budgets import BASE, Desk
from tests.kill.cutting import killed_at

CLOSED = datetime(2026, 12, 1, 2, tzinfo=UTC)
CUTS = [
    *(("app/domain/statement_letters.py", line) for line in range(2, 26, 3)),
    *(("app/domain/billing_contacts.py", line) for line in range(2, 26, 4)),
]


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def engine_url(request):
    """Both databases: what a killed worker had begun is undone by each in its own way."""
    return request.getfixturevalue(request.param)


def write(place):
    statement_letters.send(place, CLOSED, BASE)
    db.session.commit()


def test_cut_short_anywhere_each_is_written_once(app):
    desk = Desk()
    for number in range(3):
        desk.confirmed(f"n{number}@example.com")
    desk.spend(70)
    db.session.commit()
    place, came = desk.workspace.id, 0
    for where, line in CUTS:
        db.session.query(Mail).filter(Mail.letter == "statement").delete()
        db.session.query(BillingContact).update({"told_month": ""})
        db.session.commit()
        came += killed_at(line, where, lambda: write(place))
        write(place)
        found = db.session.scalars(select(Mail.to_email).where(Mail.letter == "statement"))
        assert Counter(found) == {f"n{number}@example.com": 1 for number in range(3)}, (where, line)
        db.session.rollback()
    assert came >= len(CUTS) - 2, "most cuts hit"
