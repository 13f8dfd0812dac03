"""The operators' queue: filters, order, search and counts, all from fixed lists.

Everything here is for pages of operators: it reads across workspaces, and what only they see.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from app.domain.support import states
from app.extensions import db
from app.models import (
    Contact,
    Tag,
    Ticket,
    TicketCategory,
    TicketClock,
    TicketHandling,
    TicketMessage,
    TicketNote,
    TicketPriority,
    TicketState,
    TicketTag,
    User,
    Workspace,
)

PAGE = 50
Rows = Select[*tuple[Any, ...]]
NEEDS_ANSWER = (TicketState.NEW, TicketState.OPEN)
LIVING = (*NEEDS_ANSWER, TicketState.WAITING_USER, TicketState.ON_HOLD)


class Whose(StrEnum):
    """Whose tickets are shown."""

    ANYONE = ""
    MINE = "mine"
    NOBODY = "nobody"


class Order(StrEnum):
    """What comes first."""

    DUE = "due"
    OLDEST = "oldest"
    NEWEST = "newest"
    PRIORITY = "priority"


@dataclass(frozen=True)
class Wanted:
    """What the queue is narrowed to; an empty value narrows nothing.

    ``state`` is a state, ``answer`` (the desk is the one to answer), ``living`` or ``all``.
    ``notes``: ``text`` is looked for in notes, and there alone.
    """

    state: str = "answer"
    whose: Whose = Whose.ANYONE
    priority: TicketPriority | None = None
    category: TicketCategory | None = None
    tag: str = ""
    workspace: str = ""
    incident: str = ""
    breached: bool = False
    text: str = ""
    notes: bool = False
    order: Order = Order.DUE


@dataclass(frozen=True)
class Line:
    """One ticket of the queue."""

    ticket: Ticket
    owner: str
    workspace: str
    assignee: str
    due_at: datetime | None
    breached: bool
    tags: tuple[str, ...]


def page(wanted: Wanted, operator: User, number: int) -> tuple[list[Line], int]:
    """One page of the queue, and how many tickets the filter lets through.

    The search is done once: the number of tickets found comes with the ids, and only those of the
    page are loaded.
    """
    found: Rows = select(Ticket.id, func.count().over()).select_from(Ticket)
    query = _narrowed(found, wanted, operator)
    if wanted.order in (Order.DUE, Order.PRIORITY):
        due = _due().subquery()
        query = query.outerjoin(due, due.c.ticket_id == Ticket.id)
        query = query.order_by(*_PRESSING[wanted.order](due.c.due_at), Ticket.id)
    else:
        newest = wanted.order is Order.NEWEST
        query = query.order_by(Ticket.created_at.desc() if newest else Ticket.created_at, Ticket.id)
    rows = db.session.execute(query.offset((number - 1) * PAGE).limit(PAGE)).all()
    return _lines([row[0] for row in rows]), rows[0][1] if rows else 0


def counts(operator: User) -> dict[str, int]:
    """How many need an answer, of these how many are mine and nobody's, and how many are late."""
    living = Ticket.state.in_(LIVING)
    asked, mine = Ticket.state.in_(NEEDS_ANSWER), TicketHandling.assignee_id == operator.id
    query = (
        select(
            _number(asked),
            _number(and_(living, mine)),
            _number(and_(asked, TicketHandling.assignee_id.is_(None))),
            _number(and_(living, _late())),
        )
        .select_from(Ticket)
        .outerjoin(TicketHandling, TicketHandling.ticket_id == Ticket.id)
        .where(living)
    )
    found = db.session.execute(query).one()
    names = ("answer", "mine", "nobody", "late")
    return dict(zip(names, (value or 0 for value in found), strict=True))


def _number(condition: ColumnElement[bool]) -> Any:
    return func.sum(case((condition, 1), else_=0))


def _due() -> Rows:
    """The next promise of each ticket that runs out."""
    due_at = func.min(TicketClock.due_at).label("due_at")
    query: Rows = select(TicketClock.ticket_id, due_at)
    running = query.where(TicketClock.running_since.is_not(None))
    return running.group_by(TicketClock.ticket_id)


def _late() -> ColumnElement[bool]:
    """A promise of the ticket was broken and is not kept since."""
    return exists().where(
        TicketClock.ticket_id == Ticket.id,
        TicketClock.breached_at.is_not(None),
        TicketClock.met_at.is_(None),
    )


_RANK = case(
    (Ticket.priority == TicketPriority.URGENT, 0),
    (Ticket.priority == TicketPriority.HIGH, 1),
    (Ticket.priority == TicketPriority.NORMAL, 2),
    else_=3,
)
_PRESSING: dict[Order, Callable[[Any], tuple[Any, ...]]] = {
    Order.DUE: lambda due: (due.is_(None), due, Ticket.last_public_at),
    Order.PRIORITY: lambda due: (_RANK, due.is_(None), due, Ticket.last_public_at),
}


