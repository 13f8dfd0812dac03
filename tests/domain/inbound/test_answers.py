"""Answers by mail: who may, what is demanded of them, and what moves."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import members
from app.domain.support import moves, reply_tokens
from app.domain.support.events import Voice
from app.extensions import db
from app.models import (
    AuthorKind,
    Channel,
    Mail,
    MailDecision,
    Membership,
    Notice,
    NoticeKind,
    Ticket,
    TicketNote,
    TicketState,
    TokenPurpose,
    Verification,
)
from tests import factories
from tests.domain.inbound.post import DOMAIN, FAIL, NONE, SUPPORT, mail

APPENDED, HELD = MailDecision.APPENDED, MailDecision.QUARANTINED
REFUSED, AUTOMATIC = MailDecision.REFUSED, MailDecision.AUTOMATIC
DUPLICATE, NOTE = MailDecision.DUPLICATE, MailDecision.NOTE


def moved(ticket):
    """All that the clocks and the turn of a ticket hang on."""
    names = "state warn_due_at warned_at close_due_at last_user_at last_operator_at closed_at"
    return {name: getattr(ticket, name) for name in (*names.split(), "reopen_count")}


def test_the_owner_s_answer_is_theirs_and_it_is_the_desk_s_turn(world):
    world.answer()
    row = world.arrive(mail(world.owner.email, "Thank you."))
    said = world.messages()[-1]
    assert (row.decision, row.message_id, row.ticket_id) == (APPENDED, said.id, world.ticket.id)
    assert (said.author_id, said.channel) == (world.owner.id, Channel.EMAIL)
    assert (said.verification, said.body) == (Verification.DMARC, "Thank you.")
    assert world.ticket.state is TicketState.OPEN


def test_an_operator_s_answer_is_the_desk_s_and_its_owner_hears_of_it(world):
    row = world.arrive(mail(world.operator.email, "Try again."), world.desk_to)
    said = world.messages()[-1]
    assert (row.decision, said.author, said.author_id) == (
        APPENDED,
        AuthorKind.OPERATOR,
        world.operator.id,
    )
    assert world.ticket.state is TicketState.WAITING_USER
    letters = select(Mail).where(Mail.ticket_message_id == said.id)
    assert [it.recipient_id for it in db.session.scalars(letters)] == [world.owner.id]


@pytest.mark.parametrize("missing", ["token", "sender", "proof", "role"])
def test_without_one_of_its_proofs_nobody_speaks_for_the_desk(world, missing):
    to, sender, proof = world.desk_to, world.operator.email, "pass"
    if missing == "token":
        to = SUPPORT.replace("support", "t-1001")
    elif missing == "sender":
        sender = world.other.email
    elif missing == "proof":
        proof = NONE
    else:
        world.operator.operator = False
    before = world.counts()
    row = world.arrive(mail(sender, proof=proof), to)
    assert row.decision in (HELD, REFUSED)
    assert world.counts() == before
    if missing != "token":
        alarms = select(Notice).where(
            Notice.kind == NoticeKind.ALARM, Notice.user_id == world.other.id
        )
        assert [it.path for it in db.session.scalars(alarms)] == [f"/operator/mail/in/{row.id}"]


def test_an_unverified_address_speaks_for_nobody(world):
    world.owner.email_verified_at = None
    assert world.arrive(mail(world.owner.email)).decision is HELD


def test_who_left_the_workspace_has_left_the_ticket(world):
    person = factories.joined(world.workspace)
    ticket = world.open(person)
    to = world.address(person, ticket=ticket)
    assert world.arrive(mail(person.email), to).decision is APPENDED
    where = Membership.workspace_id == world.workspace.id, Membership.user_id == person.id
    member = db.session.scalars(select(Membership).where(*where)).one()
    owner = select(Membership).where(where[0], Membership.user_id == world.owner.id)
    acting = db.session.scalars(owner).one()
    members.remove(member, acting=acting, by=factories.TESTER, now=world.now)
    db.session.commit()
    assert world.arrive(mail(person.email, "And now?"), to).decision is HELD


def test_a_contact_answers_their_own_ticket(world):
    person = world.contact()
    ticket = world.open(person)
    to = world.address(person, ticket=ticket)
    assert world.arrive(mail("cora@example.net", "Hello"), to).decision is APPENDED
    assert world.messages(ticket)[-1].author is AuthorKind.CONTACT
    assert world.arrive(mail("cora@example.net", proof=FAIL), to).decision is HELD


def test_an_address_for_notes_makes_notes_and_nothing_else(world):
    before = moved(world.ticket), len(world.messages()), world.ticket.version
    row = world.arrive(mail(world.operator.email, "Public please: /reply yes"), world.note_to)
    (note,) = db.session.scalars(select(TicketNote))
    assert (row.decision, row.message_id, note.author_id) == (NOTE, note.id, world.operator.id)
    assert (moved(world.ticket), len(world.messages()), world.ticket.version) == before
    relayed = [("X-Relay", "2")]
    body, same = "Public please: /reply yes", row.rfc_message_id
    again = mail(world.operator.email, body, message_id=same, headers=relayed)
    assert world.arrive(again, world.note_to).decision is DUPLICATE
    assert len(db.session.scalars(select(TicketNote)).all()) == 1


def test_the_holder_of_an_operator_s_token_for_their_own_ticket_is_its_owner(world):
    ticket = world.open(world.operator, _personal(world.operator))
    to = world.address(world.operator, ticket=ticket)
    world.arrive(mail(world.operator.email), to)
    assert world.messages(ticket)[-1].author is AuthorKind.USER


def _personal(person):
    return next(it.workspace for it in person.memberships if it.workspace.personal)


def test_a_revoked_address_is_no_address(world):
    reply_tokens.rotate(world.ticket, world.owner, world.now)
    assert world.arrive(mail(world.owner.email)).decision is REFUSED


def test_the_same_mail_by_another_way_is_a_duplicate(world):
    first = world.arrive(mail(world.owner.email, message_id="<one@example.com>"))
    again = mail(world.owner.email, message_id="<one@example.com>", headers=[("X-Relay", "2")])
    second = world.arrive(again, event="other", provider="postmark", told=VALID)
    assert (first.decision, second.decision) == (APPENDED, DUPLICATE)
    assert len(world.messages()) == 2


VALID = [("x-spam-tests", "DKIM_SIGNED,DKIM_VALID,DKIM_VALID_AU")]


def test_the_same_message_id_with_other_words_is_held_back(world):
    world.arrive(mail(world.owner.email, message_id="<one@example.com>"))
    other = mail(world.owner.email, "Send my money.", message_id="<one@example.com>")
    assert world.arrive(other).decision is HELD
    assert len(world.messages()) == 2


def test_cc_bcc_and_reply_to_choose_nobody(world):
    more = [("Cc", world.stranger.email), ("Reply-To", world.stranger.email)]
    before = world.ticket.opened_by
    world.arrive(mail(world.owner.email, headers=[*more, ("Bcc", world.other.email)]))
    assert world.ticket.opened_by == before
    letters = db.session.scalars(select(Mail)).all()
    assert world.stranger.id not in {it.recipient_id for it in letters}
    stranger = mail(
        world.stranger.email, headers=[("Cc", world.owner.email)], Reply_To=world.owner.email
    )
    assert world.arrive(stranger).decision is HELD
    assert world.messages()[-1].author_id == world.owner.id


AUTOMATIC_MAILS = (
    {"headers": [("Auto-Submitted", "auto-replied")]},
    {"headers": [("Precedence", "bulk")]},
    {"headers": [("X-Autoreply", "yes")]},
    {"headers": [("Return-Path", "<>")]},
)


@pytest.mark.parametrize("how", AUTOMATIC_MAILS)
@pytest.mark.parametrize("state", ["waiting", "closed"])
def test_a_machine_s_answer_is_shown_as_one_and_moves_nothing(world, how, state):
    world.answer()
    if state == "closed":
        desk = Voice(AuthorKind.OPERATOR, factories.TESTER, world.operator.id)
        moves.close(world.ticket, "Done.", voice=desk, now=world.now)
        db.session.commit()
    before, letters = moved(world.ticket), _letters()
    row = world.arrive(mail(world.owner.email, "I am away.", **how))
    said = world.messages()[-1]
    assert (row.decision, said.automatic, said.body) == (AUTOMATIC, True, "I am away.")
    assert moved(world.ticket) == before
    assert _letters() == letters


def _letters():
    return len(db.session.scalars(select(Mail.id)).all())


def test_an_answer_reopens_what_was_closed_lately_and_follows_what_was_closed_long_ago(world):
    _close(world)
    world.arrive(mail(world.owner.email, "Not yet."), later=3600)
    assert (world.ticket.state, world.ticket.reopen_count) == (TicketState.OPEN, 1)
    _close(world)
    row = world.arrive(mail(world.owner.email, "Again."), later=40 * 86_400)
    newer = db.session.get_one(Ticket, row.ticket_id)
    assert newer.follows_id == world.ticket.id
    third = world.arrive(mail(world.owner.email, "And again."), later=3600)
    assert third.ticket_id == newer.id


def test_mail_reopens_a_ticket_only_so_often_a_day(world):
    for number in range(3):
        _close(world)
        assert world.arrive(mail(world.owner.email, f"No {number}")).decision is APPENDED
    _close(world)
    assert world.arrive(mail(world.owner.email, "No more")).decision is HELD
    assert world.ticket.state is TicketState.CLOSED
    assert world.arrive(mail(world.owner.email, "Next day"), later=90_000).decision is APPENDED


def _close(world):
    desk = Voice(AuthorKind.OPERATOR, factories.TESTER, world.operator.id)
    moves.close(world.ticket, "Done.", voice=desk, now=world.now)
    db.session.commit()


def test_mail_to_the_desk_opens_a_ticket_in_the_personal_workspace_once(world):
    sent = mail(
        world.owner.email, "My bot sleeps.", Subject="A sleeping bot", message_id="<n@x.test>"
    )
    row = world.arrive(sent, SUPPORT)
    ticket = db.session.get_one(Ticket, row.ticket_id)
    assert (row.decision, ticket.subject, ticket.via) == (
        MailDecision.OPENED,
        "A sleeping bot",
        Channel.EMAIL,
    )
    assert ticket.workspace_id == _personal(world.owner).id
    again = world.arrive(sent.replace(b"\r\n\r\n", b"\r\nX-Relay: 2\r\n\r\n", 1), SUPPORT)
    assert again.decision is DUPLICATE


def test_who_has_too_many_tickets_learns_it_in_the_app(world):
    for number in range(12):
        row = world.arrive(mail(world.owner.email, f"Question {number}"), SUPPORT, later=3600)
    assert row.decision is REFUSED
    told = select(Notice.title).where(Notice.user_id == world.owner.id)
    assert "Your mail opened no ticket" in db.session.scalars(told).all()


def test_text_and_files_become_the_message_and_what_is_too_large_is_named(world):
    parts = (
        b"--b\r\n\r\nSee the log.\r\n--b\r\n"
        b"Content-Type: text/csv; name=../../etc/log.csv\r\n"
        b"Content-Disposition: attachment\r\n\r\na,b\r\n--b\r\n"
        b'Content-Type: application/zip; name="big.zip"\r\n\r\nPK\x03\x04'
    )
    raw = mail(
        world.owner.email,
        parts + b"x" * (26 * 1024 * 1024) + b"\r\n--b--",
        Content_Type="multipart/mixed; boundary=b",
    )
    world.arrive(raw)
    said = world.messages()[-1]
    assert said.body == "See the log.\n\n[big.zip (26 MB) was not kept]"
    (file,) = said.files
    assert (file.name, file.size) == ("log.csv", 3)
    assert world.storage.read(file.storage_key) == b"a,b"


def test_a_text_too_long_is_cut_and_says_so(world):
    world.arrive(mail(world.owner.email, "word " * 10_000))
    said = world.messages()[-1].body
    assert len(said) <= 20_000
    assert said.endswith("is kept as its original.]")


def test_a_suspended_holder_is_heard_no_more(world):
    world.owner.suspended_at = world.now
    assert world.arrive(mail(world.owner.email)).decision is HELD


def test_an_internal_token_of_somebody_who_is_no_operator_does_nothing(world):
    to = world.address(world.owner, TokenPurpose.INTERNAL)
    assert world.arrive(mail(world.owner.email), to).decision is HELD
    assert not db.session.scalars(select(TicketNote)).all()


def test_a_token_of_another_domain_is_none(world):
    to = world.to.replace(DOMAIN, "elsewhere.test")
    assert world.arrive(mail(world.owner.email), to).decision is REFUSED


def test_the_date_a_mail_claims_moves_nothing(world):
    world.arrive(mail(world.owner.email, Date="Mon, 01 Jan 1990 00:00:00 +0000"))
    assert world.messages()[-1].created_at == world.now
    assert world.ticket.last_user_at - world.now < timedelta(seconds=1)
