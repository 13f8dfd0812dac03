"""Opening, writing, the number of each message, and what a second delivery does."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import Conflict, Invalid, Refused, TooMany
from app.domain.support import brakes, finding, moves, tickets
from app.domain.support.events import Voice
from app.domain.support.said import BODY, NewFile, Said, Wanted
from app.extensions import db
from app.models import (
    AuditEvent,
    AuthorKind,
    Mail,
    MessageFile,
    Notice,
    OutboxMessage,
    Role,
    Ticket,
    TicketEvent,
    TicketMessage,
    TicketState,
    Verification,
)
from tests import factories
from tests.domain.support.scene import DAY, HOUR, Scene, audited, contact, count, replayed, told
from tests.factories import NOW, TESTER
from tests.kill.cutting import killed_at
from tests.parallel import at_once

ROWS = (Ticket, TicketMessage, TicketEvent, AuditEvent, Notice, Mail, OutboxMessage)
SYSTEM = Voice(AuthorKind.SYSTEM, TESTER)


@pytest.fixture
def scene(app):
    return Scene()


def numbers(ticket):
    query = select(TicketMessage.seq).where(TicketMessage.ticket_id == ticket.id)
    return list(db.session.scalars(query.order_by(TicketMessage.seq)))


def test_a_ticket_begins_with_its_message_its_event_and_the_ring(scene):
    ticket = scene.open()
    db.session.commit()
    assert (ticket.ref, ticket.state, ticket.opened_by) == ("T-1001", "new", scene.owner_id)
    assert numbers(ticket) == [1]
    assert told(ticket) == [it.action for it in audited(ticket)] == ["ticket.open"]
    assert count(Notice, user_id=scene.operator_id) == 1
    assert replayed(ticket)


def everything():
    found = {kind.__name__: count(kind) for kind in ROWS}
    db.session.rollback()
    return found


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("place", ["tickets.py", "tidings.py", "events.py"])
def test_a_ticket_cut_short_anywhere_is_there_whole_or_not_at_all(app, scene, place):
    """Killed at every third line of what opens it."""
    before, line = everything(), 1

    def work():
        scene.open()
        db.session.commit()

    while killed_at(line, f"app/domain/support/{place}", work):
        assert everything() == before, f"line {line} left something behind"
        line += 3
    assert line > 10
    (ticket,) = db.session.scalars(select(Ticket).where(Ticket.opened_by == scene.owner_id))
    assert (numbers(ticket), told(ticket)) == ([1], ["ticket.open"])
    assert count(AuditEvent, target_id=ticket.id) == 1
    assert count(Notice, user_id=scene.operator_id) == 1


def test_what_fails_at_the_end_leaves_nothing_of_the_ticket(app, scene, monkeypatch):
    before = everything()
    monkeypatch.setattr("app.domain.audit.record", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        scene.open()
    db.session.rollback()
    assert everything() == before


def test_a_double_click_opens_one_ticket(app, scene):
    """Also at the same moment, in two transactions."""

    def press():
        owner = scene.owner
        yield
        assert owner.id
        scene.open(key="form-1")

    assert at_once(app, press, press) == [None, None]
    assert count(Ticket, opened_by=scene.owner_id) == 1
    db.session.rollback()


def test_the_key_of_somebody_else_opens_a_ticket_of_ones_own(app, scene):
    first = scene.open(key="form-1")
    other = factories.user("Otto")
    wanted, voice = Wanted("Mine"), Voice(AuthorKind.USER, TESTER, other.id)
    said = Said("Mine", "form-1")
    second = tickets.open_ticket(scene.workspace, other, wanted, said, voice=voice, now=NOW)
    assert (second.id != first.id, second.opened_by) == (True, other.id)
    scene.ask(first, NOW, key="reply-1")
    assert scene.open(key="reply-1").id != first.id


def test_the_same_message_delivered_many_times_is_one(scene):
    ticket = scene.open()
    found = {scene.ask(ticket, NOW, key="mail-7", channel="email").id for _ in range(5)}
    assert len(found) == 1
    assert numbers(ticket) == [1, 2]
    assert told(ticket) == ["ticket.open", "ticket.reply"]


def test_messages_are_numbered_without_gaps_in_whatever_interleaving(app, scene):
    ticket_id = scene.open().id
    db.session.commit()

    def write():
        ticket = db.session.get(Ticket, ticket_id)
        yield
        scene.ask(ticket, NOW)

    def answer():
        ticket = db.session.get(Ticket, ticket_id)
        yield
        scene.answer(ticket, NOW)

    assert at_once(app, write, answer, write, answer) == [None] * 4
    ticket = db.session.get(Ticket, ticket_id)
    assert numbers(ticket) == [1, 2, 3, 4, 5]
    assert replayed(ticket)


def test_what_says_nothing_or_too_much_is_refused(scene):
    ticket = scene.open()
    for body in ("", " \n\x00 ", "x" * (BODY + 1)):
        with pytest.raises(Invalid):
            scene.ask(ticket, NOW, body=body)
    for subject in ("", " ", "x" * 161):
        with pytest.raises(Invalid):
            scene.open(subject=subject)
    assert numbers(ticket) == [1]
    file = NewFile("log.txt", "text/plain", "text/plain", 3, "0" * 64, "attachments/x")
    alone = scene.ask(ticket, NOW, body="", files=(file,))
    assert count(MessageFile, message_id=alone.id) == 1


def test_an_answer_to_what_the_operator_has_not_read_is_held_back(scene):
    ticket = scene.open()
    scene.ask(ticket, NOW)
    with pytest.raises(Conflict, match="1 newer"):
        tickets.post(ticket, Said("Too early"), voice=scene.desk(), now=NOW, seen=1)
    tickets.post(ticket, Said("Now"), voice=scene.desk(), now=NOW, seen=2)
    assert ticket.state is TicketState.WAITING_USER


@pytest.mark.parametrize("then", [None, "open", "on_hold", "resolved"])
def test_an_operator_says_where_an_answer_leaves_it(scene, then):
    ticket = scene.open()
    scene.answer(ticket, NOW, then=then and TicketState(then))
    assert ticket.state == (then or "waiting_user")
    assert ticket.first_answered_at == NOW
    assert replayed(ticket)


@pytest.mark.parametrize("then", ["merged", "closed", "new"])
def test_an_answer_leaves_nothing_merged_closed_or_new(scene, then):
    ticket = scene.open()
    with pytest.raises(Invalid):
        scene.answer(ticket, NOW, then=TicketState(then))
    assert numbers(ticket) == [1]


def test_a_reply_within_thirty_days_reopens_once(scene):
    ticket = scene.waiting()
    moves.close(ticket, "enough", voice=scene.desk(), now=NOW)
    scene.ask(ticket, NOW + 30 * DAY, channel="email")
    assert (ticket.state, ticket.reopen_count, ticket.closed_at) == ("open", 1, None)
    scene.ask(ticket, NOW + 30 * DAY)
    assert ticket.reopen_count == 1
    assert replayed(ticket)


def test_a_later_reply_opens_a_ticket_that_follows(scene):
    ticket = scene.waiting()
    moves.close(ticket, "enough", voice=scene.desk(), now=NOW)
    late = NOW + 30 * DAY + timedelta(seconds=1)
    message = scene.ask(ticket, late, key="mail-1")
    follower = db.session.get(Ticket, message.ticket_id)
    assert (follower.follows_id, follower.state, follower.subject) == (
        ticket.id,
        "new",
        ticket.subject,
    )
    assert (ticket.state, numbers(ticket), numbers(follower)) == ("closed", [1, 2], [1])
    assert scene.ask(ticket, late, key="mail-1").id == message.id
    assert count(Ticket, follows_id=ticket.id) == 1


def test_a_reply_to_a_merged_ticket_goes_on_in_the_survivor(scene):
    first, second = scene.open(), scene.open()
    moves.merge(first, second, voice=scene.desk(), now=NOW)
    message = scene.ask(first, NOW)
    assert (message.ticket_id, numbers(second), numbers(first)) == (second.id, [1, 2], [1])
    assert replayed(first)
    assert replayed(second)


def test_a_survivor_of_another_owner_gets_nothing(scene):
    """Merging refuses that; a row that says so all the same is not obeyed."""
    first, second = scene.open(), scene.open()
    moves.merge(first, second, voice=scene.desk(), now=NOW)
    second.opened_by = factories.user("Else").id
    db.session.flush()
    with pytest.raises(Refused):
        scene.ask(first, NOW)
    assert numbers(second) == [1]


@pytest.mark.parametrize("speaker", ["user", "desk"])
def test_what_a_machine_wrote_moves_nothing(scene, speaker):
    ticket = scene.waiting()
    before = (ticket.state, ticket.warn_due_at, ticket.last_user_at, ticket.last_operator_at)
    voice = getattr(scene, speaker)("email")
    tickets.post(ticket, Said("I am away", automatic=True), voice=voice, now=NOW + DAY)
    assert (ticket.state, ticket.warn_due_at, ticket.last_user_at, ticket.last_operator_at) == (
        before
    )
    moves.close(ticket, "enough", voice=scene.desk(), now=NOW + DAY)
    tickets.post(ticket, Said("Still away", automatic=True), voice=voice, now=NOW + 90 * DAY)
    assert (ticket.state, count(Ticket, opened_by=scene.owner_id)) == ("closed", 1)


def test_what_the_platform_writes_moves_nothing(scene):
    ticket = scene.waiting()
    clock = ticket.warn_due_at
    tickets.post(ticket, Said("Linked"), voice=SYSTEM, now=NOW + DAY)
    assert (ticket.state, ticket.warn_due_at, numbers(ticket)) == ("waiting_user", clock, [1, 2, 3])


def test_times_are_the_database_s_and_never_the_sender_s(scene):
    """A message keeps when it came in; nothing of what its sender claims is a time."""
    ticket = scene.open()
    said = Said("Late", verification=Verification.DMARC, rfc_message_id="<x@y>")
    assert not [name for name in vars(said) if name.endswith("_at") or "date" in name]
    message = tickets.post(ticket, said, voice=scene.user("email"), now=NOW + HOUR)
    db.session.commit()
    db.session.expire_all()
    assert message.created_at == ticket.last_user_at == NOW + HOUR
    assert message.created_at.utcoffset() == timedelta(0)


def test_ten_open_tickets_are_as_many_as_one_may_have(scene):
    opened = [scene.open() for _ in range(brakes.MOST_OPEN)]
    with pytest.raises(TooMany, match="10 open tickets"):
        scene.open()
    moves.resolve(opened[0], voice=scene.user(), now=NOW)
    scene.open()


def test_thirty_messages_an_hour_are_as_many_as_one_may_write(scene):
    ticket = scene.open()
    for _ in range(brakes.MOST_MESSAGES_AN_HOUR - 1):
        scene.ask(ticket, NOW)
    with pytest.raises(TooMany):
        scene.ask(ticket, NOW)
    with pytest.raises(TooMany):
        scene.open()
    for _ in range(brakes.MOST_MESSAGES_AN_HOUR):
        scene.answer(ticket, NOW)  # operators are not counted
    tickets.post(ticket, Said("Away", automatic=True), voice=scene.user("email"), now=NOW)
    scene.ask(ticket, NOW + HOUR)


def test_somebody_without_an_account_is_counted_alike(scene):
    person, voice = contact(), Voice(AuthorKind.CONTACT, TESTER, channel="contact")
    wanted = Wanted("Hello")
    ticket = tickets.open_ticket(
        scene.workspace, person, wanted, Said("Hello"), voice=voice, now=NOW
    )
    assert (ticket.opened_by, ticket.contact_id) == (None, person.id)
    for _ in range(brakes.MOST_MESSAGES_AN_HOUR - 1):
        tickets.post(ticket, Said("Hello?"), voice=voice, now=NOW)
    with pytest.raises(TooMany):
        tickets.post(ticket, Said("Hello?"), voice=voice, now=NOW)


def test_a_member_sees_their_own_tickets_and_with_the_right_all(app):
    desk = factories.organisation()
    (owner,) = desk.memberships
    viewer = factories.joined(desk, Role.VIEWER, "Vera")
    db.session.expire(desk)
    member = next(it for it in desk.memberships if it.user_id == viewer.id)
    voice = Voice(AuthorKind.USER, TESTER, owner.user_id)
    said = Said("Secret")
    theirs = tickets.open_ticket(desk, owner.user, Wanted("x"), said, voice=voice, now=NOW)
    assert finding.one(owner, theirs.id) is theirs
    assert finding.one(member, theirs.id) is None
    assert list(db.session.scalars(finding.visible_to(member))) == []
    assert [it.body for it in finding.messages(theirs)] == ["Secret"]
    assert finding.messages(theirs, after=1) == []