def _narrowed(query: Rows, wanted: Wanted, operator: User) -> Rows:
    conditions = [*_of_state(wanted.state), *_of_whose(wanted.whose, operator)]
    for column, value in (
        (Ticket.priority, wanted.priority),
        (Ticket.category, wanted.category),
        (Ticket.workspace_id, wanted.workspace),
        (Ticket.incident_id, wanted.incident),
    ):
        if value:
            conditions.append(column == value)
    if wanted.tag:
        named = select(Tag.id).where(Tag.name == wanted.tag.lower()).scalar_subquery()
        has = (TicketTag.ticket_id == Ticket.id, TicketTag.tag_id == named)
        conditions.append(exists().where(*has))
    if wanted.breached:
        conditions.append(_late())
    if wanted.text:
        conditions.append(_in_notes(wanted.text) if wanted.notes else _in_messages(wanted.text))
    return query.where(*conditions)


def _of_state(state: str) -> list[ColumnElement[bool]]:
    if state == "all":
        return []
    groups = {"answer": NEEDS_ANSWER, "living": LIVING}
    known = next(((one,) for one in TicketState if one == state), NEEDS_ANSWER)
    return [Ticket.state.in_(groups.get(state, known))]


def _of_whose(whose: Whose, operator: User) -> list[ColumnElement[bool]]:
    held = exists().where(TicketHandling.ticket_id == Ticket.id)
    if whose is Whose.MINE:
        return [held.where(TicketHandling.assignee_id == operator.id)]
    if whose is Whose.NOBODY:
        return [~held.where(TicketHandling.assignee_id.is_not(None))]
    return []


def _in_messages(text: str) -> ColumnElement[bool]:
    said = exists().where(
        TicketMessage.ticket_id == Ticket.id, TicketMessage.body.icontains(text, autoescape=True)
    )
    found = [Ticket.subject.icontains(text, autoescape=True), said]
    number = text.upper().removeprefix("T-")
    if number.isascii() and number.isdigit() and len(number) <= 9:
        found.append(Ticket.number == int(number))
    return or_(*found)


def _in_notes(text: str) -> ColumnElement[bool]:
    return exists().where(
        TicketNote.ticket_id == Ticket.id, TicketNote.body.icontains(text, autoescape=True)
    )


def _lines(ids: list[str]) -> list[Line]:
    loaded = db.session.scalars(select(Ticket).where(Ticket.id.in_(ids)))
    found = sorted(loaded, key=lambda it: ids.index(it.id))
    names, tags, late = _names(ids), _tags(ids), _broken(ids)
    running = db.session.execute(_due().where(TicketClock.ticket_id.in_(ids)))
    due = {row.ticket_id: row.due_at for row in running}
    return [
        Line(it, *names[it.id], due.get(it.id), it.id in late, tags.get(it.id, ())) for it in found
    ]


def _names(ids: list[str]) -> dict[str, tuple[str, str, str]]:
    """Owner, workspace and assignee of each, as they are called."""
    owner, assignee = aliased(User), aliased(User)
    query = (
        select(Ticket.id, owner.name, Contact.name, Workspace.name, assignee.name)
        .join(Workspace, Workspace.id == Ticket.workspace_id)
        .outerjoin(owner, owner.id == Ticket.opened_by)
        .outerjoin(Contact, Contact.id == Ticket.contact_id)
        .outerjoin(TicketHandling, TicketHandling.ticket_id == Ticket.id)
        .outerjoin(assignee, assignee.id == TicketHandling.assignee_id)
        .where(Ticket.id.in_(ids))
    )
    return {
        row[0]: (row[1] or row[2] or "somebody", row[3], row[4] or "")
        for row in db.session.execute(query)
    }


def _tags(ids: list[str]) -> dict[str, tuple[str, ...]]:
    query = select(TicketTag.ticket_id, Tag.name).join(Tag, Tag.id == TicketTag.tag_id)
    found: dict[str, tuple[str, ...]] = {}
    for row in db.session.execute(query.where(TicketTag.ticket_id.in_(ids)).order_by(Tag.name)):
        found[row[0]] = (*found.get(row[0], ()), row[1])
    return found


def _broken(ids: list[str]) -> set[str]:
    query = select(Ticket.id).where(Ticket.id.in_(ids), _late())
    return set(db.session.scalars(query))


STATES = (
    {"answer": "needs an answer", "living": "not over"}
    | {str(one): states.DESK_LABELS[one] for one in TicketState}
    | {"all": "any"}
)
"""What can be asked for, and how it reads."""
