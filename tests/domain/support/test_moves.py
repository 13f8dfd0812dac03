"""What people do to a ticket beside writing in it: each move, its one event, its refusals."""

import itertools
from functools import partial

import pytest

from app.domain.errors import Conflict, DomainError, Invalid, Refused
from app.domain.support import brakes, moves, notes, states
from app.domain.support.tickets import settle
from app.extensions import db
from app.models import (
    AuthorKind,
    DeskEvent,
    NoteMention,
    Notice,
    TicketCategory,
    TicketNote,
    TicketPriority,
    TicketState,
)
from tests import factories
from tests.domain.support.scene import DAY, Scene, audited, count, ledger, replayed, told
from tests.factories import NOW

VERBS = {
    "resolve": moves.resolve,
    "close": partial(moves.close, reason="enough"),
    "hold": moves.hold,
    "need_help": moves.need_help,
    "reopen": moves.reopen,
}


@pytest.fixture
def scene(app, monkeypatch):
    """Nobody counts here how much is opened."""
    monkeypatch.setattr(brakes, "open_another", lambda *_: None)
    return Scene()


def in_state(scene, state):
    """A ticket that came there by the verbs."""
    ticket = scene.open()
    if state is TicketState.MERGED:
        moves.merge(ticket, scene.open(), voice=scene.desk(), now=NOW)
    elif state is TicketState.OPEN:
        scene.answer(ticket, NOW, then=TicketState.OPEN)
    elif state is not TicketState.NEW:
        moves.move(ticket, state, "ticket.test", voice=scene.desk(), now=NOW)
    return ticket


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
def test_every_verb_from_every_state_leaves_one_event_or_nothing(scene):
    for state, verb in itertools.product(TicketState, VERBS):
        ticket = in_state(scene, state)
        before, events = ticket.state, len(ledger(ticket))
        try:
            VERBS[verb](ticket, voice=scene.desk(), now=NOW)
        except DomainError:
            assert ticket.state is before
        after = len(ledger(ticket))
        assert after - events == (ticket.state is not before), f"{verb} from {state}"
        assert len(audited(ticket)) == after
        assert replayed(ticket)


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
def test_what_the_table_does_not_allow_is_refused(scene):
    for before, after in itertools.product(TicketState, TicketState):
        ticket = in_state(scene, before)
        if after is before or after in states.MOVES[before]:
            states.check(ticket, after)
        else:
            with pytest.raises(Conflict):
                states.check(ticket, after)


def test_saying_it_twice_is_saying_it_once(scene):
    ticket = scene.waiting()
    for _ in range(3):
        moves.resolve(ticket, voice=scene.user(), now=NOW)
    for _ in range(3):
        moves.reopen(ticket, voice=scene.user(), now=NOW) if ticket.over else None
        moves.need_help(ticket, voice=scene.user(), now=NOW)
    assert told(ticket) == ["ticket.open", "ticket.reply", "ticket.resolve", "ticket.reopen"]
    assert ticket.reopen_count == 1


def test_who_still_needs_help_waits_for_the_desk_again(scene):
    ticket = scene.waiting()
    moves.need_help(ticket, voice=scene.user("email"), now=NOW)
    assert (ticket.state, ticket.warn_due_at, ticket.close_due_at) == ("open", None, None)
    fresh = scene.open()
    moves.need_help(fresh, voice=scene.user(), now=NOW)
    assert (fresh.state, told(fresh)) == ("new", ["ticket.open"])


@pytest.mark.parametrize("verb", ["reopen", "need_help"])
def test_thirty_days_after_its_end_nothing_reopens_it(scene, verb):
    ticket = scene.waiting()
    moves.close(ticket, "enough", voice=scene.desk(), now=NOW)
    with pytest.raises(Refused, match="new ticket"):
        VERBS[verb](ticket, voice=scene.user(), now=NOW + 31 * DAY)
    VERBS[verb](ticket, voice=scene.user(), now=NOW + 30 * DAY)
    assert ticket.state is TicketState.OPEN


def test_what_is_not_over_and_what_was_merged_is_not_reopened(scene):
    first, second = scene.open(), scene.open()
    with pytest.raises(Conflict):
        moves.reopen(first, voice=scene.user(), now=NOW)
    moves.merge(first, second, voice=scene.desk(), now=NOW)
    for verb in ("reopen", "need_help", "resolve", "close", "hold"):
        with pytest.raises(Conflict):
            VERBS[verb](first, voice=scene.desk(), now=NOW)


