"""Operators and tickets for the tests of the operators' pages."""

from datetime import UTC, datetime
from types import SimpleNamespace

from sqlalchemy import select

from app.domain.support import tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted
from app.extensions import db
from app.models import AuthorKind, Ticket, TicketCategory, User, Workspace
from tests import factories, site

HOME = "/operator/tickets"


def made(house, name):
    with site.rows(house):
        person = factories.user(name, now=datetime.now(UTC))
        person.operator = True
        db.session.flush()
        return SimpleNamespace(id=person.id, email=person.email, name=person.name)


def voice(person_id, kind=AuthorKind.USER):
    return Voice(kind, factories.TESTER, person_id)


def asked(house, subject="The bot is stuck", body="It does not trade.", owner=None, **wanted):
    """A ticket of somebody new, or of ``owner``, in their organisation."""
    now = datetime.now(UTC)
    with site.rows(house):
        if owner is None:
            person = factories.user("Uma", now=now)
            workspace = factories.organisation(person, now=now)
        else:
            person = db.session.get(User, owner.owner)
            workspace = db.session.get(Workspace, owner.workspace)
        said = Wanted(subject, **({"category": TicketCategory.BOT} | wanted))
        ticket = tickets.open_ticket(
            workspace, person, said, Said(body), voice=voice(person.id), now=now
        )
        return SimpleNamespace(
            id=ticket.id,
            ref=ticket.ref,
            owner=person.id,
            email=person.email,
            workspace=workspace.id,
            home=f"{HOME}/{ticket.id}",
            version=ticket.version,
        )


def of(house, kind, ticket):
    with site.rows(house):
        found = db.session.scalars(select(kind).where(kind.ticket_id == ticket.id)).all()
        db.session.expunge_all()
        return found


def row(house, ticket):
    with site.rows(house):
        found = db.session.get(Ticket, ticket.id)
        db.session.expunge_all()
        return found
