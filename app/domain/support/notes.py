"""Notes: what operators tell each other. No message is ever made of one, nor one of a message."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.domain.errors import Invalid, Refused
from app.domain.support import events, tidings
from app.domain.support.events import Voice
from app.domain.support.said import BODY, EMPTY, NewFile
from app.extensions import db
from app.models import NoteFile, NoteMention, Ticket, TicketNote, User
from app.models.base import new_id

_NAMED = re.compile(r"(?<!\w)@([\w.+-]+)")


def add(
    ticket: Ticket,
    body: str,
    *,
    voice: Voice,
    now: datetime,
    key: str | None = None,
    files: tuple[NewFile, ...] = (),
) -> TicketNote:
    """Write a note. The ticket and all its owner sees stay exactly as they were.

    Operators named with ``@name`` (the local part of their address) are told. The same ``key``
    again on this ticket is the same note.

    Raises:
        Refused: whoever writes is no operator.
        Invalid: it is empty or too long.
    """
    if not voice.operator:
        raise Refused("Notes are for operators.")
    if key and (known := _by_key(ticket, key)):
        return known
    cleaned = _clean(body, files)
    note = TicketNote(
        id=new_id("nte"),
        ticket_id=ticket.id,
        author_id=voice.user_id,
        channel=voice.channel,
        key=key or None,
        body=cleaned,
        created_at=now,
    )
    db.session.add(note)
    db.session.flush()
    for file in files:
        db.session.add(NoteFile(note_id=note.id, created_at=now, **vars(file)))
    named = mentioned(cleaned)
    db.session.add_all(NoteMention(note_id=note.id, operator_id=it.id) for it in named)
    tidings.noted(ticket, note, named, now)
    events.internal(ticket, "ticket.note", voice, now)
    return note


def edit(ticket: Ticket, note: TicketNote, body: str, *, voice: Voice, now: datetime) -> None:
    """Change a note of one's own; operators named only now are told.

    Raises:
        Refused: somebody else wrote it.
        Invalid: it is empty or too long.
    """
    if not voice.operator or note.author_id != voice.user_id:
        raise Refused("Only whoever wrote a note may change it.")
    cleaned = _clean(body, note.files)
    if cleaned == note.body:
        return
    known = select(NoteMention.operator_id).where(NoteMention.note_id == note.id)
    told = set(db.session.scalars(known))
    note.body, note.edited_at = cleaned, now
    named = [it for it in mentioned(cleaned) if it.id not in told]
    db.session.add_all(NoteMention(note_id=note.id, operator_id=it.id) for it in named)
    tidings.noted(ticket, note, named, now)
    events.internal(ticket, "ticket.note_edit", voice, now)


def mentioned(body: str) -> list[User]:
    """The operators a text names with ``@`` and the local part of their address."""
    names = {name.lower().rstrip(".") for name in _NAMED.findall(body)}
    if not names:
        return []
    return [it for it in tidings.operators() if it.email_key.partition("@")[0] in names]


def of(ticket: Ticket) -> list[TicketNote]:
    """The notes of a ticket, oldest first. For operators' pages only."""
    query = select(TicketNote).where(TicketNote.ticket_id == ticket.id)
    return list(db.session.scalars(query.order_by(TicketNote.created_at, TicketNote.id)))


def _clean(body: str, files: Sequence[object]) -> str:
    cleaned = body.replace("\r\n", "\n").replace("\x00", "").strip()
    if not cleaned and not files:
        raise Invalid(EMPTY, "body")
    if len(cleaned) > BODY:
        raise Invalid(f"Keep it within {BODY:,} characters.", "body")
    return cleaned


def _by_key(ticket: Ticket, key: str) -> TicketNote | None:
    mine = select(TicketNote).where(TicketNote.ticket_id == ticket.id)
    return db.session.scalars(mine.where(TicketNote.key == key)).first()
