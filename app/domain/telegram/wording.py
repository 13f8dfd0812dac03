"""What a call says: read from the rows at the moment it goes out.

What users are told comes from public messages alone; notes are not even asked for here.
"""

from dataclasses import dataclass, field
from typing import Any

from app.domain import alarm_bells, alarm_kinds, fleet_alarms, notices
from app.domain.letters import House
from app.domain.support import states
from app.domain.telegram.texts import TOPIC_NAME, defused, listed, shortened
from app.extensions import db
from app.models import (
    AuthorKind,
    Bot,
    BotAlarm,
    Contact,
    FleetAlarm,
    TelegramCall,
    Ticket,
    TicketMessage,
    TicketPriority,
    User,
    Workspace,
    WorkspaceKind,
)

AGAIN = "(sent again: the first time may have arrived too)"


@dataclass(frozen=True)
class Words:
    """A text, and the buttons under its last part: rows of label and data."""

    text: str
    buttons: list[list[tuple[str, str]]] = field(default_factory=list)


def of(call: TelegramCall, ticket: Ticket | None, house: House) -> Words:
    """The words of a call."""
    if call.kind == "alarm":
        return _alarm(call, house)
    if call.kind == "bot_alarm":
        return _bot_alarm(call, house)
    if call.kind == "notice":
        return _notice(call, house)
    if ticket is None or call.kind not in _KINDS:
        return Words(str(call.values.get("text", "")), _kept_buttons(call.values))
    message = db.session.get(TicketMessage, call.message_id) if call.message_id else None
    return _KINDS[call.kind](call, ticket, message, house)


def topic_name(ticket: Ticket) -> str:
    """The name of a ticket's topic."""
    return shortened(f"{ticket.ref} {defused(ticket.subject)}", TOPIC_NAME)


def _alarm(call: TelegramCall, house: House) -> Words:
    """What is wrong with the fleet and since when, as it stands as the call goes out."""
    alarm = db.session.get_one(FleetAlarm, call.values["alarm_id"], populate_existing=True)
    link = f"{house.base_url}{fleet_alarms.PAGE}"
    about = f"{link}/bots/{alarm.bot_id}" if alarm.bot_id else link
    head = f"{fleet_alarms.TITLES[alarm.kind]}, {alarm.since:%Y-%m-%d %H:%M} UTC"
    return Words(f"{head}\n\n{defused(alarm.message)}\n\n{about}")


def _bot_alarm(call: TelegramCall, house: House) -> Words:
    """What is wrong with a bot and since when, as it stands as the call goes out."""
    alarm = db.session.get_one(BotAlarm, call.values["alarm_id"], populate_existing=True)
    bot = db.session.get_one(Bot, alarm.bot_id)
    said = defused(alarm_kinds.title(alarm.code, bot.name))
    head = f"ALARM: {said}, {alarm.first_at:%Y-%m-%d %H:%M} UTC"
    body = f"{defused(alarm.text)}\n\nWhat to do: {alarm_kinds.cure(alarm.code)}"
    return Words(f"{head}\n\n{body}\n\n{house.base_url}{alarm_bells.page(alarm)}")


def _notice(call: TelegramCall, house: House) -> Words:
    """What stands in a person's inbox, as it stands there."""
    found = notices.find(call.destination, call.values["notice"])
    if found is None:
        return Words("")
    head = f"ALARM: {defused(found.title)}, {found.created_at:%Y-%m-%d %H:%M} UTC"
    return Words(f"{head}\n\n{defused(found.body)}\n\n{house.base_url}{found.path}")


def _ring(call: TelegramCall, ticket: Ticket, message: TicketMessage | None, house: House) -> Words:
    """What operators hear: who, what, and every word of it."""
    new = call.kind == "opened"
    head = f"{'New ticket' if new else 'New message'} {ticket.ref}"
    if ticket.priority in (TicketPriority.HIGH, TicketPriority.URGENT):
        head = f"{ticket.priority.upper()}: {head}"
    where = f"{ticket.category} · {states.DESK_LABELS[ticket.state]} · {_place(ticket)}"
    body = listed(
        (
            head,
            defused(ticket.subject),
            f"{_author(ticket, message)} · {where}",
            "",
        )
    )
    words = f"{body}\n\n{_body(message)}\n\n{_desk_link(ticket, house)}"
    return Words(words, _desk_buttons(ticket))


