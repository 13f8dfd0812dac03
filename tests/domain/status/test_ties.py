"""Tickets tied to incidents: held open, seen by their owner, suggested by time and exchange."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import Conflict
from app.domain.status import components, ties
from app.domain.support import events, moves, tickets
from app.domain.support.said import Said
from app.extensions import db
from app.models import IncidentState, TicketEvent, TicketState
from tests import factories
from tests.domain.status import desk
from tests.factories import NOW

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def olga(app):
    return desk.operator()


@pytest.fixture
def voice(olga):
    return desk.voice_of(olga)


def waiting(voice):
    """A ticket that waits for its owner, its clock running."""
    made = desk.ticket()
    tickets.post(made, Said("Is it still so?"), voice=voice, now=NOW)
    assert made.close_due_at is not None
    return made


def replayed(ticket):
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id)
    return events.replay(db.session.scalars(query.order_by(TicketEvent.seq)).all())


def test_tied_nothing_closes_it_and_let_go_the_clock_begins_anew(olga, voice):
    incident, ticket = desk.begin(olga), waiting(voice)
    ties.link(ticket, incident, voice=voice, now=LATER)
    assert (ticket.warn_due_at, ticket.close_due_at) == (None, None)
    assert replayed(ticket)["incident_id"] == incident.id
    assert (incident.tickets, incident.first_report_at) == (1, NOW)
    ties.unlink(ticket, voice=voice, now=LATER)
    assert ticket.close_due_at == LATER + timedelta(days=7)
    assert replayed(ticket)["incident_id"] is None
    assert (incident.tickets, incident.first_report_at) == (0, None)


def test_doing_it_twice_leaves_one_event_each(olga, voice):
    incident, ticket = desk.begin(olga), desk.ticket()
    for _ in range(2):
        ties.link(ticket, incident, voice=voice, now=LATER)
    for _ in range(2):
        ties.unlink(ticket, voice=voice, now=LATER)
    query = select(TicketEvent.action).where(TicketEvent.ticket_id == ticket.id)
    told = db.session.scalars(query.order_by(TicketEvent.seq)).all()
    assert told == ["ticket.open", "ticket.tie", "ticket.untie"]


def test_a_ticket_moves_from_one_incident_to_another(olga, voice):
    first, second, ticket = desk.begin(olga), desk.begin(olga), desk.ticket()
    ties.link(ticket, first, voice=voice, now=LATER)
    ties.link(ticket, second, voice=voice, now=LATER)
    assert ties.tied(second) == [ticket]
    assert (first.tickets, second.tickets) == (0, 1)


def test_neither_an_ended_incident_nor_a_merged_ticket_is_tied(olga, voice):
    incident, ticket = desk.begin(olga), desk.ticket()
    desk.tell(incident, olga, IncidentState.RESOLVED)
    with pytest.raises(Conflict, match="over"):
        ties.link(ticket, incident, voice=voice, now=LATER)
    ticket.state = TicketState.MERGED
    db.session.flush()
    with pytest.raises(Conflict, match="merged"):
        ties.link(ticket, desk.begin(olga), voice=voice, now=LATER)


def test_suggested_by_exchange_and_time(olga, voice):
    bot = factories.bot(factories.organisation())
    about = desk.ticket(bot=bot)
    early = desk.ticket(NOW - timedelta(minutes=16), bot=bot)
    without, solved = desk.ticket(), desk.ticket(bot=bot)
    moves.resolve(solved, voice=voice, now=NOW)
    there = desk.begin(olga, hits=[components.exchange_key("practice")])
    assert ties.suggested(there) == [about]
    bot.exchange = "moon"
    db.session.flush()
    assert ties.suggested(there) == []
    platform = desk.begin(olga)
    assert set(ties.suggested(platform)) == {about, without}
    assert early not in ties.suggested(platform)
    ties.link(about, platform, voice=voice, now=LATER)
    assert ties.suggested(platform) == [without]


def test_likely_incidents_come_first(olga):
    bot = factories.bot(factories.organisation())
    ticket = desk.ticket(bot=bot)
    here = desk.begin(olga, "Here", hits=[components.exchange_key("practice")])
    desk.begin(olga, "Later", began_at=NOW + timedelta(hours=1), now=NOW + timedelta(hours=1))
    found = ties.choices(ticket)
    assert [(it.incident.title, it.likely) for it in found] == [("Here", True), ("Later", False)]
    assert found[0].incident == here
