"""The demo's desk is alive: tickets in three states, one note, one incident that is over."""

from datetime import UTC, datetime

from sqlalchemy import select

from app.domain import demo, outbox
from app.domain.status import incidents
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import Ticket, TicketNote, TicketState


def test_it_is_furnished_once(app, keys):
    now = datetime.now(UTC)
    assert demo.plant(Sealer(keys.public), now=now)
    assert not demo.plant(Sealer(keys.public), now=now)
    states = sorted(db.session.scalars(select(Ticket.state)))
    assert states == [TicketState.NEW, TicketState.RESOLVED, TicketState.WAITING_USER]
    assert len(db.session.scalars(select(TicketNote)).all()) == 1
    (past,) = incidents.past(now)
    assert incidents.minutes(past, now) == 48
    assert incidents.current() == []
    assert any(it.job == "spread_update" for it in outbox.unsent(now))
