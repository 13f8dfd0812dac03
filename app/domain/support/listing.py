"""Lists of tickets as members see them: filtered, searched, counted and ordered by what is public.

Nothing here reads what only operators see, so no note can move a row, a count or a snippet.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.support import finding, states
from app.extensions import db, prepared
from app.models import Membership, Ticket, TicketMessage, TicketState, User

PAGE = 25
SNIPPET = 160
COUNTED = 100
"""Nobody needs to know how many more are unread."""

_REF = re.compile(r"(?:t-?)?(\d{1,9})", re.IGNORECASE)
_OVER = (*states.SETTLED, TicketState.MERGED)


class Standing(StrEnum):
    """Which tickets to show by where they stand."""

    ALL = "all"
    OPEN = "open"
    WAITING = "waiting"
    OVER = "over"


@dataclass(frozen=True)
class Wish:
    """What somebody asks a list for. ``everybody`` counts only where the member may see all."""

    standing: Standing = Standing.ALL
    everybody: bool = False
    text: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    ticket: Ticket
    owner: str
    snippet: str
    mine: bool

    @property
    def unread(self) -> int:
        """How many messages its owner, who looks, has not seen."""
        return self.ticket.last_seq - self.ticket.seen_seq if self.mine else 0


def page(member: Membership, wish: Wish, number: int) -> list[Row]:
    """The newest first: one more than a page, if there is one more."""
    query = _wanted(member, wish).order_by(Ticket.last_public_at.desc(), Ticket.number.desc())
    found = db.session.scalars(query.offset((number - 1) * PAGE).limit(PAGE + 1)).all()
    names, snippets = _names(found), _snippets(found, wish.text)
    return [
        Row(
            ticket,
            names.get(ticket.opened_by or "", ""),
            snippets.get(ticket.id, ""),
            ticket.opened_by == member.user_id,
        )
        for ticket in found
    ]


def count(member: Membership, wish: Wish) -> int:
    """How many there are."""
    query = _wanted(member, wish).with_only_columns(Ticket.id).subquery()
    return db.session.scalar(select(func.count()).select_from(query)) or 0


def unread(member: Membership) -> int:
    """How many of the member's own tickets here hold something unseen, up to a hundred."""
    values = {"workspace": member.workspace_id, "person": member.user_id}
    return db.session.scalar(_unread(), values) or 0


@prepared
def _unread() -> Select[int]:
    some = select(Ticket.id).where(
        Ticket.workspace_id == bindparam("workspace"),
        Ticket.opened_by == bindparam("person"),
        Ticket.last_seq > Ticket.seen_seq,
    )
    return select(func.count()).select_from(some.limit(COUNTED).subquery())


def _wanted(member: Membership, wish: Wish) -> Select[Ticket]:
    query = finding.visible_to(member)
    if not wish.everybody:
        query = query.where(Ticket.opened_by == member.user_id)
    if wish.standing is Standing.OPEN:
        query = query.where(Ticket.state.not_in(_OVER))
    elif wish.standing is Standing.WAITING:
        query = query.where(Ticket.state == TicketState.WAITING_USER)
    elif wish.standing is Standing.OVER:
        query = query.where(Ticket.state.in_(_OVER))
    return query.where(_says(wish.text)) if wish.text else query


def _says(text: str) -> ColumnElement[bool]:
    """Whether subject, number or a message of a ticket holds a text."""
    said = select(TicketMessage.id).where(
        TicketMessage.ticket_id == Ticket.id, _holds(TicketMessage.body, text)
    )
    parts = [_holds(Ticket.subject, text), said.exists()]
    if match := _REF.fullmatch(text):
        parts.append(Ticket.number == int(match[1]))
    return or_(*parts)


def _holds(column: InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    """Upper and lower case alike. SQLite knows case of ASCII letters only, so it is helped."""
    spelt = {text} if text.isascii() else {text, text.lower(), text.upper(), text.capitalize()}
    return or_(*(column.icontains(it, autoescape=True) for it in sorted(spelt)))


def _names(tickets: Sequence[Ticket]) -> dict[str, str]:
    ids = {ticket.opened_by for ticket in tickets}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return {row.id: row.name for row in rows}


def _snippets(tickets: Sequence[Ticket], text: str) -> dict[str, str]:
    """What was said last or, where something is searched for, said last about that."""
    about = _holds(TicketMessage.body, text) if text else true()
    last = (
        select(TicketMessage.ticket_id, func.max(TicketMessage.seq).label("seq"))
        .where(TicketMessage.ticket_id.in_([it.id for it in tickets]), about)
        .group_by(TicketMessage.ticket_id)
        .subquery()
    )
    same = (TicketMessage.ticket_id == last.c.ticket_id) & (TicketMessage.seq == last.c.seq)
    query = select(TicketMessage.ticket_id, TicketMessage.body).join(last, same)
    return {ticket_id: snippet(body, text) for ticket_id, body in db.session.execute(query)}


def snippet(body: str, text: str = "") -> str:
    """A line of a message, around ``text`` if it holds it."""
    line = " ".join(body.split())
    at = line.lower().find(" ".join(text.split()).lower()) if text else 0
    start = max(0, at - SNIPPET // 3)
    shown = line[start : start + SNIPPET]
    return ("…" if start else "") + shown + ("…" if start + SNIPPET < len(line) else "")
