"""A thread is read with the same few queries, however long it is."""

from sqlalchemy import event

from app.domain.support import thread
from app.extensions import db
from app.models import Ticket
from tests import factories, tickets


def queries(ticket_id):
    """What reading a thread with its files sends to the database."""
    sent = []

    def note(_connection, _cursor, statement, *_):
        sent.append(statement)

    db.session.expunge_all()
    ticket = db.session.get_one(Ticket, ticket_id)
    event.listen(db.engine, "before_cursor_execute", note)
    entries = thread.of(ticket)
    thread.people(entries)
    assert not [it.message.files for it in entries if it.message and it.message.files]
    event.remove(db.engine, "before_cursor_execute", note)
    return sent


def test_a_longer_thread_asks_no_more_of_the_database(app):
    person = factories.user()
    ticket = tickets.opened(factories.organisation(person), person)
    db.session.commit()
    ticket_id, few = ticket.id, len(queries(ticket.id))
    ticket = db.session.get_one(Ticket, ticket_id)
    for number in range(4):
        tickets.answered(ticket, f"{number}")
    db.session.commit()
    assert len(queries(ticket_id)) == few
