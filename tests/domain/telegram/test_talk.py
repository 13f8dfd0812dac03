"""What is said in the operators' chat: who counts, what becomes an answer, and what never does."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from app.domain.telegram import chats, links, updates
from app.extensions import db
from app.jobs import effect
from app.models import (
    AuditEvent,
    AuthorKind,
    Channel,
    MessageEdit,
    TelegramLink,
    TelegramTopic,
    TelegramUpdate,
    TicketHandling,
    TicketMessage,
    TicketNote,
    TicketState,
    Verification,
)
from tests import factories
from tests.domain.telegram.conftest import to
from tests.factories import TESTER
from tests.fakes.telegram_api import BOT_ID, GROUP, Chat


@pytest.fixture
def ticket(linked):
    return linked.open()


def said(ticket):
    query = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
    return db.session.scalars(query.order_by(TicketMessage.seq)).all()


def noted(ticket):
    return db.session.scalars(select(TicketNote).where(TicketNote.ticket_id == ticket.id)).all()


def test_a_reply_to_what_rang_is_an_answer_its_owner_reads(linked, ticket):
    assert linked.reply(501, ticket, "Try again.") == "said"
    answer = said(ticket)[-1]
    assert (answer.body, answer.author, answer.author_id) == (
        "Try again.",
        AuthorKind.OPERATOR,
        linked.operator.id,
    )
    assert (answer.channel, answer.verification) == (Channel.TELEGRAM, Verification.TELEGRAM)
    assert linked.ticket(ticket).state is TicketState.WAITING_USER
    assert any("Try again." in m["text"] for m in linked.bot.sent(601))
    confirmed = linked.bot.sent(GROUP)[-1]
    assert "Sent as an answer" in confirmed["text"]
    event = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "ticket.reply").limit(1)
    ).one()
    assert (event.actor_id, event.method) == (linked.operator.id, "telegram")


def test_the_button_answer_asks_and_a_reply_to_that_is_an_answer(linked, ticket):
    ring = linked.ring_of(ticket)
    linked.press(501, ring, button(ring, "Answer"), username="ada_desk")
    asked = linked.bot.sent(GROUP)[-1]
    assert asked["text"].startswith("@ada_desk, reply")
    assert linked.bot.answered
    assert linked.say(501, "Now it works.", **to(asked)) == "said"
    assert said(ticket)[-1].body == "Now it works."


def test_all_other_talk_in_the_topic_stays_talk(linked, ticket):
    ring = linked.ring_of(ticket)
    in_topic = {"message_thread_id": ring["message_thread_id"], "is_topic_message": True}
    made = {"message_id": ring["message_thread_id"], "forum_topic_created": {"name": "x"}}
    assert linked.say(501, "What do you think?", **in_topic) == "ignored"
    assert linked.say(501, "Ada, look", **in_topic, reply_to_message=made) == "ignored"
    linked.reply(501, ticket, "An answer.")
    confirmed = linked.bot.sent(GROUP)[-1]
    assert linked.say(501, "well said", **to(confirmed)) == "ignored"
    assert [m.body for m in said(ticket)] == ["It does not start.", "An answer."]


def nobody(desk):
    return 999


def not_confirmed(desk):
    db.session.execute(
        update(TelegramLink).where(TelegramLink.telegram_id == 501).values(confirmed_at=None)
    )
    return 501


def shut(desk):
    links.shut(desk.operator.id, datetime.now(UTC))
    return 501


def no_operator(desk):
    desk.operator.operator = False
    return 501


def suspended(desk):
    desk.operator.suspended_at = datetime.now(UTC)
    return 501


def the_owner(desk):
    return 601


@pytest.mark.parametrize(
    "who",
    [nobody, not_confirmed, shut, no_operator, suspended, the_owner],
    ids=lambda it: it.__name__,
)
def test_who_does_not_count_as_an_operator_changes_nothing(linked, ticket, who):
    number = who(linked)
    db.session.commit()
    before = said(ticket)[-1].seq
    ring = linked.ring_of(ticket)
    for text in ("An answer", "/note secret", "/close", "/solved", "/assign me"):
        assert linked.say(number, text, **to(ring)) == "ignored"
    for name in ("Answer", "Take", "Solved", "Close"):
        assert linked.press(number, ring, button(ring, name)) == "refused"
    assert len(linked.bot.answered) == 4
    assert said(ticket)[-1].seq == before
    assert noted(ticket) == []
    assert linked.ticket(ticket).state is TicketState.NEW
    assert db.session.get(TicketHandling, ticket.id) is None


BORROWED = {
    "anonymous admin": {
        "from": {"id": 1087968824, "is_bot": True, "first_name": "Group"},
        "sender_chat": {"id": GROUP, "type": "supergroup"},
    },
    "as a channel": {"sender_chat": {"id": -1005, "type": "channel"}},
    "forwarded": {"forward_origin": {"type": "hidden_user", "sender_user_name": "Kim", "date": 1}},
    "by a bot": {"from": {"id": 501, "is_bot": True, "first_name": "B"}},
    "through a bot": {"via_bot": {"id": 7, "is_bot": True, "first_name": "B"}},
    "to another chat": {"external_reply": {"origin": {"type": "user"}, "chat": {"id": -1005}}},
}


@pytest.mark.parametrize("what", BORROWED)
def test_what_is_not_an_operators_own_words_in_that_chat_changes_nothing(linked, ticket, what):
    assert linked.reply(501, ticket, "An answer", **BORROWED[what]) == "ignored"
    assert linked.reply(501, ticket, "/close", **BORROWED[what]) == "ignored"
    assert len(said(ticket)) == 1


def test_the_same_reply_from_another_chat_changes_nothing(linked, ticket):
    linked.bot.chats[-1005] = Chat(-1005, "supergroup", forum=True)
    ring = linked.ring_of(ticket)
    assert linked.say(501, "An answer", chat=-1005, **to(ring)) == "ignored"
    assert linked.say(501, "An answer", chat=501, **to(ring)) != "said"
    elsewhere = ring | {"chat": {"id": -1005, "type": "supergroup"}}
    assert linked.press(501, elsewhere, button(ring, "Close")) == "refused"
    assert len(said(ticket)) == 1


def test_a_reply_that_points_at_another_ticket_than_its_topic_is_refused(linked, ticket):
    other = linked.open(subject="Another one")
    ring, topic = linked.ring_of(ticket), linked.ring_of(other)["message_thread_id"]
    crossed = to(ring) | {"message_thread_id": topic}
    assert linked.say(501, "To whom?", **crossed) == "refused"
    assert len(said(ticket)) == len(said(other)) == 1


def test_commands_note_close_solve_and_assign(linked, ticket):
    bob = factories.user("Bobby")
    bob.operator = True
    db.session.commit()
    assert linked.reply(501, ticket, "/note check the logs") == "command"
    assert [n.body for n in noted(ticket)] == ["check the logs"]
    assert len(said(ticket)) == 1
    linked.reply(501, ticket, f"/assign @{bob.email.partition('@')[0]}")
    assert db.session.get(TicketHandling, ticket.id).assignee_id == bob.id
    linked.reply(501, ticket, "/assign me")
    db.session.expire_all()
    assert db.session.get(TicketHandling, ticket.id).assignee_id == linked.operator.id
    assert linked.reply(501, ticket, "/assign @nobody-here") == "refused"
    linked.reply(501, ticket, "/solved")
    assert linked.ticket(ticket).state is TicketState.RESOLVED
    linked.reply(501, ticket, "/close@harbour_desk_bot a double of another one")
    assert linked.ticket(ticket).state is TicketState.CLOSED
    told = [m["text"] for m in linked.bot.sent(601) if "a double of another one" in m["text"]]
    assert len(told) == 1
    assert not [m for m in linked.bot.sent(601) if "check the logs" in m["text"]]


def test_a_command_outside_of_any_ticket_asks_which(linked):
    assert linked.say(501, "/close") == "refused"
    assert "Which ticket?" in linked.bot.sent(GROUP)[-1]["text"]
    assert linked.say(501, "/help") == "helped"


def test_anybody_may_ask_a_chat_for_its_number_once_a_minute(desk):
    desk.bot.chats[-1005] = Chat(-1005, "group")
    for _ in range(3):
        assert desk.say(999, "/id", chat=-1005) == "told its number"
    assert len(desk.bot.sent(-1005)) <= 2
    assert "-1005" in desk.bot.sent(-1005)[0]["text"]


def button(message, name):
    rows = message["reply_markup"]["inline_keyboard"]
    return next(b["callback_data"] for row in rows for b in row if b["text"] == name)


def test_buttons_take_solve_and_close_and_old_ones_are_refused(linked, ticket):
    ring = linked.ring_of(ticket)
    linked.press(501, ring, button(ring, "Take"))
    assert db.session.get(TicketHandling, ticket.id).assignee_id == linked.operator.id
    assert linked.press(501, ring, button(ring, "Solved")) == "pressed"
    assert linked.ticket(ticket).state is TicketState.RESOLVED
    assert linked.press(501, ring, button(ring, "Close")) == "refused"
    assert linked.ticket(ticket).state is TicketState.RESOLVED
    assert len(linked.bot.answered) == 3
    assert "has changed" in list(linked.bot.answered.values())[-1]


@pytest.mark.parametrize("data", ["", "close", "close 99999", "drop 1", "undo", "x" * 64, "done 1"])
def test_data_that_we_never_sent_does_nothing_and_is_answered(linked, ticket, data):
    ring = linked.ring_of(ticket)
    linked.press(501, ring, data)
    assert len(linked.bot.answered) == 1
    assert linked.ticket(ticket).state is TicketState.NEW


def test_an_answer_can_be_taken_back_for_fifteen_seconds_by_who_wrote_it(linked, ticket):
    linked.reply(501, ticket, "Wrong ticket, sorry")
    confirmed = linked.bot.sent(GROUP)[-1]
    cara = factories.user("Cara")
    cara.operator = True
    db.session.commit()
    linked.link(cara, 502)
    assert linked.press(502, confirmed, "undo") == "refused"
    assert linked.press(501, confirmed, "undo") == "pressed"
    answer = said(ticket)[-1]
    assert (answer.body, answer.redacted_at is None) == ("", False)
    waits = linked.ticket(ticket)
    assert (waits.state, waits.warn_due_at) == (TicketState.OPEN, None), "nobody answered them"
    linked.reply(501, ticket, "The right one")
    confirmed = linked.bot.sent(GROUP)[-1]
    late = datetime.now(UTC) - timedelta(seconds=16)
    db.session.execute(
        update(TicketMessage).where(TicketMessage.body == "The right one").values(created_at=late)
    )
    db.session.commit()
    assert linked.press(501, confirmed, "undo") == "refused"
    assert said(ticket)[-1].body == "The right one"


def test_an_edit_changes_the_message_and_never_adds_one(linked, ticket):
    told = linked.bot.say(GROUP, 501, "Try agian.", **to(linked.ring_of(ticket)))
    linked.deliver(told)
    before = len(linked.bot.sent(601))
    assert linked.deliver(linked.bot.edit(told, "Try again.")) == "edited"
    assert [m.body for m in said(ticket)] == ["It does not start.", "Try again."]
    assert said(ticket)[-1].edited_at is not None
    assert db.session.scalars(select(MessageEdit.body)).all() == ["Try agian."]
    assert len(linked.bot.sent(601)) == before
    assert linked.deliver(linked.bot.edit(told, "Try again.")) == "ignored", "it says the same"
    assert linked.deliver(linked.bot.edit(told, "/note for us alone")) == "refused"
    assert said(ticket)[-1].body == "Try again."
    assert linked.deliver(linked.bot.edit(told, "Not mine", **BORROWED["by a bot"])) == "ignored"
    late = datetime.now(UTC) - timedelta(minutes=16)
    db.session.execute(update(TicketMessage).values(created_at=late))
    db.session.commit()
    assert linked.deliver(linked.bot.edit(told, "Too late")) == "refused"
    assert said(ticket)[-1].body == "Try again."


def test_an_edit_of_talk_or_of_a_note_makes_no_message(linked, ticket):
    ring = linked.ring_of(ticket)
    talk = linked.bot.say(GROUP, 501, "hm")
    linked.deliver(talk)
    assert linked.deliver(linked.bot.edit(talk, "/close")) == "ignored"
    note = linked.bot.say(GROUP, 501, "/note one", **to(ring))
    linked.deliver(note)
    assert linked.deliver(linked.bot.edit(note, "/note two")) == "edited"
    assert [n.body for n in noted(ticket)] == ["two"]
    assert len(said(ticket)) == 1
    assert linked.ticket(ticket).state is TicketState.NEW


def test_the_same_update_a_hundred_times_adds_one_message(linked, ticket):
    told = linked.bot.say(GROUP, 501, "Once.", **to(linked.ring_of(ticket)))
    for _ in range(100):
        updates.store(BOT_ID, told, datetime.now(UTC))
    db.session.commit()
    decisions = [effect.take_update(BOT_ID, told["update_id"]) for _ in range(5)]
    assert decisions == ["said", "", "", "", ""]
    linked.work()
    assert [m.body for m in said(ticket)] == ["It does not start.", "Once."]
    count = select(func.count()).select_from(TelegramUpdate)
    same = count.where(TelegramUpdate.update_id == told["update_id"])
    assert db.session.scalar(same) == 1


def test_what_an_update_said_is_kept_no_longer_than_it_waits(linked, ticket):
    told = linked.bot.say(GROUP, 501, "My key is 123.", **to(linked.ring_of(ticket)))
    assert linked.deliver(told) == "said"
    assert linked.deliver(linked.bot.say(GROUP, 501, "Just talk.")) == "ignored"
    assert {str(it) for it in db.session.scalars(select(TelegramUpdate.body))} == {"{}"}


def test_an_update_with_a_number_below_all_others_is_taken(linked, ticket):
    told = linked.bot.say(GROUP, 501, "After a quiet week.", **to(linked.ring_of(ticket)))
    told["update_id"] = 3
    assert linked.deliver(told) == "said"


def test_a_moved_group_is_still_the_operators_chat(linked, ticket):
    ring = linked.ring_of(ticket)
    linked.bot.chats[-1009] = Chat(-1009, "supergroup", forum=True)
    assert linked.say(501, "", migrate_to_chat_id=-1009) == "moved"
    assert chats.same(-1009, GROUP)
    assert db.session.scalars(select(TelegramTopic.chat_id)).all() == [GROUP]
    assert linked.say(501, "An answer", chat=-1009, **to(ring)) != "said"


def test_files_are_fetched_and_kept_or_named(linked, ticket, app, tmp_path):
    from dataclasses import replace

    config = app.extensions["plutarc"]
    app.extensions["plutarc"] = replace(config, storage_url=f"file://{tmp_path}")
    linked.bot.files["doc1"] = b"%PDF-1.7 a page"
    document = {"file_id": "doc1", "file_unique_id": "u", "file_name": "a.pdf", "file_size": 15}
    more = {"caption": "See this", "document": document}
    linked.reply(501, ticket, "", **more)
    answer = said(ticket)[-1]
    assert (answer.body, [f.name for f in answer.files]) == ("See this", ["a.pdf"])
    assert answer.files[0].sniffed_type == "application/pdf"
    gone = {"caption": "And this", "document": document | {"file_id": "gone"}}
    linked.reply(501, ticket, "", **gone)
    assert "a.pdf was not kept" in said(ticket)[-1].body
    app.extensions["plutarc"] = config


@pytest.mark.parametrize(
    "body",
    [
        {"update_id": 1, "message": None},
        {"update_id": 2, "message": {"chat": 5}},
        {"update_id": 3, "message": {"message_id": "1", "chat": {"id": "x"}}},
        {"update_id": 4, "callback_query": {"id": 5}},
        {"update_id": 5, "poll": {"id": "x"}},
        {"update_id": 6, "edited_message": {"message_id": 1, "chat": {"id": GROUP}}},
        {"update_id": 7, "my_chat_member": {"chat": {"id": 5, "type": "private"}}},
        {"update_id": 8, "message": {"message_id": 1, "chat": {"id": GROUP}, "photo": [{}, 3]}},
    ],
)
def test_odd_updates_are_decided_and_change_nothing(linked, body):
    assert linked.deliver(body) in ("ignored", "membership")


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d", "\udc00", "\x1b[0m", "\u202ereversed"])
def test_text_that_no_database_takes_is_taken_without_it(linked, ticket, text):
    assert linked.reply(501, ticket, f"An answer {text}", odd={"\x00": float("nan")}) == "said"
    assert "An answer" in said(ticket)[-1].body
    assert any("An answer" in m["text"] for m in linked.bot.sent(601))


def test_an_update_nested_beyond_reason_is_no_update(desk):
    deep = []
    for _ in range(5_000):
        deep = [deep]
    assert not updates.store(BOT_ID, {"update_id": 9, "message": deep}, datetime.now(UTC))


def test_no_update_at_all_is_not_kept(desk):
    for body in ({}, {"update_id": "1"}, {"update_id": True}, {"update_id": -1}):
        assert not updates.store(BOT_ID, body, datetime.now(UTC))


def test_losing_the_role_ends_answering_at_once(linked, ticket):
    linked.operator.operator = False
    db.session.commit()
    assert linked.reply(501, ticket, "Still me?") == "ignored"
    links.unlink(linked.operator, by=TESTER, now=datetime.now(UTC))
    db.session.commit()


def test_an_answer_that_met_a_busy_database_is_taken_the_next_time(linked, ticket, monkeypatch):
    take = updates.take
    told = linked.bot.say(GROUP, 501, "Try again.", **to(linked.ring_of(ticket)))

    def busy(*_args):
        raise OperationalError("UPDATE", {}, Exception("deadlock detected"))

    monkeypatch.setattr(updates, "take", busy)
    with pytest.raises(OperationalError):
        linked.deliver(told)
    monkeypatch.setattr(updates, "take", take)
    assert updates.sweep(datetime.now(UTC) + timedelta(minutes=2)) == 1
    assert linked.deliver(told) == "said"
    assert said(ticket)[-1].body == "Try again."