def _mention(
    _call: TelegramCall, ticket: Ticket, _message: TicketMessage | None, house: House
) -> Words:
    return Words(
        f"You are named in a note on {ticket.ref}. Read it here:\n{_desk_link(ticket, house)}\n\n"
        "A reply to this message becomes a note; its owner never sees it."
    )


def _answer(
    _call: TelegramCall, ticket: Ticket, message: TicketMessage | None, house: House
) -> Words:
    """What an owner hears."""
    head = f"An answer to {ticket.ref} {defused(ticket.subject)}"
    tail = f"Reply to this message to answer, or open\n{_owner_link(ticket, house)}"
    return Words(f"{head}\n\n{_body(message)}\n\n{tail}", _owner_buttons(ticket))


def _warning(
    call: TelegramCall, ticket: Ticket, _message: TicketMessage | None, house: House
) -> Words:
    closes = defused(str(call.values.get("closes", "soon")))
    return Words(
        f"{ticket.ref} {defused(ticket.subject)}\n\nWe have not heard from you since our last "
        f"answer. The ticket closes on {closes} unless you still need help.\n\n"
        f"{_owner_link(ticket, house)}",
        _owner_buttons(ticket),
    )


def _closed(
    call: TelegramCall, ticket: Ticket, _message: TicketMessage | None, house: House
) -> Words:
    reason = defused(str(call.values.get("reason", "")))
    what = defused(str(call.values.get("what", "closed")))
    return Words(
        f"{ticket.ref} {defused(ticket.subject)} was {what}. {reason}\n\nReply to this message or "
        f"open the ticket to take it up again.\n{_owner_link(ticket, house)}"
    )


def _access(
    call: TelegramCall, ticket: Ticket, _message: TicketMessage | None, house: House
) -> Words:
    told = {it: defused(str(call.values.get(it, ""))) for it in ("asker", "minutes", "reason")}
    return Words(
        f"{ticket.ref} {defused(ticket.subject)}\n\n{told['asker']} from support asks to look into "
        f"the workspace for {told['minutes']} minutes, read-only: {told['reason']}\n\nNothing is "
        f"open unless you say so on the page of the ticket:\n{_owner_link(ticket, house)}"
    )


_KINDS = {
    "opened": _ring,
    "message": _ring,
    "mention": _mention,
    "answer": _answer,
    "warning": _warning,
    "closed": _closed,
    "ended": _closed,
    "access": _access,
}


def _kept_buttons(values: dict[str, Any]) -> list[list[tuple[str, str]]]:
    return [[(label, data) for label, data in row] for row in values.get("buttons", [])]


def _desk_buttons(ticket: Ticket) -> list[list[tuple[str, str]]]:
    at = ticket.version
    return [
        [("Answer", f"answer {at}"), ("Take", f"take {at}")],
        [("Solved", f"solved {at}"), ("Close", f"close {at}")],
    ]


def _owner_buttons(ticket: Ticket) -> list[list[tuple[str, str]]]:
    at = ticket.version
    return [[("Solved", f"done {at}"), ("I still need help", f"help {at}")]]


def _body(message: TicketMessage | None) -> str:
    """Every word of a message, and the names of its files."""
    if message is None:
        return ""
    files = [f"Attached: {defused(file.name)} ({_size(file.size)})" for file in message.files]
    mark = "(written by a machine)" if message.automatic else ""
    return listed((mark, defused(message.body), *files))


def _author(ticket: Ticket, message: TicketMessage | None) -> str:
    """The name of who wrote, for operators."""
    kind = message.author if message else AuthorKind.SYSTEM
    if kind is AuthorKind.CONTACT and ticket.contact_id:
        return defused(db.session.get_one(Contact, ticket.contact_id).name)
    if message and message.author_id:
        return defused(db.session.get_one(User, message.author_id).name)
    return "plutarc"


def _place(ticket: Ticket) -> str:
    workspace = db.session.get_one(Workspace, ticket.workspace_id)
    if workspace.kind is WorkspaceKind.FRONT_DESK:
        return "no account"
    return defused(workspace.name)


def _size(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, size // 1000)} kB"


def _desk_link(ticket: Ticket, house: House) -> str:
    return f"{house.base_url}/operator/tickets/{ticket.id}"


def _owner_link(ticket: Ticket, house: House) -> str:
    return f"{house.base_url}/w/{ticket.workspace_id}/tickets/{ticket.id}"
