"""What operators do beside answering, and that none of it changes what the owner sees."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import Conflict, Invalid, Refused
from app.domain.support import (
    assigning,
    canned,
    drafts,
    linking,
    moves,
    notes,
    presence,
    ratings,
    redacting,
    tags,
)
from app.domain.support.said import NewFile
from app.extensions import db
from app.models import (
    AuditEvent,
    DeskEvent,
    InboundMail,
    MessageEdit,
    MessageFile,
    Notice,
    PresenceMode,
    Subject,
    Ticket,
    TicketMessage,
)
from tests import factories
from tests.domain.support.scene import DAY, HOUR, Scene, audited, count, ledger
from tests.factories import NOW, TESTER

SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)


@pytest.fixture
def scene(app):
    return Scene()


@pytest.fixture
def bea(scene):
    made = factories.user("Bea")
    made.operator = True
    db.session.flush()
    return made


def public_of(ticket):
    """All that a ticket's owner could see of it."""
    db.session.refresh(ticket)
    row = {column.key: getattr(ticket, column.key) for column in Ticket.__table__.columns}
    return row, len(ledger(ticket)), len(audited(ticket)), count(Notice, user_id=ticket.opened_by)


def kept(ticket, action):
    return count(DeskEvent, ticket_id=ticket.id, action=action)


def test_internal_work_leaves_the_ticket_as_it_is(scene, bea):
    ticket, other = scene.open(), scene.open()
    before, desk = public_of(ticket), {"voice": scene.desk(), "now": NOW + HOUR}
    assigning.assign(ticket, bea, **desk)
    tags.put(ticket, ["vip", "Refund"], **desk)
    linking.link(ticket, other, **desk)
    note = notes.add(ticket, "He is angry", **desk)
    notes.edit(ticket, note, "He is furious", **desk)
    presence.beat(ticket, bea, PresenceMode.TYPING, NOW)
    drafts.save(ticket, bea, "Dear", NOW)
    inside = {row.chain for row in audited(ticket) if row.occurred_at == NOW + HOUR}
    assert inside == {"platform"}
    row, events, _, notices = public_of(ticket)
    assert (row, events, notices) == (before[0], before[1], before[3])


@SQLITE
def test_doing_it_again_leaves_no_second_event(scene, bea):
    ticket, other, desk = scene.open(), scene.open(), {"voice": scene.desk(), "now": NOW}
    for _ in range(2):
        assigning.assign(ticket, bea, **desk)
        tags.put(ticket, ["vip"], **desk)
        linking.link(ticket, other, **desk)
        linking.link(other, ticket, **desk)
    assert linking.of(ticket) == [other]
    assert [kept(ticket, f"ticket.{it}") for it in ("assign", "tag", "link")] == [1, 1, 1]
    linking.unlink(other, ticket, **desk)
    assert linking.of(other) == []


@SQLITE
def test_only_who_answers_at_the_desk_is_assigned_and_is_told(scene, bea):
    ticket, desk = scene.open(), {"voice": scene.desk(), "now": NOW}
    with pytest.raises(Invalid):
        assigning.assign(ticket, scene.owner, **desk)
    assigning.assign(ticket, bea, **desk)
    told = select(Notice.user_id).where(Notice.key.startswith("assigned"))
    assert db.session.scalars(told).all() == [bea.id]
    with pytest.raises(Conflict, match="Bea has"):
        assigning.take(ticket, scene.operator, **desk)
    assigning.assign(ticket, None, **desk)
    assigning.take(ticket, scene.operator, **desk)
    assert assigning.assignee(ticket) == scene.operator


@SQLITE
def test_tags_are_words_and_exist_once(scene):
    first, second, desk = scene.open(), scene.open(), {"voice": scene.desk(), "now": NOW}
    tags.put(first, [" VIP ", "vip", ""], **desk)
    tags.put(second, ["vip", "two words"], **desk)
    assert (tags.of(first), tags.everyone()) == (["vip"], ["two words", "vip"])
    tags.put(second, [], **desk)
    assert tags.everyone() == ["vip"]
    for wrong in (["<b>"], ["x" * 41], [str(n) for n in range(11)]):
        with pytest.raises(Invalid):
            tags.put(first, wrong, **desk)