def test_its_end_keeps_when_and_why_its_owner_reads(scene):
    ticket = scene.waiting()
    moves.close(ticket, "A double of T-1", voice=scene.desk(), now=NOW + DAY)
    assert (ticket.closed_at, ticket.close_reason) == (NOW + DAY, "A double of T-1")
    assert ledger(ticket)[-1].reason == "A double of T-1"
    with pytest.raises(Invalid):
        moves.close(scene.open(), "x" * 301, voice=scene.desk(), now=NOW)


def test_category_and_priority_are_corrected_in_one_event(scene):
    ticket = scene.open()
    wanted = {"category": TicketCategory.BOT, "priority": TicketPriority.URGENT}
    for _ in range(2):
        moves.sort(ticket, **wanted, voice=scene.desk(), now=NOW)
    assert told(ticket) == ["ticket.open", "ticket.sort"]
    assert (ticket.asked_priority, ticket.priority) == ("normal", "urgent")
    assert replayed(ticket)


def test_only_tickets_of_one_owner_are_merged(scene):
    first, second = scene.open(), scene.open()
    with pytest.raises(Invalid):
        moves.merge(first, first, voice=scene.desk(), now=NOW)
    second.opened_by = factories.user("Else").id
    db.session.flush()
    with pytest.raises(Refused, match="one owner"):
        moves.merge(first, second, voice=scene.desk(), now=NOW)
    third = scene.open()
    moves.merge(first, third, voice=scene.desk(), now=NOW)
    with pytest.raises(Refused, match="merged itself"):
        moves.merge(scene.open(), first, voice=scene.desk(), now=NOW)
    assert (first.state, first.merged_into_id) == ("merged", third.id)
    assert replayed(first)


def test_settling_again_keeps_when_it_was_over_first(scene):
    ticket = scene.waiting()
    moves.resolve(ticket, voice=scene.user(), now=NOW)
    settle(ticket, TicketState.CLOSED, NOW + DAY, reason="late")
    assert ticket.closed_at == NOW


def columns(row):
    return {it.key: getattr(row, it.key) for it in row.__mapper__.column_attrs}


def test_a_note_leaves_the_ticket_and_all_its_owner_sees_as_it_was(scene):
    ticket = scene.waiting()
    before, seen = columns(ticket), count(Notice, user_id=scene.owner_id)
    name = scene.operator.email_key.partition("@")[0]
    other = factories.user("Oscar")
    other.operator = True
    db.session.flush()
    called = other.email_key.partition("@")[0]
    body = f"Ask @{called}, not @{name} nor @nobody"
    note = notes.add(ticket, body, voice=scene.desk(), now=NOW + DAY, key="n-1")
    again = notes.add(ticket, "Twice", voice=scene.desk(), now=NOW + DAY, key="n-1")
    assert again.id == note.id
    db.session.refresh(ticket)
    assert columns(ticket) == before
    assert told(ticket) == ["ticket.open", "ticket.reply"]
    assert count(Notice, user_id=scene.owner_id) == seen
    assert count(NoteMention, note_id=note.id) == 2
    assert count(Notice, user_id=other.id) == 1
    assert count(DeskEvent, ticket_id=ticket.id) == 1
    (event,) = [it for it in audited(ticket) if it.action == "ticket.note"]
    assert (event.workspace_id, event.chain) == (None, "platform")
    assert [it.id for it in notes.of(ticket)] == [note.id]


def test_a_key_counts_within_its_ticket_and_none_is_no_key(scene):
    here, away = scene.waiting(), scene.open(key="another")
    said = [
        notes.add(ticket, "The same words", voice=scene.desk(), now=NOW + DAY, key=key)
        for ticket in (here, away)
        for key in ("n-1", "", "", None)
    ]
    assert len({note.id for note in said}) == len(said)


def test_only_operators_write_notes_and_never_empty_ones(scene):
    ticket = scene.open()
    with pytest.raises(Refused):
        notes.add(ticket, "Mine", voice=scene.user(), now=NOW)
    for body in ("", " \x00 ", "x" * 20_001):
        with pytest.raises(Invalid):
            notes.add(ticket, body, voice=scene.desk(), now=NOW)
    assert count(TicketNote) == 0


def test_where_a_message_leaves_a_ticket(scene):
    for state in TicketState:
        ticket = in_state(scene, state)
        after = {kind: states.after_message(ticket, kind) for kind in AuthorKind}
        assert after[AuthorKind.OPERATOR] is TicketState.WAITING_USER
        assert after[AuthorKind.SYSTEM] is state
        wanted = TicketState.NEW if state is TicketState.NEW else TicketState.OPEN
        assert after[AuthorKind.USER] is after[AuthorKind.CONTACT] is wanted
