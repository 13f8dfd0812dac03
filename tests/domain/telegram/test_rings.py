"""What rings in the operators' chat, and in those of owners."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app import current
from app.domain.support import moves, notes
from app.domain.support.events import Voice
from app.domain.telegram import calls, steps
from app.domain.telegram.texts import LONGEST, units
from app.extensions import db
from app.jobs import effect
from app.models import (
    AuthorKind,
    CallState,
    Notice,
    NoticeKind,
    TelegramCall,
    TelegramChat,
    TelegramMessage,
    TelegramTopic,
)
from tests.factories import TESTER
from tests.fakes.telegram_api import GROUP, Chat, Refuse


def test_a_new_ticket_rings_in_a_topic_of_its_own(desk):
    ticket = desk.open("It does not start.\nWhy?")
    (ring,) = desk.bot.sent(GROUP)
    (thread,) = desk.bot.chats[GROUP].topics
    assert ring["message_thread_id"] == thread
    assert desk.bot.chats[GROUP].topics[thread]["name"] == f"{ticket.ref} My bot sleeps"
    for word in ("New ticket", ticket.ref, "Olive", "Harbour Desk", "It does not start.\nWhy?"):
        assert word in ring["text"]
    assert f"https://desk.test/operator/tickets/{ticket.id}" in ring["text"]
    assert {"is_disabled": True} in [
        given.get("link_preview_options") for _, given, _ in desk.bot.calls
    ]
    (call,) = desk.calls()
    assert (call.state, call.error) == (CallState.SENT, "")
    assert call.sent_at is not None
    known = db.session.get(TelegramMessage, (GROUP, ring["message_id"]))
    assert (known.ticket_id, known.kind) == (ticket.id, "opened")


def test_a_message_rings_in_the_same_topic_and_an_answer_rings_nobody_at_the_desk(desk):
    ticket = desk.open()
    voice = Voice(AuthorKind.USER, TESTER, desk.owner.id)
    moves.need_help(ticket, voice=voice, now=datetime.now(UTC))
    from app.domain.support import tickets
    from app.domain.support.said import Said

    tickets.post(ticket, Said("Still asleep."), voice=voice, now=datetime.now(UTC))
    desk.answer(ticket)
    desk.work()
    first, second = desk.bot.sent(GROUP)
    assert first["message_thread_id"] == second["message_thread_id"]
    assert "New message" in second["text"]
    assert desk.bot.methods().count("createForumTopic") == 1


def test_a_group_without_topics_and_one_where_the_bot_may_make_none(desk):
    desk.bot.chats[GROUP].forum = False
    desk.open()
    assert "message_thread_id" not in desk.bot.sent(GROUP)[0]
    desk.bot.chats[GROUP].forum, desk.bot.chats[GROUP].may_manage = True, False
    db.session.execute(update(TelegramChat).values(forum=None))
    db.session.commit()
    desk.open()
    assert len(desk.bot.sent(GROUP)) == 2
    assert {call.state for call in desk.calls()} == {CallState.SENT}


def test_the_topic_closes_and_opens_with_its_ticket(desk):
    ticket = desk.open()
    (topic,) = desk.bot.chats[GROUP].topics.values()
    voice = Voice(AuthorKind.OPERATOR, TESTER, desk.operator.id)
    moves.close(ticket, "done", voice=voice, now=datetime.now(UTC))
    db.session.commit()
    desk.work()
    assert not topic["open"]
    moves.reopen(ticket, voice=voice, now=datetime.now(UTC))
    db.session.commit()
    desk.work()
    assert topic["open"]
    assert {call.state for call in desk.calls(kind="topic")} == {CallState.SENT}


def test_a_topic_that_is_as_it_should_be_is_no_failure(desk):
    ticket = desk.open()
    next(iter(desk.bot.chats[GROUP].topics.values()))["open"] = False
    voice = Voice(AuthorKind.OPERATOR, TESTER, desk.operator.id)
    moves.close(ticket, "done", voice=voice, now=datetime.now(UTC))
    db.session.commit()
    desk.work()
    (call,) = desk.calls(kind="topic")
    assert call.state is CallState.SENT


def test_a_deleted_topic_is_made_anew_once(desk):
    ticket = desk.open()
    desk.bot.chats[GROUP].topics.clear()
    ring_again(desk, ticket)
    (thread,) = desk.bot.chats[GROUP].topics
    assert desk.bot.sent(GROUP)[-1]["message_thread_id"] == thread
    assert db.session.scalars(select(TelegramTopic.thread_id)).all() == [thread]


def test_where_topics_vanish_again_and_again_it_rings_in_the_chat_itself(desk):
    ticket = desk.open()
    gone = Refuse(400, "Bad Request: message thread not found")
    desk.bot.faults += [gone]
    real = desk.bot.do_createForumTopic
    desk.bot.do_createForumTopic = lambda **given: vanish(desk.bot, real(**given))
    ring_again(desk, ticket)
    assert "message_thread_id" not in desk.bot.sent(GROUP)[-1]
    assert {call.state for call in desk.calls()} == {CallState.SENT}


def vanish(bot, topic):
    bot.chats[GROUP].topics.pop(topic["message_thread_id"])
    return topic


def test_what_falls_through_into_another_topic_is_taken_back_and_sent_anew(desk):
    ticket = desk.open()
    before = set(desk.bot.chats[GROUP].topics)
    desk.bot.astray = 1
    ring_again(desk, ticket)
    sent = desk.bot.sent(GROUP)
    assert len(sent) == 2
    assert "deleteMessage" in desk.bot.methods()
    (fresh,) = set(desk.bot.chats[GROUP].topics) - before
    assert sent[-1]["message_thread_id"] == fresh


def test_a_group_that_became_a_supergroup_is_followed(desk):
    old = desk.bot.chats[GROUP]
    old.moved_to, desk.bot.chats[-1009] = -1009, Chat(-1009, "supergroup", forum=True)
    desk.open()
    (ring,) = desk.bot.sent(-1009)
    assert "message_thread_id" in ring
    desk.open()
    assert len(desk.bot.sent(-1009)) == 2
    assert desk.bot.methods().count("getChat") == 2


def test_too_many_is_left_be_for_as_long_as_asked(desk):
    desk.bot.faults.append(Refuse(429, "Too Many Requests: retry after 37", retry_after=37))
    desk.open()
    (call,) = desk.calls()
    assert call.state is CallState.QUEUED
    wait = call.try_at - call.tried_at
    assert timedelta(seconds=37) <= wait < timedelta(seconds=60)
    chat = db.session.get(TelegramChat, GROUP)
    assert chat.free_at >= call.try_at - timedelta(seconds=1)
    desk.work()
    assert desk.bot.sent() == []
    desk.later()
    desk.work()
    assert len(desk.bot.sent(GROUP)) == 1


def test_an_outage_loses_nothing_keeps_the_order_and_says_so_after_a_day(desk):
    down = [Refuse(500, "Internal Server Error")] * 2
    desk.bot.faults += down
    first, second = desk.open("one"), desk.open("two")
    assert desk.bot.sent() == []
    assert {call.state for call in desk.calls()} == {CallState.QUEUED}
    desk.later()
    desk.work()
    rung = [m["text"] for m in desk.bot.sent(GROUP)]
    assert [first.ref in rung[0], second.ref in rung[1]] == [True, True]
    desk.bot.faults += down * 3
    desk.open("three")
    long_ago = datetime.now(UTC) - timedelta(hours=25)
    queued = update(TelegramCall).where(TelegramCall.state == CallState.QUEUED)
    db.session.execute(queued.values(created_at=long_ago, try_at=long_ago))
    db.session.commit()
    desk.work()
    lost = desk.calls(state=CallState.FAILED)
    assert ["Given up" in call.error for call in lost] == [True]
    alarms = select(Notice).where(Notice.kind == NoticeKind.ALARM, Notice.path.like("%telegram"))
    assert [it.user_id for it in db.session.scalars(alarms)] == [desk.operator.id]


def test_what_rings_while_the_first_in_line_rests_tries_it_at_once(desk):
    """Within five seconds of its commit Telegram is asked, although older calls failed."""
    desk.bot.faults.append(Refuse(500, "Internal Server Error"))
    desk.open("one")
    assert desk.bot.sent() == []
    desk.open("two")
    assert len(desk.bot.sent(GROUP)) == 2


def test_pauses_grow_and_those_behind_rest_as_long(desk):
    desk.bot.faults += [Refuse(502, "Bad Gateway")] * 8
    desk.open()
    waits = []
    for _ in range(5):
        (call,) = desk.calls()
        waits.append((call.try_at - call.tried_at).total_seconds() / 60)
        desk.later()
        desk.work()
    assert waits == sorted(waits)
    assert 0.8 < waits[0] < 1.2
    assert waits[-1] > 300


def test_an_answer_that_was_lost_goes_out_once_more_and_says_so(desk):
    ticket = desk.open()
    desk.bot.lose = 1
    ring_again(desk, ticket)
    (_, call) = desk.calls()
    assert call.state is CallState.QUEUED
    desk.later()
    desk.work()
    db.session.refresh(call)
    assert call.state is CallState.SENT
    assert ["(sent again" in m["text"] for m in desk.bot.sent(GROUP)] == [False, False, True]


def test_lost_twice_it_is_left_at_that(desk):
    ticket = desk.open()
    desk.bot.lose = 2
    ring_again(desk, ticket)
    desk.later()
    desk.work()
    (_, call) = desk.calls()
    assert call.state is CallState.UNKNOWN
    desk.later()
    desk.work()
    assert len(desk.bot.sent(GROUP)) == 3


def test_a_long_message_comes_whole_in_numbered_parts_with_its_buttons_under_the_last(desk):
    body = "\n".join(f"line {number} of a long story 😀" for number in range(600))
    desk.open(body)
    parts = desk.bot.sent(GROUP)
    assert len(parts) > 3
    assert all(units(part["text"]) <= LONGEST for part in parts)
    assert [f"({n}/{len(parts)})" in part["text"] for n, part in enumerate(parts, 1)]
    whole = "\n".join(part["text"] for part in parts)
    assert all(f"line {number} of a long story 😀" in whole for number in range(600))
    assert ["reply_markup" in part for part in parts] == [False] * (len(parts) - 1) + [True]


def test_what_was_taken_back_before_its_turn_is_not_sent(desk):
    desk.bot.faults.append(Refuse(500, "Internal Server Error"))
    ticket = desk.open("a secret by mistake")
    ticket.messages[0].redacted_at = datetime.now(UTC)
    db.session.commit()
    desk.later()
    desk.work()
    assert desk.bot.sent() == []
    (call,) = desk.calls()
    assert call.state is CallState.CANCELLED


def test_without_a_bot_or_a_chat_calls_are_settled_at_once(desk, app):
    from dataclasses import replace

    from app.desk_settings import Telegram

    for settings in (Telegram(), replace(app.extensions["plutarc"].telegram, chat_id=0)):
        config = app.extensions["plutarc"]
        app.extensions["plutarc"] = replace(config, telegram=settings)
        desk.open()
        app.extensions["plutarc"] = config
    assert {call.state for call in desk.calls()} == {CallState.CANCELLED}
    assert desk.bot.sent() == []


def test_owners_hear_of_answers_and_never_of_notes(linked):
    ticket = linked.open()
    voice = Voice(AuthorKind.OPERATOR, TESTER, linked.operator.id)
    notes.add(ticket, "canary-of-the-desk", voice=voice, now=datetime.now(UTC))
    linked.answer(ticket, "Try again now.")
    linked.work()
    told = [m["text"] for m in linked.bot.sent(601) if ticket.ref in m["text"]]
    assert len(told) == 1
    assert "Try again now." in told[0]
    assert not [m for m in linked.bot.sent() if "canary-of-the-desk" in m["text"]]


def test_who_blocks_the_bot_is_not_called_again_until_they_come_back(linked):
    ticket = linked.open()
    linked.bot.chats[601].blocked = True
    linked.answer(ticket)
    linked.work()
    (call,) = linked.calls(kind="answer")
    assert call.state is CallState.FAILED
    assert calls.active_link(linked.owner.id) is None
    linked.answer(ticket)
    assert len(linked.calls(kind="answer")) == 1
    linked.bot.chats[601].blocked = False
    linked.say(601, "/start", chat=601)
    assert calls.active_link(linked.owner.id) is not None


@pytest.mark.parametrize("change", ["answered", "left", "unlinked"])
def test_a_warning_is_not_sent_once_it_is_untrue(linked, change):
    ticket = linked.open()
    linked.answer(ticket)
    linked.work()
    now = datetime.now(UTC)
    assert calls.tell_owner(ticket, "warning", "w1", now, closes="Friday")
    if change == "answered":
        linked.answer(ticket, "One more thing.")
    elif change == "left":
        from app.models import Membership

        found = select(Membership).where(
            Membership.user_id == linked.owner.id, Membership.workspace_id == ticket.workspace_id
        )
        db.session.scalars(found).one().suspended_at = now
    else:
        from app.domain.telegram import links

        links.unlink(linked.owner, by=TESTER, now=now)
    db.session.commit()
    linked.work()
    (call,) = linked.calls(kind="warning")
    assert call.state is CallState.CANCELLED
    assert call.sent_at is None


def test_a_warning_that_telegram_took_counts_as_taken(linked):
    ticket = linked.open()
    linked.answer(ticket)
    now = datetime.now(UTC)
    for _ in range(2):
        assert calls.tell_owner(ticket, "warning", "w1", now, closes="Friday")
    db.session.commit()
    linked.work()
    (call,) = linked.calls(kind="warning")
    assert call.state is CallState.SENT
    assert call.sent_at is not None
    warned = [m for m in linked.bot.sent(601) if "Friday" in m["text"]]
    assert len(warned) == 1
    assert [b["text"] for b in warned[0]["reply_markup"]["inline_keyboard"][0]] == [
        "Solved",
        "I still need help",
    ]


def test_a_job_run_twice_sends_once_and_a_late_answer_changes_nothing(desk):
    desk.open()
    (call,) = desk.calls()
    assert not effect.ring(call.id)
    late = steps.Errand(call.id, call.attempts - 1, "send", GROUP, "sendMessage", {})
    from app.gateways.telegram import Answer, Fate

    assert not steps.finish(late, Answer(Fate.LATER), datetime.now(UTC))
    assert len(desk.bot.sent(GROUP)) == 1


def ring_again(desk, ticket):
    from app.domain.support import tickets
    from app.domain.support.said import Said

    voice = Voice(AuthorKind.USER, TESTER, desk.owner.id)
    tickets.post(ticket, Said("Another word."), voice=voice, now=datetime.now(UTC))
    db.session.commit()
    desk.work()


def test_what_was_lost_before_it_was_sent_is_no_doubt_and_still_rings(desk):
    """Looking at a chat and making a topic tell nobody anything: that is simply done again."""
    desk.bot.lose = 3
    desk.open()
    for _ in range(4):
        desk.later()
        desk.work()
    (call,) = desk.calls()
    assert call.state is CallState.SENT
    (ring,) = desk.bot.sent(GROUP)
    assert "sent again" not in ring["text"]


def test_a_worker_that_dies_before_it_sends_leaves_no_doubt(desk):
    desk.bot.faults.append(Refuse(500, "Internal Server Error"))
    desk.open()
    (call,) = desk.calls()
    for _ in range(3):
        desk.later()
        assert steps.begin(call.id, datetime.now(UTC), effect._desk(current.config()))
        db.session.commit()
    desk.later()
    desk.work()
    (call,) = desk.calls()
    assert call.state is CallState.SENT
    assert "sent again" not in desk.bot.sent(GROUP)[0]["text"]


def test_what_was_lost_twice_alarms_the_operators(desk):
    ticket = desk.open()
    desk.bot.lose = 2
    ring_again(desk, ticket)
    desk.later()
    desk.work()
    alarms = select(Notice).where(Notice.kind == NoticeKind.ALARM, Notice.path.like("%telegram"))
    assert [it.user_id for it in db.session.scalars(alarms)] == [desk.operator.id]


def test_too_many_topics_are_left_be_too_whoever_rings_meanwhile(desk):
    desk.open("one")
    too_many = Refuse(429, "Too Many Requests: retry after 37", retry_after=37)
    desk.bot.faults.append(too_many)
    desk.open("two")
    asked = len(desk.bot.calls)
    desk.open("three")
    assert len(desk.bot.calls) == asked


def test_a_word_in_a_topic_that_is_gone_goes_astray_once_and_not_for_ever(linked):
    ticket = linked.open()
    linked.bot.astray = 5
    linked.reply(501, ticket, "Try again.")
    assert linked.bot.methods().count("deleteMessage") == 1
    (said,) = linked.calls(kind="say", destination=f"chat {GROUP}")
    assert said.state is CallState.SENT


def test_a_stranger_who_shuts_the_bot_out_alarms_nobody(desk):
    desk.bot.person(901).blocked = True
    desk.say(901, "/id", chat=901)
    (call,) = desk.calls(kind="say")
    assert call.state is CallState.FAILED
    assert not db.session.scalars(select(Notice).where(Notice.kind == NoticeKind.ALARM)).all()
