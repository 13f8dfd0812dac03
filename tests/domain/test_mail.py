"""A letter's life: claimed once, tried again, given up, told apart from a repeat."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import mail, outbox
from app.domain.letters import House
from app.extensions import db
from app.gateways.mail import Delivery, Fate
from app.models import Mail, MailState, OutboxMessage
from tests.factories import NOW

HOUSE = House("plutarc", "https://plutarc.test")
DONE = Delivery(Fate.SENT)
LATER = Delivery(Fate.RETRY, "451 come back later")


@pytest.fixture
def letter(app):
    made = mail.post(
        "mail_check", to="bo@example.org", name="Bo", now=NOW, console="https://x", link="https://s"
    )
    db.session.commit()
    return made


def begin(letter, now=NOW, sender="plutarc@plutarc.test"):
    errand = mail.begin(letter.id, now, house=HOUSE, sender=sender)
    db.session.commit()
    return errand


def finish(errand, delivery, now=NOW):
    taken = mail.finish(errand, delivery, now)
    db.session.commit()
    return taken


def asked(now):
    return [message.arguments for message in outbox.unsent(now)]


def test_it_is_asked_for_with_the_transaction_that_wants_it(app):
    mail.post("mail_check", to="bo@example.org", now=NOW, console="x")
    db.session.rollback()
    assert db.session.scalar(select(Mail.id)) is None
    assert db.session.scalar(select(OutboxMessage.number)) is None


def test_sent_once_and_the_secret_is_dropped(letter):
    errand = begin(letter)
    assert errand.letter.message_id == f"<{letter.id}@plutarc.test>"
    assert "https://x" in errand.letter.text
    assert finish(errand, DONE)
    assert (letter.state, letter.sent_at, letter.attempts) == (MailState.SENT, NOW, 1)
    assert letter.values == {"console": "https://x"}
    assert begin(letter, NOW + timedelta(days=1)) is None
    assert not finish(errand, Delivery(Fate.FAILED, "no"))


def test_only_one_may_try_at_a_time(letter):
    assert begin(letter)
    assert begin(letter) is None
    assert begin(letter, NOW + mail.TRY_LASTS - timedelta(seconds=1)) is None


def test_whoever_tries_after_a_lost_worker_says_the_same_message_id(letter):
    first = begin(letter)
    second = begin(letter, NOW + mail.TRY_LASTS, sender="elsewhere@other.test")
    assert second.letter.message_id == first.letter.message_id
    assert second.attempt == 2


def test_what_a_late_worker_says_gives_way(letter):
    first = begin(letter)
    second = begin(letter, NOW + mail.TRY_LASTS)
    assert not finish(first, Delivery(Fate.FAILED, "no such person"))
    assert letter.state is MailState.QUEUED
    assert finish(second, LATER)


def test_a_late_worker_that_did_send_it_is_believed(letter):
    first, second = begin(letter), begin(letter, NOW + mail.TRY_LASTS)
    assert finish(first, DONE)
    assert not finish(second, Delivery(Fate.UNKNOWN, "lost"))
    assert letter.state is MailState.SENT


@pytest.mark.parametrize("fate", [Fate.RETRY, Fate.UNKNOWN])
def test_tried_again_with_growing_pauses_until_it_is_given_up(letter, fate):
    now, pauses = NOW, []
    while letter.state in mail.WAITING:
        errand = begin(letter, now)
        assert finish(errand, Delivery(fate, "451 come back later"), now)
        pauses.append(letter.try_at - now)
        now = letter.try_at
        if letter.state in mail.WAITING:
            assert {"mail_id": letter.id} in asked(now)
            assert begin(letter, now - timedelta(seconds=1)) is None
    for pause, meant in zip(pauses, mail.PAUSES, strict=False):
        assert 0.8 * meant <= pause <= 1.2 * meant
    assert timedelta(days=2.5) < sum(pauses[:-1], timedelta()) < timedelta(days=4)
    assert letter.attempts == mail.MOST_TRIES
    assert letter.state is MailState.FAILED
    assert "451 come back later" in letter.error


def test_refused_for_good_keeps_the_servers_word(letter):
    finish(begin(letter), Delivery(Fate.FAILED, "550 no such person"))
    assert (letter.state, letter.error) == (MailState.FAILED, "550 no such person")
    assert letter.values["link"] == "https://s"


def test_without_a_mail_server_it_is_unsent_and_says_so(letter):
    finish(begin(letter), Delivery(Fate.UNSENT, "No mail server is set (SMTP_URL)."))
    assert letter.state is MailState.UNSENT
    assert "SMTP_URL" in letter.error
    letter.state, letter.try_at = MailState.QUEUED, NOW
    assert begin(letter, sender="a@later.test").letter.message_id == f"<{letter.id}@later.test>"


def test_a_letter_that_cannot_be_written_fails_and_says_why(app):
    made = mail.post("mail_check", to="bo@example.org", now=NOW)
    db.session.commit()
    assert begin(made) is None
    assert made.state is MailState.FAILED
    assert "console" in made.error


def test_the_sweep_asks_anew_for_what_the_queue_forgot(letter):
    outbox.mark_sent([db.session.scalar(select(OutboxMessage.number))], NOW)
    late = NOW + mail.LOST_AFTER
    assert mail.sweep(late - timedelta(seconds=1)) == 0
    assert mail.sweep(late) == 1
    assert asked(late) == [{"mail_id": letter.id}]
    assert mail.sweep(late + timedelta(seconds=1)) == 0
    assert begin(letter, late)


def test_the_sweep_leaves_what_is_done_or_waits(letter):
    finish(begin(letter), DONE)
    other = mail.post("mail_check", to="bo@example.org", now=NOW, console="x")
    finish(begin(other), LATER)
    assert mail.sweep(other.try_at + timedelta(seconds=1)) == 0
    assert mail.sweep(NOW + timedelta(days=1)) == 1


def test_letters_are_forgotten_after_three_months_unless_they_wait(letter):
    finish(begin(letter), DONE)
    waiting = mail.post("mail_check", to="bo@example.org", now=NOW, console="x")
    mail.forget(NOW + mail.KEPT)
    assert set(db.session.scalars(select(Mail.id))) == {letter.id, waiting.id}
    mail.forget(NOW + mail.KEPT + timedelta(seconds=1))
    assert db.session.scalars(select(Mail.id)).all() == [waiting.id]