def test_presence_is_worth_half_a_minute_and_is_seen_by_colleagues(scene, bea):
    ticket = scene.open()
    presence.beat(ticket, bea, PresenceMode.LOOKING, NOW)
    presence.beat(ticket, bea, PresenceMode.TYPING, NOW + timedelta(seconds=10))
    (seen,) = presence.others(ticket, scene.operator, NOW + timedelta(seconds=39))
    assert seen.words == "Bea is typing an answer."
    assert presence.others(ticket, bea, NOW) == []
    assert presence.others(ticket, scene.operator, NOW + timedelta(seconds=40)) == []
    bea.operator = False
    assert presence.others(ticket, scene.operator, NOW + timedelta(seconds=30)) == []


def test_a_draft_is_one_person_s_and_one_ticket_s(scene, bea):
    ticket, other = scene.open(), scene.open()
    drafts.save(ticket, bea, "Dear", NOW)
    drafts.save(ticket, bea, "Dear Uma", NOW)
    assert drafts.of(ticket, bea) == "Dear Uma"
    assert drafts.of(ticket, scene.operator) == drafts.of(other, bea) == ""
    drafts.save(ticket, bea, "  ", NOW)
    assert drafts.of(ticket, bea) == ""


@SQLITE
def test_a_note_is_changed_by_who_wrote_it_and_tells_who_is_named_anew(scene, bea):
    ticket, desk = scene.open(), {"voice": scene.desk(), "now": NOW}
    note = notes.add(ticket, "Look at this", **desk)
    name = bea.email.partition("@")[0]
    notes.edit(ticket, note, f"Look at this @{name}", **desk)
    notes.edit(ticket, note, f"Look at that @{name}", **desk)
    assert count(Notice, user_id=bea.id, key=f"note {note.id}") == 1
    assert (note.body, note.edited_at) == (f"Look at that @{name}", NOW)
    for voice in (scene.user(), scene.desk().__class__(scene.desk().kind, TESTER, bea.id)):
        with pytest.raises(Refused):
            notes.edit(ticket, note, "Mine now", voice=voice, now=NOW)


@SQLITE
def test_a_reply_fills_the_fields_it_knows_once_and_refuses_others(scene):
    by = {"by": TESTER, "now": NOW}
    bot = factories.bot(scene.workspace, name="{ref}")
    ticket = scene.open()
    ticket.about, ticket.about_id = Subject.BOT, bot.id
    unnamed = canned.create("Unnamed", "About {bot}", author=scene.operator, **by)
    assert canned.filled(unnamed, ticket, scene.operator) == "About your bot"
    scene.ask(ticket, NOW, body="I mean {REF}.")
    text = "Hello {name}, {bot} of {workspace} in {ref}. {operator}"
    reply = canned.create("Greeting", text, author=scene.operator, **by)
    workspace = scene.workspace.name
    assert canned.filled(reply, ticket, scene.operator) == (
        f"Hello Olga, {{ref}} of {workspace} in {ticket.ref}. Ada"
    )
    for title, body in (("Other", "{password}"), ("Other", "{}"), ("Greeting", "x"), ("", "x")):
        with pytest.raises(Invalid):
            canned.create(title, body, author=scene.operator, **by)
    with pytest.raises(Invalid, match="no field"):
        canned.edit(reply, "Greeting", "{nmae}", **by)


@SQLITE
def test_a_reply_is_put_away_and_taken_up_with_one_event_each(scene):
    by = {"by": TESTER, "now": NOW}
    reply = canned.create("Greeting", "Hello", author=scene.operator, **by)
    for _ in range(2):
        canned.archive(reply, **by)
    assert (canned.living(), canned.archived()) == ([], [reply])
    canned.restore(reply, **by)
    canned.edit(reply, "Greeting", "Hello", **by)
    told = select(AuditEvent.action).where(AuditEvent.target_id == reply.id)
    assert db.session.scalars(told.order_by(AuditEvent.seq)).all() == [
        "canned_reply.create",
        "canned_reply.archive",
        "canned_reply.restore",
    ]


