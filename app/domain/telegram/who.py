"""Who speaks, and about which ticket: the only place that says so for what comes from Telegram.

An operator counts as one only where all of it holds: their own words under their own name, in the
configured chat, by a linked and confirmed account whose person is an operator now.
"""

from app.domain import access
from app.domain.access import Permission
from app.domain.audit import Actor
from app.domain.errors import Invalid
from app.domain.support import finding, notes
from app.domain.support.events import Voice
from app.domain.telegram import chats, links
from app.extensions import db
from app.models import (
    AuthorKind,
    Channel,
    Membership,
    TelegramLink,
    TelegramMessage,
    TelegramTopic,
    Ticket,
    User,
)

RINGS = frozenset({"opened", "message", "prompt"})
"""Messages of ours in the operators' chat to which a reply is an answer."""

TO_OWNER = frozenset({"answer", "warning", "closed", "ended", "access"})
"""Messages of ours to an owner to which a reply is a message of theirs."""


def linked(telegram_id: int) -> tuple[TelegramLink, User] | None:
    """The person of a Telegram account, if they confirmed it and may sign in."""
    link = links.by_telegram(telegram_id)
    if link is None or link.confirmed_at is None or link.inactive_at is not None:
        return None
    user = db.session.get_one(User, link.user_id, populate_existing=True)
    if user.suspended_at is not None or user.deleted_at is not None:
        return None
    return link, user


def operator(telegram_id: int, chat_id: int, operators_chat: int) -> User | None:
    """The operator who speaks in the operators' chat, or nobody."""
    if not chats.same(chat_id, operators_chat):
        return None
    found = linked(telegram_id)
    return found[1] if found and found[1].operator else None


def mapped(chat_id: int, message_id: int | None) -> TelegramMessage | None:
    """What we know of a message in a chat."""
    if message_id is None:
        return None
    return db.session.get(TelegramMessage, (chats.where(chat_id), message_id)) or db.session.get(
        TelegramMessage, (chat_id, message_id)
    )


def ticket_at(chat_id: int, thread: int | None, reply_to: int | None) -> Ticket | None:
    """The ticket that something in the operators' chat is about: by topic, else by reply.

    A reply that points at another ticket than the topic's is about neither.
    """
    replied = mapped(chat_id, reply_to)
    by_reply = replied.ticket_id if replied else None
    by_topic = None
    if thread is not None:
        query = db.select(TelegramTopic.ticket_id).where(
            TelegramTopic.chat_id == chats.where(chat_id), TelegramTopic.thread_id == thread
        )
        by_topic = db.session.scalar(query)
    if by_topic and by_reply and by_topic != by_reply:
        return None
    found = by_topic or by_reply
    return db.session.get(Ticket, found) if found else None


def own_ticket(user: User, ticket_id: str) -> Ticket | None:
    """A ticket of that user which they may still see, or nothing."""
    ticket = db.session.get(Ticket, ticket_id)
    if ticket is None or ticket.opened_by != user.id:
        return None
    query = db.select(Membership).where(
        Membership.workspace_id == ticket.workspace_id,
        Membership.user_id == user.id,
    )
    member = db.session.scalar(query)
    if member is None or not access.can(member, Permission.TICKET_OPEN):
        return None
    return finding.one(member, ticket_id)


def voice(user: User, *, desk: bool) -> Voice:
    """How they speak: for the desk, or for themselves."""
    by = Actor("user", user.email, user.id, method="telegram", source="worker")
    kind = AuthorKind.OPERATOR if desk else AuthorKind.USER
    return Voice(kind, by, user.id, Channel.TELEGRAM)


def chosen(words: str, speaker: User) -> User:
    """Whom ``/assign`` names: ``me`` or nobody (the speaker), or ``@name`` of an operator.

    Raises:
        Invalid: no operator, or more than one, answers to that.
    """
    wanted = words.strip().lower()
    if wanted in ("", "me"):
        return speaker
    found = notes.mentioned(f"@{wanted.lstrip('@')}")
    if len(found) != 1:
        raise Invalid("Name one operator by the part of their address before the @.")
    return found[0]
