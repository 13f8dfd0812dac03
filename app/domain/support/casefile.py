"""All that an operator sees of one ticket: who asks, what was said, noted and done."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from app.domain.lifecycle import Tempo
from app.domain.support import desk_sight, finding, notes, states
from app.domain.support.desk_sight import SeenBot
from app.extensions import db
from app.models import (
    AuthorKind,
    Contact,
    DeskEvent,
    NoteFile,
    Ticket,
    TicketEvent,
    TicketMessage,
    TicketNote,
    User,
    Workspace,
)

BOTS, OTHERS = 8, 8
"""How many of a workspace's bots and of an owner's other tickets the card shows."""


class Kind(StrEnum):
    """What an entry of the thread is."""

    MESSAGE = "message"
    NOTE = "note"
    EVENT = "event"


@dataclass(frozen=True)
class Entry:
    """One thing in the thread; ``row`` is the message or the note, ``text`` an event in words."""

    kind: Kind
    at: datetime
    who: str
    row: TicketMessage | TicketNote | None = None
    text: str = ""
    internal: bool = False


@dataclass(frozen=True)
class Card:
    """Who asks, and what else there is of them. Of bots it says no more than their state."""

    name: str
    email: str
    contact: bool
    workspace: Workspace
    bots: list[SeenBot]
    more_bots: int
    others: list[Ticket]


def find(ticket_id: str) -> Ticket | None:
    """A ticket of any workspace."""
    query = select(Ticket).where(Ticket.id == ticket_id)
    found: Ticket | None = db.session.scalar(query)
    return found


def find_note(ticket: Ticket, note_id: str) -> TicketNote | None:
    """A note of this ticket."""
    query = select(TicketNote).where(TicketNote.ticket_id == ticket.id, TicketNote.id == note_id)
    found: TicketNote | None = db.session.scalar(query)
    return found


def find_note_file(ticket: Ticket, file_id: str) -> NoteFile | None:
    """A file beside a note of this ticket."""
    query = select(NoteFile).join(TicketNote, TicketNote.id == NoteFile.note_id)
    query = query.where(TicketNote.ticket_id == ticket.id, NoteFile.id == file_id)
    found: NoteFile | None = db.session.scalar(query)
    return found


def find_message(ticket: Ticket, message_id: str) -> TicketMessage | None:
    """A message of this ticket."""
    query = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
    found: TicketMessage | None = db.session.scalar(query.where(TicketMessage.id == message_id))
    return found


def by_ref(ticket: Ticket, text: str) -> Ticket | None:
    """Another ticket by what somebody typed: its id, or ``T-7`` of the same workspace."""
    typed = text.strip()
    if typed.startswith("tkt_"):
        return find(typed)
    number = typed.upper().removeprefix("T-")
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        return None
    query = select(Ticket).where(Ticket.workspace_id == ticket.workspace_id)
    found: Ticket | None = db.session.scalar(query.where(Ticket.number == int(number)))
    return found


def card(ticket: Ticket, now: datetime, tempo: Tempo) -> Card:
    """Who asks."""
    owner: User | Contact = (
        db.session.get_one(User, ticket.opened_by)
        if ticket.opened_by
        else db.session.get_one(Contact, ticket.contact_id)
    )
    workspace = db.session.get_one(Workspace, ticket.workspace_id)
    bots = desk_sight.bots(workspace.id, now, tempo)
    bots.sort(key=lambda it: it.id != ticket.about_id)
    return Card(
        name=owner.name,
        email=owner.email,
        contact=isinstance(owner, Contact),
        workspace=workspace,
        bots=bots[:BOTS],
        more_bots=max(0, len(bots) - BOTS),
        others=_others(ticket),
    )


def thread(ticket: Ticket, after: int = 0) -> list[Entry]:
    """Messages, notes and changes in the order they came; ``after`` leaves out older messages."""
    said = finding.messages(ticket, after)
    noted = notes.of(ticket)
    changed = _events(TicketEvent, ticket)
    kept = _events(DeskEvent, ticket)
    people = {it.author_id for it in said} | {it.author_id for it in noted}
    names = _names(people | {it.actor_id for it in (*changed, *kept)})
    asks = _asker(ticket)
    entries = [_message(it, names, asks) for it in said]
    entries += [
        Entry(Kind.NOTE, it.created_at, names.get(it.author_id, "an operator"), it, internal=True)
        for it in noted
    ]
    entries += _told(changed, names, asks, internal=False)
    entries += _told(kept, names, asks, internal=True)
    return sorted(entries, key=lambda it: it.at)


def messages(ticket: Ticket, after: int) -> list[Entry]:
    """The messages alone that came after the one with this number."""
    said = finding.messages(ticket, after)
    names, asks = _names({it.author_id for it in said}), _asker(ticket)
    return [_message(it, names, asks) for it in said]


def _message(it: TicketMessage, names: dict[str | None, str], asks: str) -> Entry:
    who = names.get(it.author_id, asks if it.author is AuthorKind.CONTACT else "the platform")
    return Entry(Kind.MESSAGE, it.created_at, who, it)


def _asker(ticket: Ticket) -> str:
    if ticket.contact_id is None:
        return "somebody"
    return db.session.get_one(Contact, ticket.contact_id).name


def _names(ids: set[str | None]) -> dict[str | None, str]:
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(ids - {None})))
    return {row[0]: row[1] for row in rows}


def _events(kind: Any, ticket: Ticket) -> list[Any]:
    query = select(kind).where(kind.ticket_id == ticket.id)
    return list(db.session.scalars(query.order_by(kind.created_at)))


def _told(
    events: Iterable[Any], names: dict[str | None, str], asks: str, *, internal: bool
) -> list[Entry]:
    """Changes that say something a message or a note does not say itself."""
    found = []
    for event in events:
        text = words(event, names)
        if text:
            who = names.get(event.actor_id, asks if event.actor_id else "the platform")
            found.append(Entry(Kind.EVENT, event.created_at, who, text=text, internal=internal))
    return found


_SAID = {
    "ticket.open": "",
    "ticket.reply": "",
    "ticket.note": "",
    "ticket.note_edit": "edited a note",
    "ticket.warn": "warned its owner that it will close",
    "ticket.redact": "took out text",
    "ticket.still_needed": "still needs help",
    "ticket.breach": "a promised time has passed",
    "ticket.bundle": "attached a diagnostic bundle",
    "ticket.bundle_withdraw": "took a diagnostic bundle back",
    "ticket.bundle_view": "looked at a bundle",
    "ticket.timeline_view": "looked at the timeline",
    "ticket.access_ask": "asked to look in",
    "ticket.access_grant": "let support look in",
    "ticket.access_refuse": "refused to let support look in",
    "ticket.access_end": "ended the access",
}


def words(event: TicketEvent | DeskEvent, names: dict[str | None, str]) -> str:
    """What happened, in a few words; empty where the message itself says it."""
    parts = [part for it in event.changes if (part := _change(it, names))]
    said = _SAID.get(event.action, event.action.removeprefix("ticket.").replace("_", " "))
    reason = getattr(event, "reason", "")
    if event.action == "ticket.open" and reason:
        return f"its priority was raised by facts: {reason}"
    if event.action in ("ticket.open", "ticket.note"):
        return ""
    text = ", ".join(parts) or said
    return f"{text}: {reason}" if text and reason else text


def _change(changed: dict[str, Any], names: dict[str | None, str]) -> str:
    field, before, after = changed["field"], changed["before"], changed["after"]
    if field == "state":
        return f"now {_label(after)}"
    if field == "assignee_id":
        if after is None:
            return "assigned to nobody"
        return f"assigned to {names.get(after) or _name_of(after)}"
    if field == "tags":
        return f"tagged {', '.join(after)}" if after else "tags taken off"
    if field in ("category", "priority"):
        return f"{field} {before} → {after}"
    return {"link": "linked to another ticket" if after else "unlinked"}.get(field, "")


def _label(state: str) -> str:
    return next((text for one, text in states.DESK_LABELS.items() if one == state), state)


def _name_of(user_id: str) -> str:
    found = db.session.get(User, user_id)
    return found.name if found else "somebody"


def _others(ticket: Ticket) -> list[Ticket]:
    """The same owner's other tickets, newest first."""
    mine = (
        Ticket.opened_by == ticket.opened_by
        if ticket.opened_by
        else Ticket.contact_id == ticket.contact_id
    )
    query = select(Ticket).where(mine, Ticket.id != ticket.id)
    return list(db.session.scalars(query.order_by(Ticket.created_at.desc()).limit(OTHERS)))
