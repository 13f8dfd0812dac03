"""A worker is killed while it brings an update to everybody; the next one tells nobody twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.domain.status import spreading, ties
from app.extensions import db
from app.jobs import status
from app.models import (
    IncidentState,
    IncidentUpdate,
    Mail,
    OutboxMessage,
    StatusSubscriber,
    Ticket,
    TicketMessage,
)
from tests.domain.status import desk
from tests.kill.cutting import killed_at

NOW = datetime.now(UTC) - timedelta(minutes=10)
PEOPLE, TICKETS = 7, 5
CUTS = [
    *(("app/domain/status/spreading.py", line) for line in range(4, 160, 23)),
    *(("app/jobs/status.py", line) for line in range(3, 15, 2)),
]


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def engine_url(request):
    """Both databases: what a killed worker had begun is undone by each in its own way."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def update(app, monkeypatch):
    """The end of an incident, to be told to some people and tickets, three at a time."""
    monkeypatch.setattr(spreading, "AT_ONCE", 3)
    olga = desk.operator()
    incident = desk.begin(olga, now=NOW)
    for _ in range(TICKETS):
        ties.link(desk.ticket(NOW), incident, voice=desk.voice_of(olga), now=NOW)
    for number in range(PEOPLE):
        address = f"s{number}@example.org"
        db.session.add(
            StatusSubscriber(
                email=address,
                email_key=address,
                token_hash=f"{number:064}",
                asked_at=NOW,
                confirmed_at=NOW,
            )
        )
    made = desk.tell(incident, olga, IncidentState.RESOLVED, now=NOW, body="Cured.").id
    db.session.commit()
    return made


@pytest.mark.parametrize(("place", "line"), CUTS)
def test_cut_short_anywhere_everybody_is_told_once(update, place, line):
    cut = killed_at(line, place, lambda: status.spread(update))
    assert cut or line > 100, "the cut lies beyond the work"
    status.spread(update)
    status.spread(update)
    written = Counter(
        db.session.scalars(select(Mail.to_email).where(Mail.dedupe_key.startswith(update)))
    )
    assert written == Counter({f"s{number}@example.org": 1 for number in range(PEOPLE)})
    asked = select(TicketMessage.ticket_id).where(TicketMessage.key == f"incident {update}")
    told = Counter(db.session.scalars(asked))
    assert sorted(told.values()) == [1] * TICKETS
    assert set(db.session.scalars(select(Ticket.incident_id))) == {None}
    assert {it.last_seq for it in db.session.scalars(select(Ticket))} == {2}
    assert db.session.get_one(IncidentUpdate, update).spread_at is not None
    letters = set(db.session.scalars(select(Mail.id).where(Mail.dedupe_key.startswith(update))))
    hints = select(OutboxMessage.arguments).where(OutboxMessage.job == "send_mail")
    asked_for = [it["mail_id"] for it in db.session.scalars(hints)]
    assert sorted(it for it in asked_for if it in letters) == sorted(letters)
