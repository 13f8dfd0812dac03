"""Whether the bot answers, what it is called, and what it may do in the operators' chat."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.telegram import chats
from app.gateways.telegram import Fate, Telegram


@dataclass(frozen=True)
class Seen:
    """What Telegram said; ``problem`` is the first thing that is not as it should be."""

    bot_id: int = 0
    chat_id: int = 0
    name: str = ""
    reachable: bool = False
    forum: bool = False
    topics: bool = False
    problem: str = ""


def look(api: Telegram, chat_id: int, bot_id: int) -> Seen:
    """Ask Telegram; touches no row."""
    me = api.call("getMe", {})
    if me.fate is not Fate.DONE or not isinstance(me.result, dict):
        return Seen(bot_id, chat_id, problem=me.detail or "The bot does not answer.")
    name = str(me.result.get("username", ""))
    if not chat_id:
        return Seen(bot_id, 0, name, problem="No operators' chat is set.")
    chat = api.call("getChat", {"chat_id": chat_id})
    if chat.fate is not Fate.DONE or not isinstance(chat.result, dict):
        return Seen(bot_id, chat_id, name, problem=f"The operators' chat: {chat.detail}")
    if chat.result.get("is_forum") is not True:
        return Seen(bot_id, chat_id, name, reachable=True)
    member = api.call("getChatMember", {"chat_id": chat_id, "user_id": bot_id})
    told = member.result if isinstance(member.result, dict) else {}
    may = told.get("status") == "administrator" and told.get("can_manage_topics") is True
    problem = "" if may else "The bot may not manage topics there: make it an administrator."
    return Seen(bot_id, chat_id, name, reachable=True, forum=True, topics=may, problem=problem)


def keep(seen: Seen, now: datetime) -> None:
    """Remember it; what could not be asked stays as it was."""
    if seen.name:
        chats.name_bot(seen.bot_id, seen.name, now)
    if seen.reachable:
        chats.learn(seen.chat_id, forum=seen.topics, now=now)
