"""Linking, and what owners say to the bot alone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.domain import bot_alarms
from app.domain.errors import Conflict, Refused
from app.domain.support import access, notes
from app.domain.support.events import Voice
from app.domain.telegram import calls, links
from app.extensions import db
from app.models import (
    AuthorKind,
    Mail,
    Membership,
    TelegramLink,
    TelegramLinkToken,
    TicketMessage,
    TicketNote,
    TicketState,
    Verification,
    Workspace,
)
from tests import factories
from tests.domain.telegram.conftest import to
from tests.factories import TESTER


def token(desk, user=None, age=timedelta()):
    made = links.begin(user or desk.owner, datetime.now(UTC) - age)
    db.session.commit()
    return made


def start(desk, number, text, **more):
    return desk.say(number, f"/start {text}", chat=more.pop("chat", number), **more)


def linked_numbers():
    return sorted(db.session.scalars(select(TelegramLink.telegram_id)))


def test_a_link_works_once_and_counts_after_it_was_confirmed(desk):
    made = token(desk)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,64}", made)
    assert made not in db.session.scalars(select(TelegramLinkToken.token_hash)).all()
    assert start(desk, 601, made) == "linked"
    assert calls.active_link(desk.owner.id) is None
    letters = db.session.scalars(select(Mail.letter).where(Mail.to_email == desk.owner.email)).all()
    assert "account_changed" in letters
    assert start(desk, 602, made) == "refused"
    assert linked_numbers() == [601]
    found = links.of(desk.owner)
    links.confirm(desk.owner, found.id, by=TESTER, now=datetime.now(UTC))
    db.session.commit()
    assert calls.active_link(desk.owner.id).chat_id == 601
    with pytest.raises(Conflict):
        links.confirm(desk.owner, found.id, by=TESTER, now=datetime.now(UTC))


def test_a_link_is_good_for_ten_minutes(desk):
    assert start(desk, 601, token(desk, age=timedelta(minutes=10, seconds=1))) == "refused"
    assert linked_numbers() == []


def test_a_link_works_in_a_private_chat_alone(desk):
    made = token(desk)
    assert start(desk, 601, made, chat=-1001234567890) == "ignored"
    forged = {"sender_chat": {"id": -1005, "type": "channel"}}
    assert start(desk, 601, made, **forged) == "ignored"
    assert linked_numbers() == []


def test_no_link_is_taken_over(desk):
    desk.link(desk.owner, 601)
    other = factories.user("Mallory")
    db.session.commit()
    assert start(desk, 601, token(desk, other)) == "refused"
    with pytest.raises(Conflict):
        links.begin(desk.owner, datetime.now(UTC))
    waiting = token(desk, other)
    desk.link(other, 603)
    assert start(desk, 604, waiting) == "refused"
    assert linked_numbers() == [601, 603]
    with pytest.raises(Refused):
        links.use("x", telegram_id=9, chat_id=9, name="x", now=datetime.now(UTC))


def test_unlinking_ends_it_and_voids_what_waits(desk):
    desk.link(desk.owner, 601)
    links.unlink(desk.owner, by=TESTER, now=datetime.now(UTC))
    db.session.commit()
    assert linked_numbers() == []
    made = token(desk)
    links.unlink(desk.owner, by=TESTER, now=datetime.now(UTC))
    db.session.commit()
    assert start(desk, 601, made) == "refused"


def test_an_owner_answers_by_replying(linked):
    ticket = linked.open()
    linked.answer(ticket, "Which bot?")
    linked.work()
    told = linked.bot.sent(601)[-1]
    assert linked.say(601, "The blue one.", chat=601, **to(told)) == "said"
    query = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
    last = db.session.scalars(query.order_by(TicketMessage.seq.desc())).first()
    assert (last.body, last.author, last.verification) == (
        "The blue one.",
        AuthorKind.USER,
        Verification.TELEGRAM,
    )
    assert linked.ticket(ticket).state is TicketState.OPEN
    assert "The blue one." in linked.ring_of(ticket)["text"]


def asked_to_look(linked, ticket):
    voice = Voice(AuthorKind.OPERATOR, TESTER, linked.operator.id)
    return access.ask(
        linked.ticket(ticket), linked.operator, 30, "for @you", voice=voice, now=datetime.now(UTC)
    )


def test_a_question_for_access_is_put_to_the_owner_and_not_answered_here(linked):
    ticket = linked.open()
    asked_to_look(linked, ticket)
    db.session.commit()
    linked.work()
    told = linked.bot.sent(601)[-1]
    assert "asks to look into the workspace for 30 minutes, read-only: for @" in told["text"]
    assert "@you" not in told["text"]
    assert "reply_markup" not in told
    assert linked.say(601, "yes", chat=601, **to(told)) == "said"
    (asked,) = access.of_ticket(linked.ticket(ticket))
    assert asked.granted_at is None


def test_a_question_that_was_answered_rings_no_more(linked):
    ticket = linked.open()
    asked_to_look(linked, ticket).refused_at = datetime.now(UTC)
    db.session.commit()
    linked.work()
    assert not [it for it in linked.bot.sent(601) if "asks to look" in it["text"]]


def test_an_owner_says_solved_or_not_by_button(linked):
    ticket = linked.open()
    linked.answer(ticket)
    linked.work()
    told = linked.bot.sent(601)[-1]
    (row,) = told["reply_markup"]["inline_keyboard"]
    done, more = (b["callback_data"] for b in row)
    assert linked.press(601, told, more) == "pressed"
    assert linked.ticket(ticket).state is TicketState.OPEN
    assert linked.press(601, told, done) == "refused"  # the ticket has moved on
    linked.answer(ticket)
    linked.work()
    told = linked.bot.sent(601)[-1]
    linked.press(601, told, told["reply_markup"]["inline_keyboard"][0][0]["callback_data"])
    assert linked.ticket(ticket).state is TicketState.RESOLVED
    assert len(linked.bot.answered) == 3


def test_others_and_those_who_left_do_nothing_to_a_ticket(linked):
    ticket = linked.open()
    linked.answer(ticket)
    linked.work()
    told = linked.bot.sent(601)[-1]
    other = factories.user("Mallory")
    db.session.commit()
    linked.link(other, 603)
    data = told["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    assert linked.press(603, told, data) == "refused"
    mine = told | {"chat": {"id": 603, "type": "private"}}
    assert linked.press(603, mine, data) == "refused"
    assert linked.say(603, "Mine?", chat=603, **to(told)) == "helped"
    db.session.execute(
        update(Membership)
        .where(Membership.user_id == linked.owner.id)
        .values(suspended_at=datetime.now(UTC))
    )
    db.session.commit()
    assert linked.press(601, told, data) == "refused"
    assert linked.say(601, "Still there?", chat=601, **to(told)) == "refused"
    assert linked.ticket(ticket).state is TicketState.WAITING_USER
    linked.answer(ticket, "Only for members")
    linked.work()
    assert not [m for m in linked.bot.sent() if "Only for members" in m["text"]]


def test_a_workspace_that_is_gone_neither_tells_nor_hears(linked):
    ticket = linked.open()
    linked.answer(ticket)
    linked.work()
    told = linked.bot.sent(601)[-1]
    db.session.execute(update(Workspace).values(deleted_at=datetime.now(UTC)))
    db.session.commit()
    assert linked.say(601, "Still there?", chat=601, **to(told)) == "refused"
    linked.answer(ticket, "Only while it is there")
    linked.work()
    assert not [m for m in linked.bot.sent() if "Only while it is there" in m["text"]]


def test_each_link_hears_of_its_own_tickets_alone(linked):
    other = factories.joined(linked.place, name="Nora")
    db.session.commit()
    linked.link(other, 603)
    ticket = linked.open()
    linked.answer(ticket, "For Olive alone.")
    linked.work()
    assert any("For Olive alone." in m["text"] for m in linked.bot.sent(601))
    assert not [m for m in linked.bot.sent(603) if ticket.ref in m["text"]]


def test_a_reply_to_what_tells_of_a_note_can_only_become_a_note(linked):
    ticket = linked.open()
    bob = factories.user("Bobby")
    bob.operator = True
    db.session.commit()
    voice = Voice(AuthorKind.OPERATOR, TESTER, bob.id)
    name = linked.operator.email.partition("@")[0]
    notes.add(ticket, f"@{name} canary-in-a-note", voice=voice, now=datetime.now(UTC))
    db.session.commit()
    linked.work()
    told = linked.bot.sent(501)[-1]
    assert "You are named in a note" in told["text"]
    assert "canary-in-a-note" not in told["text"]
    assert linked.say(501, "I look at it", chat=501, **to(told)) == "noted"
    bodies = db.session.scalars(select(TicketNote.body)).all()
    assert "I look at it" in bodies
    query = select(TicketMessage.body).where(TicketMessage.ticket_id == ticket.id)
    assert db.session.scalars(query).all() == ["It does not start."]


def test_a_private_chat_that_is_the_operators_chat_works_too(linked, app):
    from dataclasses import replace

    config = app.extensions["plutarc"]
    mine = replace(config.telegram, chat_id=501)
    app.extensions["plutarc"] = replace(config, telegram=mine)
    ticket = linked.open()
    ring = linked.bot.sent(501)[-1]
    assert ticket.ref in ring["text"]
    assert linked.say(501, "An answer", chat=501, **to(ring)) == "said"
    app.extensions["plutarc"] = config


@pytest.mark.parametrize("status", ["kicked", "member"])
def test_blocking_and_starting_the_bot_shut_and_open_a_link(linked, status):
    if status == "member":
        links.shut(linked.owner.id, datetime.now(UTC))
        db.session.commit()
    told = {"chat": {"id": 601, "type": "private"}, "new_chat_member": {"status": status}}
    assert linked.deliver(linked.bot.happens("my_chat_member", told)) == "membership"
    assert (calls.active_link(linked.owner.id) is None) == (status == "kicked")


@pytest.mark.parametrize("ended", [False, True])
def test_an_alarm_of_a_bot_rings_those_who_may_stop_it_while_it_lasts(desk, ended):
    desk.link(desk.owner, 71)
    bot = factories.bot(desk.place, name="Tide")
    now = datetime.now(UTC)
    bot_alarms.ring(bot, "stop_missing", "BTC has no stop.", now)
    bot_alarms.ring(bot, "stop_missing", "BTC still has no stop.", now)
    if ended:
        bot_alarms.end(bot.id, ["stop_missing"], now)
    db.session.commit()
    desk.work()
    said = [m["text"] for m in desk.bot.sent(71) if "ALARM" in m["text"]]
    assert len(said) == (0 if ended else 1)
    for text in said:
        assert "Tide holds a position without a stop" in text
        assert "BTC still has no stop." in text
        assert f"https://desk.test/w/{desk.place.id}/bots/{bot.id}" in text