@SQLITE
def test_what_is_taken_out_of_a_message_is_gone_and_its_number_stays(scene):
    ticket = scene.open()
    file = NewFile("key.txt", "text/plain", "text/plain", 3, "0" * 64, "attachments/one")
    message = scene.ask(ticket, NOW, body="my key is 123", files=(file,))
    own = {"workspace_id": ticket.workspace_id, "message_id": message.id}
    db.session.add(MessageEdit(body="my key is 12", edited_at=NOW, **own))
    db.session.flush()
    with pytest.raises(Refused):
        redacting.redact(ticket, message, "mine", voice=scene.user(), now=NOW)
    keys = redacting.redact(ticket, message, "a key", voice=scene.desk(), now=NOW + HOUR)
    assert keys == ["attachments/one"]
    assert (message.body, message.seq, message.redacted_at) == ("", 2, NOW + HOUR)
    assert count(MessageFile, message_id=message.id) == 0
    assert count(MessageEdit, message_id=message.id) == 0
    assert count(TicketMessage, ticket_id=ticket.id) == 2
    assert ledger(ticket)[-1].reason == "Message 2: a key"
    with pytest.raises(Conflict):
        redacting.redact(ticket, message, "again", voice=scene.desk(), now=NOW)


def test_every_delivery_of_the_mail_it_came_by_is_emptied(scene):
    ticket = scene.open()
    told = {"rfc_message_id": "<1@home.example>", "ticket_id": ticket.id}
    mails = [mail_in(number, **told) for number in "12"]
    mails.append(mail_in("3", rfc_message_id="<2@home.example>", ticket_id=ticket.id))
    db.session.add_all(mails)
    db.session.flush()
    by_mail = {"rfc_message_id": "<1@home.example>", "inbound_id": mails[0].id}
    message = scene.ask(ticket, NOW, "my key is 123", channel="email", **by_mail)
    redacting.redact(ticket, message, "a key", voice=scene.desk(), now=NOW + HOUR)
    db.session.expire_all()
    assert [it.raw for it in mails] == [None, None, b"raw"]


def mail_in(number, **values):
    return InboundMail(
        provider="raw",
        event_id=number,
        sha256=number * 64,
        envelope_from="",
        envelope_to=f"support{number}@example.com",
        raw=b"raw",
        size=3,
        received_at=NOW,
        raw_until=NOW + DAY,
        **values,
    )


def question(scene, ticket):
    told = select(Notice.path).where(Notice.key == f"rating {ticket.id}")
    paths = db.session.scalars(told.where(Notice.user_id == scene.owner_id)).all()
    assert len(paths) == 1
    return paths[0].removeprefix("/rate/")


def test_the_question_is_asked_once_and_answered_once(scene):
    ticket = scene.open()
    moves.resolve(ticket, voice=scene.desk(), now=NOW)
    moves.reopen(ticket, voice=scene.user(), now=NOW)
    moves.close(ticket, "enough", voice=scene.desk(), now=NOW)
    token = question(scene, ticket)
    assert ratings.open_question(token, NOW)
    assert not ratings.open_question("another", NOW)
    assert not ratings.open_question(token, NOW + 31 * DAY)
    ratings.rate(token, good=True, now=NOW + HOUR)
    for given in (token, "another"):
        with pytest.raises(Conflict):
            ratings.rate(given, good=False, now=NOW + HOUR)
    assert (ratings.of(ticket).good, ratings.of(ticket).rated_at) == (True, NOW + HOUR)


@SQLITE
def test_nobody_is_asked_about_a_merged_ticket(scene):
    ticket, other = scene.open(), scene.open()
    moves.merge(ticket, other, voice=scene.desk(), now=NOW)
    assert ratings.of(ticket) is None
