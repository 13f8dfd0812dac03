"""A desk with a ticket, its owner, an operator, a stranger, and mail to it, made by hand."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace

from sqlalchemy import func, select, tuple_

from app.domain.inbound import intake, parse, store
from app.domain.inbound.case import Desk
from app.domain.inbound.store import Arrival
from app.domain.support import reply_tokens, tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted
from app.extensions import db
from app.gateways.files import DirectoryFiles
from app.gateways.locker import Locker
from app.models import (
    AuthorKind,
    Contact,
    InboundMail,
    MailDecision,
    Ticket,
    TicketMessage,
    TicketNote,
    TokenPurpose,
)
from app.models.base import new_id
from tests import factories
from tests.factories import NOW

DOMAIN, OURS = "reply.plutarc.test", "mx.plutarc.test"
KEY = "a key of the tests, long enough to do"
DESK = Desk(DOMAIN, KEY, OURS, "desk@plutarc.test")
SUPPORT = f"support@{DOMAIN}"
PASS, NONE, FAIL = "pass", "none", "fail"


def vouched(sender, result=PASS, host=OURS):
    """What our own mail server says of a sender."""
    return f"{host}; dmarc={result} header.from={sender.rpartition('@')[2]}"


def mail(sender="", body="Here I am.", *, proof=PASS, top=(), headers=(), message_id=None, **own):
    """A mail in bytes: ``top`` and ``headers`` are extra lines above and below the usual ones."""
    lines = [f"{name}: {value}" for name, value in top]
    if proof:
        lines.append(f"Authentication-Results: {vouched(sender, proof)}")
    usual = {
        "From": f"Somebody <{sender}>",
        "To": SUPPORT,
        "Subject": "Re: [T-1001] A question",
        "Message-ID": message_id or f"<{new_id('m')}@example.com>",
        "Content-Type": "text/plain; charset=utf-8",
    } | {name.replace("_", "-"): value for name, value in own.items()}
    lines += [f"{name}: {value}" for name, value in usual.items() if value is not None]
    lines += [f"{name}: {value}" for name, value in headers]
    content = body if isinstance(body, bytes) else body.encode()
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + content


@dataclass
class World:
    """The people, their ticket, and a clock moved by hand."""

    folder: object
    now: object = NOW
    locker: Locker = field(default_factory=lambda: Locker((KEY,)))

    def __post_init__(self):
        self.storage = DirectoryFiles(self.folder)
        self.owner, self.stranger = factories.user("Olive"), factories.user("Stan")
        self.operator, self.other = factories.user("Opal"), factories.user("Otto")
        self.operator.operator = self.other.operator = True
        self.workspace = factories.organisation(self.owner)
        self.ticket = self.open()
        self.to = self.address(self.owner)
        self.desk_to = self.address(self.operator)
        self.note_to = self.address(self.operator, TokenPurpose.INTERNAL)
        db.session.commit()

    def open(self, owner=None, workspace=None):
        owner = owner or self.owner
        kind = AuthorKind.CONTACT if isinstance(owner, Contact) else AuthorKind.USER
        person = None if isinstance(owner, Contact) else owner.id
        return tickets.open_ticket(
            workspace or self.workspace,
            owner,
            Wanted("A question"),
            Said("Why?"),
            voice=Voice(kind, factories.TESTER, person),
            now=self.now,
        )

    def answer(self, text="Because."):
        voice = Voice(AuthorKind.OPERATOR, factories.TESTER, self.operator.id)
        made = tickets.post(self.ticket, Said(text), voice=voice, now=self.now)
        db.session.commit()
        return made

    def address(self, holder, purpose=TokenPurpose.PUBLIC, ticket=None):
        token = reply_tokens.issue(ticket or self.ticket, holder, purpose, self.now, KEY)
        return reply_tokens.address(token, DOMAIN)

    def keep(
        self, raw, to=None, *, sender="somebody@example.com", provider="raw", told=(), event=""
    ):
        """Only put it into the box."""
        arrival = Arrival(provider, event, sender, to or self.to, raw, told)
        new = store.keep(arrival, locker=self.locker, now=self.now)
        db.session.commit()
        return new

    def arrive(self, raw, to=None, *, later=0, **how):
        """Deliver a mail and have it decided on; returns its row."""
        self.now += timedelta(seconds=later or 60)
        self.keep(raw, to, **how)
        kept = (hashlib.sha256(raw).hexdigest(), (to or self.to).lower())
        query = select(InboundMail).where(
            tuple_(InboundMail.sha256, InboundMail.envelope_to) == kept
        )
        row = db.session.scalars(query).one()
        self.decide(row.id)
        db.session.refresh(row)
        return row

    def decide(self, number):
        """As the worker does."""
        waiting = intake.begin(number, self.locker, self.now)
        db.session.commit()
        if waiting is None:
            return None
        letter = parse.take_apart(waiting.raw)
        done = intake.finish(waiting, letter, desk=DESK, storage=self.storage, now=self.now)
        db.session.commit()
        return done

    def messages(self, ticket=None):
        query = select(TicketMessage).where(TicketMessage.ticket_id == (ticket or self.ticket).id)
        return list(db.session.scalars(query.order_by(TicketMessage.seq)))

    def counts(self):
        """How much there is of everything that a mail could add."""
        kinds = (TicketMessage, TicketNote, Ticket)
        return tuple(db.session.scalar(select(func.count()).select_from(it)) for it in kinds)

    def contact(self):
        made = Contact(
            email="Cora@example.net",
            email_key="cora@example.net",
            name="Cora",
            verified_at=self.now,
            created_at=self.now,
        )
        db.session.add(made)
        db.session.flush()
        return made


def verdict_of(row):
    return SimpleNamespace(decision=MailDecision(row.decision), reason=row.reason)
