"""What the owner of a ticket alone does: seeing it, and mending the own last words."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import inbox
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.support import moves, owning, thread
from app.extensions import db
from app.models import (
    AuditEvent,
    Channel,
    MessageEdit,
    Role,
    TicketEvent,
    TicketMessage,
    TicketState,
    Workspace,
)
from app.web import ticket_words
from tests import factories, tickets
from tests.factories import NOW

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def ticket(app):
    person = factories.user()
    made = tickets.opened(factories.organisation(person), person)
    made.person = person
    db.session.commit()
    return made


def last(ticket):
    found = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
    return db.session.scalars(found.order_by(TicketMessage.seq.desc())).first()


def edit(ticket, body, *, person=None, now=LATER):
    voice = tickets.voice_of(person or ticket.person)
    owning.edit(ticket, last(ticket), body, voice=voice, now=now)


def test_other_words_keep_the_old_ones_and_leave_one_event_in_each_ledger(ticket):
    before = ticket.version
    edit(ticket, "It is stuck again.")
    edit(ticket, "It is stuck once more.", now=LATER + timedelta(minutes=1))
    db.session.commit()
    assert last(ticket).body == "It is stuck once more."
    assert last(ticket).seq == ticket.last_seq == 1
    (entry,) = thread.of(ticket)[:1]
    assert [it.body for it in entry.earlier] == ["It is stuck.", "It is stuck again."]
    assert ticket.version == before + 2
    for ledger, column in (
        (AuditEvent, AuditEvent.target_id),
        (TicketEvent, TicketEvent.ticket_id),
    ):
        found = select(ledger).where(column == ticket.id, ledger.action == "ticket.edit")
        assert len(db.session.scalars(found).all()) == 2


def test_the_same_words_change_nothing(ticket):
    edit(ticket, "It is stuck. ")
    assert last(ticket).edited_at is None
    assert not db.session.scalars(select(MessageEdit)).all()


def test_an_edit_has_its_time(ticket):
    with pytest.raises(Refused, match="15 minutes"):
        edit(ticket, "x", now=NOW + owning.EDITABLE_FOR + timedelta(seconds=1))
    edit(ticket, "x", now=NOW + owning.EDITABLE_FOR)
    assert last(ticket).body == "x"


def test_nobody_else_s_words_are_changed(ticket):
    other = factories.joined(workspace_of(ticket), Role.ADMIN)
    with pytest.raises(Refused, match="your own"):
        edit(ticket, "I said nothing", person=other)
    tickets.answered(ticket)
    with pytest.raises(Refused, match="your own"):
        edit(ticket, "We give up", now=NOW)


def workspace_of(ticket):
    return db.session.get_one(Workspace, ticket.workspace_id)


def test_only_the_last_message_of_a_living_ticket_is_changed(ticket):
    first = last(ticket)
    tickets.answered(ticket)
    with pytest.raises(Refused, match="newer message"):
        owning.edit(ticket, first, "x", voice=tickets.voice_of(ticket.person), now=LATER)
    tickets.wrote(ticket, ticket.person, now=LATER)
    moves.resolve(ticket, voice=tickets.voice_of(ticket.person), now=LATER)
    with pytest.raises(Refused, match="is over"):
        edit(ticket, "x")


def test_what_came_by_mail_or_was_taken_out_is_not_changed(ticket):
    message = last(ticket)
    message.redacted_at, message.body = LATER, ""
    with pytest.raises(Refused, match="taken out"):
        edit(ticket, "x")
    message.redacted_at, message.channel = None, Channel.EMAIL
    with pytest.raises(Refused, match="written here"):
        edit(ticket, "x")


def test_a_message_is_not_emptied(ticket):
    with pytest.raises(Invalid):
        edit(ticket, " \n ")


def test_seeing_counts_up_and_never_down_and_reads_the_inbox(ticket):
    tickets.answered(ticket, "one")
    tickets.answered(ticket, "two")
    db.session.commit()
    assert inbox.unread(ticket.person, ticket.workspace_id) == 2
    for seq, seen in ((2, 2), (1, 2), (99, 3)):
        owning.see(ticket, seq, ticket.person, LATER)
        assert ticket.seen_seq == seen
    assert inbox.unread(ticket.person, ticket.workspace_id) == 0


def test_another_one_s_look_counts_for_nobody(ticket):
    tickets.answered(ticket)
    owning.see(ticket, 2, factories.user("Adam"), LATER)
    assert ticket.seen_seq == 1


def test_the_thread_tells_who_did_what_in_the_order_it_happened(ticket):
    mine, desk = tickets.voice_of(ticket.person), tickets.desk_voice()
    tickets.answered(ticket, "Try again", now=NOW - timedelta(hours=1))  # a clock that went back
    moves.resolve(ticket, voice=mine, now=LATER)
    tickets.wrote(ticket, ticket.person, "No", now=LATER)
    moves.hold(ticket, voice=desk, now=LATER)
    moves.need_help(ticket, voice=mine, now=LATER)
    tickets.answered(ticket, "There", now=LATER, then=TicketState.RESOLVED)
    moves.reopen(ticket, voice=mine, now=LATER)
    moves.move(
        ticket,
        TicketState.CLOSED,
        "ticket.close",
        voice=tickets.TIMER,
        now=LATER,
        reason="Nobody answered for seven days.",
    )
    me = ticket.person.id
    told = []
    for entry in thread.of(ticket):
        told += [entry.message.body] if entry.message else []
        told += [it] if (it := ticket_words.told(entry.event, me, {})) else []
    assert told == [
        "It is stuck.",
        "Try again",
        "You marked it solved.",
        "No",
        "This message reopened it.",
        "Support put it on hold.",
        "You still need help.",
        "There",
        "Support marked it solved with this message.",
        "You reopened it.",
        "The timer closed it. Nobody answered for seven days.",
    ]
    assert [it.message.seq for it in thread.of(ticket) if it.message] == [1, 2, 3, 4]


def test_still_needing_help_reopens_what_is_over_within_the_same_bounds(ticket):
    mine = tickets.voice_of(ticket.person)
    moves.resolve(ticket, voice=mine, now=NOW)
    moves.need_help(ticket, voice=mine, now=LATER)
    assert (ticket.state, ticket.reopen_count) == (TicketState.OPEN, 1)
    moves.resolve(ticket, voice=mine, now=LATER)
    with pytest.raises(Refused, match="30 days"):
        moves.need_help(ticket, voice=mine, now=LATER + timedelta(days=31))


def test_a_merged_ticket_is_not_reopened_by_needing_help(ticket):
    other = tickets.opened(workspace_of(ticket), ticket.person, "Again")
    moves.merge(ticket, other, voice=tickets.desk_voice(), now=LATER)
    with pytest.raises(Conflict, match="merged"):
        moves.need_help(ticket, voice=tickets.voice_of(ticket.person), now=LATER)
