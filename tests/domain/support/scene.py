"""A desk with one owner, one operator and their tickets, for tests of the domain."""

from datetime import timedelta

from sqlalchemy import func, select

from app.domain import workspaces
from app.domain.audit import Actor
from app.domain.support import events, silence, tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted
from app.extensions import db
from app.models import (
    AuditEvent,
    AuthorKind,
    Channel,
    Contact,
    Mail,
    MailState,
    Membership,
    TicketEvent,
    User,
    Workspace,
)
from app.models.base import new_id
from tests import factories
from tests.factories import NOW

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
DAY_5 = 5 * DAY + 11 * MINUTE
"""When every warning of the fifth day is due, however they are spread."""


class Scene:
    """Ids are kept, never rows: each act may be in a session of its own."""

    def __init__(self, verified=True):
        owner, operator = factories.user("Olga"), factories.user("Ada")
        owner.email_verified_at = NOW if verified else None
        operator.operator = True
        self.owner_id, self.operator_id = owner.id, operator.id
        self.workspace_id = workspaces.memberships(owner)[0].workspace_id
        db.session.commit()

    owner = property(lambda self: db.session.get(User, self.owner_id))
    operator = property(lambda self: db.session.get(User, self.operator_id))
    workspace = property(lambda self: db.session.get(Workspace, self.workspace_id))

    @property
    def member(self):
        query = select(Membership).where(Membership.user_id == self.owner_id)
        return db.session.scalar(query.where(Membership.workspace_id == self.workspace_id))

    def user(self, channel=Channel.WEB):
        by = Actor("user", self.owner.email, self.owner_id)
        return Voice(AuthorKind.USER, by, self.owner_id, channel)

    def desk(self, channel=Channel.WEB):
        by = Actor("user", self.operator.email, self.operator_id)
        return Voice(AuthorKind.OPERATOR, by, self.operator_id, channel)

    def open(self, now=NOW, key="", subject="It stands still", body="Why?"):
        wanted, said = Wanted(subject), Said(body, key)
        return tickets.open_ticket(
            self.workspace, self.owner, wanted, said, voice=self.user(), now=now
        )

    def ask(self, ticket, now, body="And now?", channel=Channel.WEB, **said):
        return tickets.post(ticket, Said(body, **said), voice=self.user(channel), now=now)

    def answer(self, ticket, now, then=None, channel=Channel.WEB, **said):
        voice = self.desk(channel)
        return tickets.post(ticket, Said("Try this.", **said), voice=voice, now=now, then=then)

    def waiting(self, now=NOW):
        """A ticket whose owner was answered at ``now``."""
        ticket = self.open(now)
        self.answer(ticket, now)
        return ticket


def contact(now=NOW):
    made = Contact(
        email="carol@example.org",
        email_key=f"{new_id('k')}@example.org",
        name="Carol",
        verified_at=now,
        created_at=now,
    )
    db.session.add(made)
    db.session.flush()
    return made


def sweep(now):
    """What the ticker does: what came of each ticket it looked at."""
    return [silence.look(ticket_id, now) for ticket_id in silence.due(now)]


def letters(ticket, name="ticket_warning"):
    """The letters of one kind about a ticket, oldest first."""
    query = select(Mail).where(Mail.ticket_id == ticket.id, Mail.letter == name)
    return list(db.session.scalars(query.order_by(Mail.created_at, Mail.id)))


def deliver(ticket, at):
    """The mail server takes the last warning."""
    letter = letters(ticket)[-1]
    letter.state, letter.sent_at = MailState.SENT, at
    db.session.flush()


def told(ticket):
    """The actions in a ticket's own ledger, in order."""
    return [it.action for it in ledger(ticket)]


def ledger(ticket):
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id)
    return list(db.session.scalars(query.order_by(TicketEvent.seq)))


def audited(ticket):
    """The same in the audit log of its workspace."""
    query = select(AuditEvent).where(AuditEvent.target_id == ticket.id)
    return list(db.session.scalars(query.order_by(AuditEvent.seq)))


def replayed(ticket):
    """Whether a ticket's events tell what it is; exactly one for each change of its state."""
    found = ledger(ticket)
    assert [it.seq for it in found] == list(range(1, len(found) + 1))
    is_now = {name: getattr(ticket, name) for name in events.REPLAYED}
    assert events.replay(found) == is_now
    moves = [c for it in found for c in it.changes if c["field"] == "state"]
    states = [None, *(move["after"] for move in moves)]
    assert [move["before"] for move in moves] == states[:-1], "a move is missing or doubled"
    assert all(sum(c["field"] == "state" for c in it.changes) <= 1 for it in found)
    return True


def count(kind, **values):
    return db.session.scalar(select(func.count()).select_from(kind).filter_by(**values))
