"""Words that operators sort tickets by. A tag exists once, in lower case."""

import re
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select

from app.domain.audit import Change
from app.domain.errors import Invalid
from app.domain.support import events
from app.domain.support.events import Voice
from app.domain.support.tickets import lock
from app.extensions import db
from app.models import Tag, Ticket, TicketTag
from app.models.base import new_id

MOST, LONGEST = 10, 40
_WORD = re.compile(r"[\w][\w .+-]*")


def put(ticket: Ticket, names: Iterable[str], *, voice: Voice, now: datetime) -> None:
    """Give a ticket exactly these tags; those that nobody used yet are made.

    Raises:
        Invalid: one is no word, or there are too many.
    """
    wanted = sorted({_clean(name) for name in names if name.strip()})
    if len(wanted) > MOST:
        raise Invalid(f"Use at most {MOST} tags.", "tags")
    lock(ticket)
    before = of(ticket)
    if before == wanted:
        return
    db.session.execute(delete(TicketTag).where(TicketTag.ticket_id == ticket.id))
    for name in wanted:
        db.session.add(TicketTag(ticket_id=ticket.id, tag_id=_known(name, now).id))
    db.session.flush()
    events.internal(ticket, "ticket.tag", voice, now, [Change("tags", before, wanted)])


def of(ticket: Ticket) -> list[str]:
    """The tags of a ticket, by name."""
    query = select(Tag.name).join(TicketTag, TicketTag.tag_id == Tag.id).order_by(Tag.name)
    return list(db.session.scalars(query.where(TicketTag.ticket_id == ticket.id)))


def everyone() -> list[str]:
    """All tags in use, to choose from."""
    query = select(Tag.name).where(Tag.id.in_(select(TicketTag.tag_id)))
    return list(db.session.scalars(query.order_by(Tag.name)))


def _clean(name: str) -> str:
    cleaned = " ".join(name.lower().split())
    if len(cleaned) > LONGEST or not _WORD.fullmatch(cleaned):
        raise Invalid(f"A tag is a word or two, of at most {LONGEST} characters.", "tags")
    return cleaned


def _known(name: str, now: datetime) -> Tag:
    found = db.session.scalars(select(Tag).where(Tag.name == name)).first()
    if found is None:
        found = Tag(id=new_id("tag"), name=name, created_at=now)
        db.session.add(found)
        db.session.flush()
    return found
