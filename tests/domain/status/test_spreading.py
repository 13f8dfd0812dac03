"""An update reaches each subscriber and each tied ticket once, whatever is cut short or doubled."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.status import spreading, subscribers, ties
from app.domain.status.spreading import ASK
from app.domain.support import moves, tickets
from app.domain.support.said import Said
from app.extensions import db
from app.models import (
    AddressHealth,
    IncidentState,
    IncidentUpdate,
    Mail,
    MailState,
    StatusSubscriber,
    TicketMessage,
    TicketState,
)
from tests.domain.status import desk
from tests.factories import NOW

SITE = "https://plutarc.test"
LATER = NOW + timedelta(minutes=5)
OVER = IncidentState.RESOLVED


def subscribed(count, confirmed_at=NOW - timedelta(days=1), **values):
    rows = [
        StatusSubscriber(
            email=f"s{number}@example.org",
            email_key=f"s{number}@example.org",
            token_hash=f"{number:064}",
            asked_at=NOW,
            confirmed_at=confirmed_at,
            **values,
        )
        for number in range(count)
    ]
    db.session.add_all(rows)
    db.session.flush()
    return rows


def spread(update, now=LATER):
    steps = 0
    while spreading.step(update.id, SITE, now):
        db.session.commit()
        steps += 1
    db.session.commit()
    return steps


def letters():
    query = select(Mail.to_email).where(Mail.letter == "status_update")
    return sorted(db.session.scalars(query))


@pytest.fixture
def olga(app):
    return desk.operator()


def test_each_subscriber_gets_one_letter_however_often_it_runs(olga):
    people = subscribed(spreading.AT_ONCE + 3)
    incident = desk.begin(olga)
    (update,) = incident.updates
    assert spread(update) == 2
    assert spread(update) == 0
    assert letters() == sorted(it.email for it in people)
    assert update.spread_at == LATER
    assert spreading.forgotten(LATER + timedelta(days=1)) == []


def test_who_did_not_confirm_left_or_came_later_gets_none(olga):
    waiting, left, late, dead, stays = subscribed(5)
    waiting.confirmed_at, left.ended_at = None, NOW
    late.confirmed_at = LATER
    db.session.add(AddressHealth(email_key=dead.email_key, scored_at=NOW, disabled_at=NOW))
    db.session.flush()
    spread(desk.begin(olga).updates[0])
    assert letters() == [stays.email]


def test_each_letter_can_be_ended_with_one_press(olga):
    (person,) = subscribed(1)
    spread(desk.begin(olga).updates[0])
    letter = db.session.scalars(select(Mail).where(Mail.letter == "status_update")).one()
    headers = letter.envelope["headers"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = headers["List-Unsubscribe"].strip("<>")
    assert address == letter.values["leave"]
    token = address.rpartition("/")[2]
    assert address == f"{SITE}/status/unsubscribe/{token}"
    assert subscribers.leaver(token) == person


def test_leaving_takes_back_the_letters_that_wait(olga):
    gone, stays = subscribed(2)
    spread(desk.begin(olga).updates[0])
    subscribers.leave(gone.id, LATER)
    db.session.expire_all()
    states = {it.to_email: it.state for it in db.session.scalars(select(Mail))}
    assert states == {gone.email: MailState.CANCELLED, stays.email: MailState.QUEUED}


def test_an_update_answers_tied_tickets_once_and_keeps_them_on_hold(olga):
    incident, voice = desk.begin(olga), desk.voice_of(olga)
    tied = [desk.ticket() for _ in range(3)]
    other, solved = desk.ticket(), desk.ticket()
    for ticket in (*tied, solved):
        ties.link(ticket, incident, voice=voice, now=NOW)
    moves.resolve(solved, voice=voice, now=NOW)
    update = desk.tell(incident, olga, IncidentState.IDENTIFIED, answers=True)
    spread(update)
    spread(update)
    for ticket in tied:
        assert ticket.state is TicketState.ON_HOLD
        assert ticket.last_seq == 2
        assert ticket.messages[-1].author_id == olga.id
        assert "It is being cured." in ticket.messages[-1].body
    assert (other.last_seq, solved.last_seq) == (1, 1)


def test_an_update_that_answers_nobody_moves_no_ticket(olga):
    incident, ticket = desk.begin(olga), desk.ticket()
    ties.link(ticket, incident, voice=desk.voice_of(olga), now=NOW)
    spread(desk.tell(incident, olga, IncidentState.MONITORING))
    assert (ticket.state, ticket.last_seq) == (TicketState.NEW, 1)


def test_the_end_asks_each_owner_once_and_starts_the_usual_clock(olga):
    incident, voice = desk.begin(olga), desk.voice_of(olga)
    ticket, solved = desk.ticket(), desk.ticket()
    for it in (ticket, solved):
        ties.link(it, incident, voice=voice, now=NOW)
    moves.resolve(solved, voice=voice, now=NOW)
    spread(desk.tell(incident, olga, OVER, body="Cured."))
    assert ticket.state is TicketState.WAITING_USER
    assert ticket.incident_id is None
    assert ticket.close_due_at == LATER + timedelta(days=7)
    (question,) = [it for it in ticket.messages if it.author_id == olga.id]
    assert question.body.endswith(ASK)
    assert (solved.incident_id, solved.last_seq) == (None, 1)
    assert solved.state is TicketState.RESOLVED
    assert incident.tickets == 2


def test_a_step_that_was_lost_is_made_by_the_next_one(olga):
    """What a step wrote and did not commit is not told; what it committed is not told again."""
    subscribed(spreading.AT_ONCE * 2)
    incident, voice = desk.begin(olga), desk.voice_of(olga)
    ticket = desk.ticket()
    ties.link(ticket, incident, voice=voice, now=NOW)
    update = desk.tell(incident, olga, IncidentState.IDENTIFIED, answers=True)
    db.session.commit()
    assert spreading.step(update.id, SITE, LATER)
    db.session.commit()
    assert spreading.step(update.id, SITE, LATER)
    db.session.rollback()
    assert spreading.forgotten(LATER) == sorted(
        db.session.scalars(select(IncidentUpdate.id).where(IncidentUpdate.spread_at.is_(None))),
        key=lambda it: it == update.id,
    )
    spread(update)
    assert len(letters()) == spreading.AT_ONCE * 2
    said = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
    assert len(db.session.scalars(said).all()) == 2


def test_a_reply_after_an_update_is_the_desk_s_turn_again(olga):
    incident, voice = desk.begin(olga), desk.voice_of(olga)
    ticket = desk.ticket()
    ties.link(ticket, incident, voice=voice, now=NOW)
    spread(desk.tell(incident, olga, IncidentState.IDENTIFIED, answers=True))
    owner = desk.Voice(desk.AuthorKind.USER, voice.by, ticket.opened_by)
    tickets.post(ticket, Said("It works here."), voice=owner, now=LATER)
    assert ticket.state is TicketState.OPEN


def test_one_step_holds_one_ticket(olga):
    """Who answers holds a ticket and then its workspace's log; two tickets would make a circle."""
    incident, voice = desk.begin(olga), desk.voice_of(olga)
    tied = [desk.ticket() for _ in range(2)]
    for ticket in tied:
        ties.link(ticket, incident, voice=voice, now=NOW)
    update = desk.tell(incident, olga, IncidentState.IDENTIFIED, answers=True)
    assert spreading.step(update.id, SITE, LATER)
    assert sorted(it.last_seq for it in tied) == [1, 2]
