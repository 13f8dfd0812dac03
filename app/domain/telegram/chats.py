"""Chats: what they are, where they moved, and how often they may be written to.

Telegram takes about one message a second per chat, twenty a minute per group and thirty a second
in all. The pace is kept in rows, so that any number of workers keep it together: a chat has ten
messages at once to spend and earns one in six seconds, which is twenty in any minute.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from app.extensions import db
from app.models import TelegramChat

OVERALL = 0
GAP = timedelta(seconds=1)
GROUP_EVERY, GROUP_AT_ONCE = timedelta(seconds=6), 10
ALL_EVERY, ALL_AT_ONCE = timedelta(seconds=1 / 15), 15
_LONG_AGO = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def known(chat_id: int) -> TelegramChat:
    """The row of a chat, locked until the commit; made where there is none."""
    query = select(TelegramChat).where(TelegramChat.chat_id == chat_id)
    query = query.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        dialect = db.session.get_bind().dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        row = {"chat_id": chat_id, "name": "", "free_at": _LONG_AGO, "paced_at": _LONG_AGO}
        new: Any = insert(TelegramChat).values(row)
        # Two workers may meet a chat first at once: one makes its row, and both go on with it.
        db.session.execute(new.on_conflict_do_nothing(index_elements=["chat_id"]))
        found = db.session.scalars(query).one()
    return found


def where(chat_id: int) -> int:
    """The number a chat has now: groups get another one when they become supergroups."""
    seen = {chat_id}
    while (row := db.session.get(TelegramChat, chat_id)) and row.moved_to not in (None, *seen):
        chat_id = row.moved_to or chat_id
        seen.add(chat_id)
    return chat_id


def same(one: int, other: int) -> bool:
    """Whether two numbers mean one chat."""
    return bool(one and other) and where(one) == where(other)


def take(chat_id: int, now: datetime) -> datetime | None:
    """Spend one message of a chat; where it has none left, the moment at which it will."""
    chat = known(chat_id)
    overall = known(OVERALL)
    free = max(
        chat.free_at,
        _earliest(chat, GROUP_EVERY, GROUP_AT_ONCE) if chat_id < 0 else _LONG_AGO,
        overall.free_at,
        _earliest(overall, ALL_EVERY, ALL_AT_ONCE),
    )
    if free > now:
        return free
    chat.free_at = now + GAP
    chat.paced_at = max(chat.paced_at, now) + GROUP_EVERY
    overall.paced_at = max(overall.paced_at, now) + ALL_EVERY
    return None


def resting(chat_id: int, now: datetime) -> datetime | None:
    """Until when a chat is to be left be; nothing where it may be called now."""
    free = known(chat_id).free_at
    return free if free > now else None


def rest(chat_id: int, until: datetime) -> None:
    """Leave a chat be until then, because Telegram asked for it."""
    chat = known(chat_id)
    chat.free_at = max(chat.free_at, until)


def moved(chat_id: int, to: int) -> None:
    """A group became a supergroup: what was meant for it goes there from now on."""
    if chat_id != to:
        known(chat_id).moved_to = to


def learn(chat_id: int, *, forum: bool, now: datetime) -> None:
    """Remember whether a chat has topics that the bot may make."""
    chat = known(chat_id)
    chat.forum, chat.looked_at = forum, now


def name_bot(bot_id: int, name: str, now: datetime) -> None:
    """Remember what the bot is called; deep links need it."""
    row = known(bot_id)
    row.name, row.looked_at = name[:64], now


def bot_name(bot_id: int) -> str:
    """What the bot is called, as far as it is known."""
    row = db.session.get(TelegramChat, bot_id)
    return row.name if row else ""


def _earliest(chat: TelegramChat, every: timedelta, at_once: int) -> datetime:
    return chat.paced_at - every * (at_once - 1)
