"""Whether a call is still worth making when its turn comes, and where it goes."""

from app.domain import access, alarm_bells, notices
from app.domain.support import access_rules
from app.domain.telegram import calls, chats
from app.extensions import db
from app.models import (
    Audience,
    BotAlarm,
    FleetAlarm,
    Membership,
    TelegramCall,
    TelegramTopic,
    Ticket,
    TicketMessage,
    TicketState,
    User,
)


def chat_of(call: TelegramCall, operators_chat: int) -> int:
    """The chat a call goes to; 0 where there is none, or none any more."""
    if call.kind == "button":
        return 0
    if call.destination in (calls.OPERATORS, calls.TOPICS):
        return chats.where(operators_chat)
    if "chat" in call.values:
        return chats.where(int(call.values["chat"]))
    link = calls.active_link(call.destination)
    return link.chat_id if link else 0


def void(call: TelegramCall, ticket: Ticket | None, operators_chat: int) -> str:
    """Why a call is not made any more; nothing where it is."""
    if call.kind == "button":
        return ""
    if not chat_of(call, operators_chat):
        return "There is no chat for it (any more)."
    if call.ticket_id and ticket is None:
        return "The ticket is gone."
    if call.kind in _ALARMS:
        return _ALARMS[call.kind](call)
    if call.kind == "topic":
        return _void_topic(ticket, operators_chat)
    if call.message_id is not None:
        message = db.session.get(TicketMessage, call.message_id, populate_existing=True)
        if message is None or message.redacted_at is not None:
            return "The message was taken back."
    return _void_person(call, ticket) if call.recipient_id else ""


def _void_alarm(call: TelegramCall) -> str:
    alarm = db.session.get(FleetAlarm, call.values.get("alarm_id", ""), populate_existing=True)
    return "The trouble is over." if alarm is None or alarm.cleared_at is not None else ""


def _void_bot_alarm(call: TelegramCall) -> str:
    """Who may stop the bot no longer is told nothing of it."""
    key = call.values.get("alarm_id", "")
    alarm = db.session.get(BotAlarm, key, populate_existing=True)
    if alarm is None or alarm.ended_at is not None:
        return "The trouble is over."
    if call.recipient_id not in {it.id for it in alarm_bells.hearers(alarm.workspace_id)}:
        return "It is not theirs to hear any more."
    return ""


def _void_notice(call: TelegramCall) -> str:
    """What is not in their inbox, or no longer theirs to hear, goes nowhere."""
    found = notices.find(call.destination, str(call.values.get("notice")))
    if found is None or found.workspace_id is None:
        return "It is gone from the inbox."
    if call.recipient_id not in {it.id for it in alarm_bells.hearers(found.workspace_id)}:
        return "It is not theirs to hear any more."
    return ""


def _void_topic(ticket: Ticket | None, operators_chat: int) -> str:
    topic = db.session.get(TelegramTopic, ticket.id) if ticket else None
    if topic is None or topic.chat_id != chats.where(operators_chat):
        return "The ticket has no topic."
    return ""


def _void_person(call: TelegramCall, ticket: Ticket | None) -> str:
    person = db.session.get(User, call.recipient_id, populate_existing=True)
    if person is None or person.suspended_at is not None or person.deleted_at is not None:
        return "The account is shut."
    if call.audience is Audience.OPERATOR:
        return "" if person.operator else "The person is no operator any more."
    if ticket is None or ticket.opened_by != person.id:
        return "The ticket is not theirs."
    if not _member(ticket, person):
        return "They have left the workspace."
    if call.kind == "warning" and (
        ticket.state is not TicketState.WAITING_USER or ticket.last_seq != call.values.get("seq")
    ):
        return "The ticket was answered meanwhile."
    if call.kind == "access" and not access_rules.waits(str(call.values.get("access_id"))):
        return "The question was answered or taken back."
    return ""


def _member(ticket: Ticket, person: User) -> bool:
    query = db.select(Membership).where(
        Membership.workspace_id == ticket.workspace_id, Membership.user_id == person.id
    )
    member = db.session.scalar(query.execution_options(populate_existing=True))
    return bool(access.may_enter(member))


_ALARMS = {"alarm": _void_alarm, "bot_alarm": _void_bot_alarm, "notice": _void_notice}
