"""The next step of a call, as the Bot API wants it."""

from dataclasses import dataclass, field
from typing import Any

from app.domain.letters import House
from app.domain.telegram import chats, texts, wording
from app.domain.telegram.calls import OPERATORS
from app.domain.telegram.wording import AGAIN, Words
from app.extensions import db
from app.models import TelegramCall, TelegramTopic, Ticket

_IN_TOPICS = ("opened", "message")


@dataclass(frozen=True)
class Step:
    """One call of the API and what it is for."""

    name: str
    method: str
    parameters: dict[str, Any] = field(repr=False)
    last: bool = False


@dataclass(frozen=True)
class Errand:
    """One step, to be taken outside; ``attempt`` tells it from the next one."""

    call_id: str
    attempt: int
    step: str
    chat_id: int
    method: str
    parameters: dict[str, Any] = field(repr=False)
    last: bool = False


def next_step(call: TelegramCall, ticket: Ticket | None, chat_id: int, house: House) -> Step | None:
    """What is to be done next for a call; ``None`` if all was."""
    if call.values.get("done"):
        return None
    if call.kind == "button":
        return _button(call)
    if call.kind == "topic" and ticket is not None:
        return _turn(ticket, chat_id)
    if "wrong" in call.values:
        wrong = {"chat_id": chat_id, "message_id": call.values["wrong"]}
        return Step("unsend", "deleteMessage", wrong)
    thread = call.values.get("thread")
    if ticket is not None and call.destination == OPERATORS and call.kind in _IN_TOPICS:
        found = _topic(call, ticket, chat_id)
        if isinstance(found, Step):
            return found
        thread = found
    return _send(call, wording.of(call, ticket, house), chat_id, thread)


def _topic(call: TelegramCall, ticket: Ticket, chat_id: int) -> Step | int | None:
    """The topic of a ticket, or the step that leads to it; nothing where the chat has none."""
    if call.values.get("no_topic") or chat_id > 0:
        return None
    chat = chats.known(chat_id)
    if chat.forum is None:
        return Step("look", "getChat", {"chat_id": chat_id})
    if not chat.forum:
        return None
    topic = db.session.get(TelegramTopic, ticket.id, populate_existing=True)
    if topic is None or topic.chat_id != chat_id:
        name = wording.topic_name(ticket)
        return Step("topic", "createForumTopic", {"chat_id": chat_id, "name": name})
    return topic.thread_id


def _turn(ticket: Ticket, chat_id: int) -> Step:
    topic = db.session.get_one(TelegramTopic, ticket.id)
    method = "closeForumTopic" if ticket.over else "reopenForumTopic"
    return Step("turn", method, {"chat_id": chat_id, "message_thread_id": topic.thread_id})


def _button(call: TelegramCall) -> Step:
    text = texts.shortened(str(call.values["text"]), texts.CALLBACK_TEXT)
    return Step(
        "button",
        "answerCallbackQuery",
        {
            "callback_query_id": call.values["callback"],
            "text": text,
            "show_alert": bool(call.values.get("alert")),
        },
    )


def _send(call: TelegramCall, words: Words, chat_id: int, thread: Any) -> Step | None:
    """The next part of a text; a button belongs under the last one."""
    parts = texts.split(words.text)
    sent = int(call.values.get("sent", 0))
    if sent >= len(parts):
        return None
    text = f"{AGAIN}\n{parts[sent]}" if call.values.get("again") else parts[sent]
    parameters: dict[str, Any] = {
        "chat_id": chat_id,
        "text": text,
        "link_preview_options": {"is_disabled": True},
    }
    if thread:
        parameters["message_thread_id"] = int(thread)
    if reply_to := call.values.get("reply_to"):
        parameters["reply_parameters"] = {
            "message_id": int(reply_to),
            "allow_sending_without_reply": True,
        }
    last = sent == len(parts) - 1
    if last and (markup := _markup(call, words)):
        parameters["reply_markup"] = markup
    return Step("send", "sendMessage", parameters, last)


def _markup(call: TelegramCall, words: Words) -> dict[str, Any]:
    if call.values.get("force_reply"):
        return {"force_reply": True, "selective": bool(call.values.get("selective"))}
    if not words.buttons:
        return {}
    rows = [
        [{"text": label, "callback_data": data} for label, data in row] for row in words.buttons
    ]
    return {"inline_keyboard": rows}
