"""The same request sent twice at the same moment opens one ticket; on both databases."""

from sqlalchemy import func, select

from app.domain.support import tickets as desk
from app.domain.support.said import Said, Wanted
from app.extensions import db
from app.models import Ticket, TicketMessage, User, Workspace
from tests import factories, tickets
from tests.factories import NOW
from tests.parallel import at_once


def test_one_key_pressed_twice_opens_one_ticket(app):
    person = factories.user()
    workspace_id, person_id = factories.organisation(person).id, person.id
    db.session.commit()

    def press():
        workspace = db.session.get_one(Workspace, workspace_id)
        owner = db.session.get_one(User, person_id)
        yield
        said, voice = Said("It is stuck.", key="web one"), tickets.voice_of(owner)
        desk.open_ticket(workspace, owner, Wanted("Stuck"), said, voice=voice, now=NOW)

    at_once(app, press, press, press)
    for row in (Ticket, TicketMessage):
        assert db.session.scalar(select(func.count()).select_from(row)) == 1
    assert db.session.get_one(Workspace, workspace_id).last_ticket_number == 1001


def test_one_key_pressed_twice_in_a_ticket_says_it_once(app):
    person = factories.user()
    ticket_id = tickets.opened(factories.organisation(person), person).id
    voice = tickets.voice_of(person)
    db.session.commit()

    def press():
        ticket = db.session.get_one(Ticket, ticket_id)
        yield
        desk.post(ticket, Said("And now?", key="web two"), voice=voice, now=NOW)

    at_once(app, press, press, press)
    ticket = db.session.get_one(Ticket, ticket_id)
    assert (ticket.last_seq, len(ticket.messages)) == (2, 2)
