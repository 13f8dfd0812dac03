"""The end of an account: refused while anything hangs on its person, final afterwards.

What others need stays: the audit log, and tickets with what was said in them, under nobody's name.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from app import tenancy
from app.domain import closures, connections, mail, members, owners, passwords, traces, workspaces
from app.domain.account_events import record
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.support import moves, states
from app.domain.support.events import Voice
from app.extensions import change, db
from app.models import AuthorKind, Membership, Ticket, TicketState, User, Workspace


@dataclass(frozen=True)
class Obstacle:
    """Something that hangs on a person, and what to do about it first."""

    what: str
    cure: str


def obstacles(person: User, now: datetime) -> list[Obstacle]:
    """All that stands in the way of deleting an account."""
    with tenancy.everywhere("an account ends in all its workspaces at once"):
        found = [it for place in _places(person) for it in _in(place, person, now)]
        if person.operator and not _another_operator(person):
            cure = "you are the only operator of this installation, so make another one first"
            found.append(Obstacle("The support desk", cure))
    return found


def delete(person: User, *, typed: str, by: Actor, now: datetime) -> None:
    """Delete an account. One letter says goodbye; no other one follows.

    The person leaves their organisations, their personal workspace ends, every proof and address
    goes. Their row stays under nobody's name, for what points at it.

    Raises:
        Refused: something hangs on them; see ``obstacles``.
        Invalid: the address was not typed as it is.
        Conflict: it was deleted already, or they joined something in this moment.
    """
    with tenancy.everywhere("an account ends in all its workspaces at once"):
        places = _places(person)
        for place in places:
            workspaces.lock(place)
        if found := obstacles(person, now):
            raise Refused(" ".join(f"{it.what}: {it.cure}." for it in found[:5]))
        if typed.strip().casefold() != person.email.casefold():
            raise Invalid(f"Type {person.email} exactly as it stands.", "email")
        _claim(person, places, now)
        for member in _memberships(person):
            if member.workspace.personal:
                _end_tickets(member.workspace, person, by, now)
                closures.end_personal(member.workspace, by=by, now=now)
            else:
                members.leave(member, by=by, now=now)
        changes = [Change("deleted", False, True), *traces.remove(person, now)]
        mail.post("account_deleted", to=person.email, name=person.name, now=now)
        _anonymise(person)
        record(person, "account.delete", by, now, changes=changes)


def _memberships(person: User) -> list[Membership]:
    """In the one order in which workspaces are ever locked together."""
    query = select(Membership).join(Workspace, Membership.workspace_id == Workspace.id)
    query = query.where(Membership.user_id == person.id, Workspace.deleted_at.is_(None))
    return list(db.session.scalars(query.order_by(Workspace.id)))


def _places(person: User) -> list[Workspace]:
    return [it.workspace for it in _memberships(person)]


def _in(place: Workspace, person: User, now: datetime) -> list[Obstacle]:
    if not place.personal:
        try:
            owners.keep_one(place, without=person)
        except Refused:
            cure = "you are its only active owner, so make another one, or delete it"
            return [Obstacle(place.name, cure)]
        return []
    busy = [Obstacle(it.bot.name, it.cure) for it in closures.obstacles(place, now)]
    kept = connections.in_workspace(place)
    return busy + [Obstacle(it.label, "it holds a key, so delete this connection") for it in kept]


def _another_operator(person: User) -> bool:
    query = select(User.id).where(
        User.operator.is_(True),
        User.id != person.id,
        User.suspended_at.is_(None),
        User.deleted_at.is_(None),
    )
    return db.session.scalar(query.limit(1)) is not None


def _claim(person: User, places: list[Workspace], now: datetime) -> None:
    """Hold the row from here on: nothing is founded or joined in their name any more."""
    mine = update(User).where(User.id == person.id, User.deleted_at.is_(None))
    if change(mine.values(deleted_at=now, email_verified_at=None)) != 1:
        raise Conflict("This account is deleted already.")
    if {it.id for it in _places(person)} - {it.id for it in places}:
        raise Conflict("You have joined another workspace in this moment; try again.")
    db.session.refresh(person)


def _end_tickets(home: Workspace, person: User, by: Actor, now: datetime) -> None:
    """What nobody can answer any more is closed; what an organisation asked stays open."""
    voice = Voice(AuthorKind.USER, by, person.id)
    over = (*states.SETTLED, TicketState.MERGED)
    query = select(Ticket).where(Ticket.workspace_id == home.id, Ticket.state.not_in(over))
    for ticket in db.session.scalars(query.order_by(Ticket.id)).all():
        moves.close(ticket, "Its owner has left.", voice=voice, now=now)


def _anonymise(person: User) -> None:
    person.name = traces.NAME
    person.email = person.email_key = traces.left_address(person.id)
    person.password_hash = passwords.NOBODYS
    person.theme, person.last_workspace_id, person.operator = "auto", None, False
    db.session.flush()
