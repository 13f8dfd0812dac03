"""Letters of ours that come back."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.support import return_paths
from app.extensions import db
from app.models import AddressHealth, DeskEvent, Mail, MailDecision, MailState, Notice, NoticeKind
from tests.domain.inbound.post import DOMAIN, KEY, mail

BOUNCE = MailDecision.BOUNCE


def report(status, action="failed", enclosed=""):
    """A delivery report as RFC 3464 has it."""
    return (
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n"
        f"Final-Recipient: rfc822; victim@example.com\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 no such person\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{enclosed}\r\n--b--"
    )


def bounced(world, letter, status="5.1.1", *, signed=True, enclosed="", **how):
    kind = "multipart/report; report-type=delivery-status; boundary=b"
    raw = mail(
        "mailer-daemon@example.com", report(status, enclosed=enclosed, **how), Content_Type=kind
    )
    to = return_paths.make(letter.id, KEY, DOMAIN) if signed else f"bounce@{DOMAIN}"
    return world.arrive(raw, to, sender="")


def sent(world, text="Because."):
    """A letter with the desk's answer, on its way to the owner."""
    answer = world.answer(text)
    letter = db.session.scalars(
        select(Mail).where(Mail.ticket_message_id == answer.id, Mail.recipient_id == world.owner.id)
    ).one()
    letter.state, letter.sent_at = MailState.SENT, world.now
    letter.message_id = f"<t.{letter.id}@plutarc.test>"
    db.session.commit()
    return letter


def health(world):
    return db.session.get(AddressHealth, world.owner.email_key)


def test_an_address_that_does_not_exist_is_written_to_no_more(world):
    letter = sent(world)
    assert bounced(world, letter).decision is BOUNCE
    assert health(world).disabled_at == world.now
    assert (letter.state, "5.1.1" in letter.error) == (MailState.FAILED, True)
    assert world.ticket.warn_due_at is world.ticket.close_due_at is None
    (event,) = db.session.scalars(select(DeskEvent).where(DeskEvent.action == "ticket.bounce_hard"))
    assert event.ticket_id == world.ticket.id
    alarm = select(Notice).where(Notice.kind == NoticeKind.ALARM)
    assert [it.user_id for it in db.session.scalars(alarm)] == [world.owner.id]
    desk = select(Notice.user_id).where(Notice.title.startswith("An address does not exist"))
    assert set(db.session.scalars(desk)) == {world.operator.id, world.other.id}


def test_all_tickets_that_wait_for_them_stay_open(world):
    other = world.ticket
    world.ticket = world.open()
    letter = sent(world)
    world.ticket = other
    world.answer("Another.")
    assert other.close_due_at is not None
    bounced(world, letter)
    assert other.close_due_at is None


def test_soft_bounces_never_shut_an_address(world):
    for number in range(8):
        bounced(world, sent(world, f"Answer {number}"), "4.2.2")
    assert health(world).score == 3
    assert health(world).disabled_at is None


def test_two_hard_ones_do_and_old_ones_are_forgiven(world):
    bounced(world, sent(world, "One"), "5.1.2")
    assert health(world).disabled_at is None
    world.now += timedelta(days=31)
    bounced(world, sent(world, "Two"), "5.1.2")
    assert (health(world).score, health(world).disabled_at) == (2, None)
    bounced(world, sent(world, "Three"), "5.1.2")
    assert health(world).disabled_at is not None


def test_a_delay_is_no_bounce(world):
    letter = sent(world)
    before = world.ticket.close_due_at
    bounced(world, letter, "4.4.1", action="delayed")
    assert health(world) is None
    assert (letter.state, world.ticket.close_due_at) == (MailState.SENT, before)


@pytest.mark.parametrize("headers", [(), [("Auto-Submitted", "auto-replied")]])
@pytest.mark.parametrize("text", ["I am away.", "Zurück am 5.1.26, dann wieder für Sie da."])
def test_who_is_away_answers_to_the_return_address_and_nothing_came_back(world, headers, text):
    if text[0] == "Z" and not headers:
        headers = [("X-Autoreply", "yes")]
    letter = sent(world)
    before = world.ticket.close_due_at
    raw = mail(world.owner.email, text, headers=headers)
    row = world.arrive(raw, return_paths.make(letter.id, KEY, DOMAIN), sender="")
    assert row.decision is MailDecision.AUTOMATIC
    assert health(world) is None
    assert (letter.state, world.ticket.close_due_at) == (MailState.SENT, before)


@pytest.mark.parametrize("sender", ["MAILER-DAEMON", "Mail-Daemon@mx.example.com", "x@example.com"])
def test_a_bounce_without_a_report_is_one_by_its_sender_or_its_status(world, sender):
    letter = sent(world)
    raw = mail("x@example.com", "550 5.1.1 There is nobody of this name.", From=sender)
    assert (
        world.arrive(raw, return_paths.make(letter.id, KEY, DOMAIN), sender="").decision is BOUNCE
    )
    assert health(world).disabled_at is not None


def test_a_person_who_is_called_postmaster_is_heard(world):
    world.owner.email = "postmaster@example.com"
    world.owner.email_key = world.owner.email
    db.session.commit()
    row = world.arrive(mail(world.owner.email, "It works."), world.to)
    assert row.decision is MailDecision.APPENDED


def test_the_letter_is_found_by_what_is_enclosed_too(world):
    letter = sent(world)
    bounced(world, letter, signed=False, enclosed=f"Message-ID: {letter.message_id}\r\n\r\nx")
    assert health(world).disabled_at is not None


@pytest.mark.parametrize("enclosed", ["", "Message-ID: <t.guessed@plutarc.test>\r\n\r\nx"])
def test_nobody_shuts_an_address_by_guessing(world, enclosed):
    letter = sent(world)
    row = bounced(world, letter, signed=False, enclosed=enclosed)
    assert row.reason == "It is about no letter of ours."
    assert health(world) is None
    assert db.session.get(AddressHealth, "victim@example.com") is None


def test_a_bounce_adds_no_message_and_moves_no_turn(world):
    letter = sent(world)
    before = world.counts(), world.ticket.state, world.ticket.version
    bounced(world, letter)
    assert (world.counts(), world.ticket.state, world.ticket.version) == before


def test_a_plain_bounce_is_read_by_its_words(world):
    letter = sent(world)
    raw = mail(
        "MAILER-DAEMON@example.com", "550 5.1.1 unknown", headers=[("X-Failed-Recipients", "x")]
    )
    world.arrive(raw, return_paths.make(letter.id, KEY, DOMAIN), sender="")
    assert health(world).disabled_at is not None
