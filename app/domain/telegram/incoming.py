"""An update as Telegram sends it, read with suspicion: what is missing or odd is not there."""

from dataclasses import dataclass
from typing import Any

ANONYMOUS_ADMIN = 1087968824
"""Under this number Telegram hides which administrator wrote."""

_BORROWED = (
    "sender_chat",
    "forward_origin",
    "forward_date",
    "external_reply",
    "via_bot",
    "sender_business_bot",
    "is_automatic_forward",
)
"""Fields of a message that is not, or not surely, its sender's own words in this chat."""

_WITH_FILE = ("document", "video", "audio", "voice", "animation", "video_note")


@dataclass(frozen=True)
class Sent:
    """A file that came with a message; it is fetched before the message is taken."""

    file_id: str
    name: str
    kind: str
    size: int


@dataclass(frozen=True)
class Incoming:
    """One message. ``genuine``: a person's own words, written in this chat under their own name."""

    chat_id: int
    private: bool
    message_id: int
    sender_id: int
    sender_name: str
    username: str
    text: str
    genuine: bool
    thread: int | None = None
    reply_to: int | None = None
    migrate_to: int | None = None
    files: tuple[Sent, ...] = ()

    @property
    def command(self) -> tuple[str, str]:
        """The command this begins with, in lower case, and the rest; empty if with none."""
        if not self.text.startswith("/"):
            return "", ""
        head, _, rest = self.text.partition(" ")
        first, _, more = head.partition("\n")
        name = first[1:].partition("@")[0].lower()
        return name, f"{more}\n{rest}".strip() if more else rest.strip()


@dataclass(frozen=True)
class Press:
    """A button that somebody pressed."""

    callback_id: str
    sender_id: int
    username: str
    chat_id: int
    message_id: int
    thread: int | None
    data: str


def message(found: Any) -> Incoming | None:
    """A message, if it is whole enough to be one."""
    told = _dict(found)
    chat, sender = _dict(told.get("chat")), _dict(told.get("from"))
    chat_id, number, sender_id = (
        _int(chat.get("id")),
        _int(told.get("message_id")),
        _int(sender.get("id")),
    )
    if chat_id is None or number is None:
        return None
    borrowed = any(told.get(name) for name in _BORROWED)
    own = sender_id not in (None, ANONYMOUS_ADMIN) and not sender.get("is_bot")
    reply = _dict(told.get("reply_to_message"))
    thread = _int(told.get("message_thread_id")) if told.get("is_topic_message") else None
    return Incoming(
        chat_id=chat_id,
        private=chat.get("type") == "private" and chat_id == sender_id,
        message_id=number,
        sender_id=sender_id or 0,
        sender_name=_name(sender),
        username=_str(sender.get("username")),
        text=(_str(told.get("text")) or _str(told.get("caption"))).strip(),
        genuine=own and not borrowed,
        thread=thread,
        reply_to=_int(reply.get("message_id")),
        migrate_to=_int(told.get("migrate_to_chat_id")),
        files=_files(told),
    )


def press(found: Any) -> Press | None:
    """A pressed button, if it is whole enough to be one."""
    told = _dict(found)
    where = _dict(told.get("message"))
    sender = _dict(told.get("from"))
    chat_id = _int(_dict(where.get("chat")).get("id"))
    number, sender_id = _int(where.get("message_id")), _int(sender.get("id"))
    callback = _str(told.get("id"))
    if not callback or chat_id is None or number is None or sender_id is None:
        return None
    if sender.get("is_bot"):
        return None
    thread = _int(where.get("message_thread_id")) if where.get("is_topic_message") else None
    username = _str(sender.get("username"))
    return Press(callback, sender_id, username, chat_id, number, thread, _str(told.get("data")))


def membership(found: Any) -> tuple[int, str] | None:
    """Whose private chat with the bot changed, and what it became (``kicked``, ``member``)."""
    told = _dict(found)
    chat = _dict(told.get("chat"))
    status = _str(_dict(told.get("new_chat_member")).get("status"))
    number = _int(chat.get("id"))
    return (number, status) if number and chat.get("type") == "private" else None


def _files(told: dict[str, Any]) -> tuple[Sent, ...]:
    photos = [it for it in _list(told.get("photo")) if _str(_dict(it).get("file_id"))]
    if photos:
        largest = max(photos, key=lambda it: _int(it.get("file_size")) or 0)
        size = _int(largest.get("file_size")) or 0
        return (Sent(largest["file_id"], "photo.jpg", "image/jpeg", size),)
    for name in _WITH_FILE:
        one = _dict(told.get(name))
        if file_id := _str(one.get("file_id")):
            kind = _str(one.get("mime_type")) or "application/octet-stream"
            size = _int(one.get("file_size")) or 0
            return (Sent(file_id, _str(one.get("file_name")) or name, kind, size),)
    return ()


def _name(sender: dict[str, Any]) -> str:
    said = f"{_str(sender.get('first_name'))} {_str(sender.get('last_name'))}".strip()
    username = _str(sender.get("username"))
    return f"{said} (@{username})" if username else said


def _dict(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _str(found: Any) -> str:
    return found if isinstance(found, str) else ""


def _int(found: Any) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) else None
