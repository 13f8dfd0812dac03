"""What a step that Telegram took, or refused as it stood, changes in what we know."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.domain.telegram import chats
from app.domain.telegram.sending import Errand
from app.extensions import db
from app.gateways.telegram import Answer, Cause
from app.models import CallState, TelegramCall, TelegramMessage, TelegramTopic

OPTIONAL = frozenset({"button", "turn", "unsend"})
"""Steps whose failure costs nobody a message."""


def done(call: TelegramCall, errand: Errand, result: Any, now: datetime, *, current: bool) -> None:
    """A step was taken. ``current`` is false where somebody else went on with the call since."""
    told = result if isinstance(result, dict) else {}
    step, chat_id = errand.step, errand.chat_id
    if step == "send":
        _sent(call, errand, told, now, current=current)
    elif step == "topic" and current:
        _made_topic(call, chat_id, told, now)
    elif step == "look":
        chats.learn(chat_id, forum=told.get("is_forum") is True, now=now)
    elif step == "unsend" and current:
        _unsent(call)
    elif current:
        call.values = {**call.values, "done": True}
        call.state, call.sent_at, call.error = CallState.SENT, now, ""


def mended(call: TelegramCall, step: str, chat_id: int, answer: Answer, now: datetime) -> bool:
    """Whether the call can go on another way after it was refused."""
    if answer.cause is Cause.MOVED and answer.moved_to:
        chats.moved(chat_id, answer.moved_to)
        return True
    if answer.cause is Cause.UNCHANGED and step == "turn":
        call.values = {**call.values, "done": True}
        return True
    if answer.cause is Cause.NO_TOPIC and step in ("send", "turn"):
        return _lost_topic(call, step)
    if step in ("topic", "look"):
        # The bot may make no topics (any more): all goes into the chat itself until it may.
        chats.learn(chat_id, forum=False, now=now)
        return True
    if step == "unsend":
        _unsent(call)
        return True
    return False


def _sent(
    call: TelegramCall, errand: Errand, told: dict[str, Any], now: datetime, *, current: bool
) -> None:
    """A part arrived; in another topic than was asked for it is taken back and sent anew."""
    number, asked = told.get("message_id"), errand.parameters.get("message_thread_id")
    thread = told.get("message_thread_id") if told.get("is_topic_message") else None
    if current and asked is not None and thread != asked and call.ticket_id is not None:
        call.values = {**call.values, "wrong": number}
        return
    if isinstance(number, int):
        remember(errand.chat_id, number, call, now)
    if not current:
        return
    call.values = {**call.values, "sent": int(call.values.get("sent", 0)) + 1, "again": False}
    if errand.last:
        call.state, call.sent_at, call.error = CallState.SENT, now, ""


def known(chat_id: int, number: int) -> bool:
    """Whether a message is remembered already."""
    query = select(TelegramMessage.kind).where(
        TelegramMessage.chat_id == chat_id, TelegramMessage.message_id == number
    )
    return db.session.scalar(query) is not None


def remember(chat_id: int, number: int, call: TelegramCall, now: datetime) -> None:
    """Keep which ticket a message of ours belongs to, and how an answer to it counts."""
    if call.ticket_id is None or known(chat_id, number):
        return
    db.session.add(
        TelegramMessage(
            chat_id=chat_id,
            message_id=number,
            ticket_id=call.ticket_id,
            kind=str(call.values.get("role", call.kind)),
            made_id=call.values.get("made") or call.message_id,
            created_at=now,
        )
    )


def _made_topic(call: TelegramCall, chat_id: int, told: dict[str, Any], now: datetime) -> None:
    thread = told.get("message_thread_id")
    if not isinstance(thread, int) or call.ticket_id is None:
        call.values = {**call.values, "no_topic": True}
        return
    topic = db.session.get(TelegramTopic, call.ticket_id)
    if topic is None:
        topic = TelegramTopic(ticket_id=call.ticket_id)
        db.session.add(topic)
    topic.chat_id, topic.thread_id, topic.created_at = chat_id, thread, now


def _unsent(call: TelegramCall) -> None:
    """Once for the topic of a ticket; what answers in a place of its own goes without that."""
    rings = call.kind in ("opened", "message")
    gone = ("wrong",) if rings else ("wrong", "thread")
    call.values = {key: value for key, value in call.values.items() if key not in gone}
    if rings:
        _drop_topic(call)


def _lost_topic(call: TelegramCall, step: str) -> bool:
    if step == "turn" or call.kind not in ("opened", "message"):
        call.values = {key: value for key, value in call.values.items() if key != "thread"}
        if step == "turn":
            call.values = {**call.values, "done": True}
            return True
        return not call.values.get("no_topic") and _without_topic(call)
    _drop_topic(call)
    return True


def _drop_topic(call: TelegramCall) -> None:
    """Forget a topic that does not serve; it is made anew once, then the chat itself has to do."""
    topic = db.session.get(TelegramTopic, call.ticket_id) if call.ticket_id else None
    if topic is not None:
        db.session.delete(topic)
    if call.values.get("anew"):
        _without_topic(call)
    call.values = {**call.values, "anew": True}


def _without_topic(call: TelegramCall) -> bool:
    call.values = {**call.values, "no_topic": True}
    return True
