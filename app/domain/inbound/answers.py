"""Mail to a reply address: whose it is, whether they wrote it, and what it becomes.

Three things must agree before a mail speaks for somebody: the address it was sent to, the single
sender in its From, and a verdict about that sender. For the desk all three are demanded; the owner
of a ticket whose domain says nothing about its mail is heard, and marked as unverified.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from app.domain import access
from app.domain.access import Permission
from app.domain.audit import Actor
from app.domain.inbound import attachments, bodies, brakes, loops
from app.domain.inbound.case import KEPT, Case, Outcome, digest, held, refused
from app.domain.inbound.verdict import Proof
from app.domain.support import notes, states, tickets
from app.domain.support.events import Voice
from app.domain.support.said import NewFile, Said
from app.extensions import db
from app.models import (
    AuthorKind,
    Channel,
    Contact,
    InboundMail,
    MailDecision,
    Membership,
    ReplyToken,
    Ticket,
    TicketState,
    TokenPurpose,
    User,
    Verification,
)

_HOPS = 10


@dataclass(frozen=True)
class Holder:
    """Whom a reply address was given to, and as what they would speak."""

    token: ReplyToken
    ticket: Ticket
    person: User | Contact

    @property
    def owns(self) -> bool:
        """Whether the ticket is theirs."""
        return self.person.id in (self.ticket.opened_by, self.ticket.contact_id)

    @property
    def desk(self) -> bool:
        """Whether they would speak for the desk."""
        return self.token.purpose is TokenPurpose.INTERNAL or not self.owns

    @property
    def voice(self) -> Voice:
        """How they are written down."""
        if isinstance(self.person, Contact):
            by = Actor("contact", self.person.email, self.person.id, source="mail")
            return Voice(AuthorKind.CONTACT, by, channel=Channel.EMAIL)
        kind = AuthorKind.OPERATOR if self.desk else AuthorKind.USER
        by = Actor("user", self.person.email, self.person.id, source="mail")
        return Voice(kind, by, self.person.id, Channel.EMAIL)


def holder_of(token: ReplyToken) -> Holder:
    """Whose reply address it is."""
    ticket = db.session.get_one(Ticket, token.ticket_id)
    person: User | Contact = (
        db.session.get_one(User, token.holder_id)
        if token.holder_id
        else db.session.get_one(Contact, token.contact_id)
    )
    return Holder(token, ticket, person)


def take(case: Case, holder: Holder) -> Outcome:
    """Decide on a mail that was sent to somebody's reply address."""
    tickets.lock(holder.ticket)
    problem = _objection(case, holder)
    machine = loops.automatic(case.letter, case.mail.envelope_from)
    if machine:
        return _automatic(case, holder, machine, problem)
    if problem:
        return held(problem, holder.ticket, urgent=holder.desk)
    if (known := _known(case, holder.ticket)) is not None:
        return _repeated(case, known, holder)
    if braked := brakes.holds_back(holder.ticket, case.mail.sender, case.now):
        return held(braked, holder.ticket)
    body = bodies.visible(case.letter)
    if brakes.repeats(holder.ticket, case.mail.sender, _sum(body), case.now):
        return _automatic(case, holder, "It says the same as the mail before it.", "")
    return _written(case, holder, body)


def _objection(case: Case, holder: Holder) -> str:
    """Why a mail must not speak for the holder of its address; empty if it may."""
    person = holder.person
    if isinstance(person, User) and not (_alive(person) and person.verified):
        return "Its holder has no account that may answer."
    if case.mail.sender != person.email_key:
        return f"The reply address was given to {person.email}, and somebody else wrote to it."
    if case.verdict.proof is Proof.FAIL:
        return f"The sender's domain says that it is forged ({case.verdict.why})."
    if holder.desk and not (isinstance(person, User) and person.operator):
        return "Its holder is no operator any more."
    if holder.desk and not case.proven:
        return f"An operator must be proven by the sender's domain. {case.verdict.why}"
    if case.verdict.proof is Proof.UNKNOWN:
        return f"Nobody we trust vouches for the sender. {case.verdict.why}"
    if not holder.desk and isinstance(person, User) and not _still_sees(person, holder.ticket):
        return "Its holder has left the workspace."
    return ""


def _alive(person: User) -> bool:
    return person.suspended_at is None and person.deleted_at is None


def _still_sees(person: User, ticket: Ticket) -> bool:
    query = select(Membership).where(
        Membership.user_id == person.id, Membership.workspace_id == ticket.workspace_id
    )
    return bool(access.can(db.session.scalar(query), Permission.TICKET_OPEN))


def _known(case: Case, ticket: Ticket) -> InboundMail | None:
    """A mail of the same Message-ID that was taken before, by whatever way it came."""
    if not case.letter.message_id:
        return None
    query = select(InboundMail).where(
        InboundMail.rfc_message_id == case.letter.message_id,
        InboundMail.decision.in_(KEPT),
        InboundMail.id != case.mail.id,
        or_(InboundMail.ticket_id == ticket.id, InboundMail.envelope_to == case.mail.envelope_to),
    )
    return db.session.scalars(query.limit(1)).first()


def _repeated(case: Case, known: InboundMail, holder: Holder) -> Outcome:
    if known.verdicts.get("content") != digest(case.letter):
        return held(
            "It has the Message-ID of another mail and says something else.",
            holder.ticket,
            urgent=holder.desk,
        )
    return Outcome(MailDecision.DUPLICATE, f"The same as {known.id}.", holder.ticket)


def _automatic(case: Case, holder: Holder, machine: str, problem: str) -> Outcome:
    """A machine answered in the holder's name: shown in the thread if it is the owner's, and no
    more than that. What a machine says for the desk is recorded only.
    """
    shown = not (problem or holder.desk or holder.ticket.state is TicketState.MERGED)
    if shown and _known(case, holder.ticket) is not None:
        return Outcome(MailDecision.DUPLICATE, machine, holder.ticket)
    if not (shown and brakes.room_for_automatic(holder.ticket)):
        return Outcome(MailDecision.AUTOMATIC, machine, holder.ticket)
    body = bodies.visible(case.letter)
    said = _said(case, bodies.fitted(body, []), automatic=True)
    if not said.body:
        return Outcome(MailDecision.AUTOMATIC, machine, holder.ticket)
    message = tickets.post(holder.ticket, said, voice=holder.voice, now=case.now)
    _remember(case, body)
    return Outcome(MailDecision.AUTOMATIC, machine, holder.ticket, message.id)


def _written(case: Case, holder: Holder, body: str) -> Outcome:
    """What a person wrote: a note where the address was for notes, else a message."""
    files, remarks = attachments.keep(case.letter, case.storage)
    text = bodies.fitted(body, remarks)
    if not text and not files:
        return refused("It is empty.")
    _remember(case, body)
    if holder.token.purpose is TokenPurpose.INTERNAL:
        note = notes.add(
            holder.ticket, text, voice=holder.voice, now=case.now, key=case.key, files=files
        )
        return Outcome(MailDecision.NOTE, "", holder.ticket, note.id)
    said = _said(case, text, files=files)
    ticket = _current(holder.ticket, case.now)
    message = tickets.post(ticket, said, voice=holder.voice, now=case.now)
    into = db.session.get_one(Ticket, message.ticket_id)
    return Outcome(MailDecision.APPENDED, case.verdict.why, into, message.id)


def _current(ticket: Ticket, now: datetime) -> Ticket:
    """The ticket in which one that was over for long goes on already, if there is one."""
    for _ in range(_HOPS):
        if not ticket.over or ticket.state is TicketState.MERGED or states.reopens(ticket, now):
            break
        query = select(Ticket).where(
            Ticket.workspace_id == ticket.workspace_id, Ticket.follows_id == ticket.id
        )
        newer = db.session.scalars(query.order_by(Ticket.created_at.desc()).limit(1)).first()
        if newer is None:
            break
        ticket = newer
    return ticket


def _said(
    case: Case, body: str, *, files: tuple[NewFile, ...] = (), automatic: bool = False
) -> Said:
    return Said(
        body,
        key=case.key,
        verification=Verification.DMARC if case.proven else Verification.UNVERIFIED,
        automatic=automatic,
        rfc_message_id=case.letter.message_id[:254],
        inbound_id=case.mail.id,
        files=files,
    )


def _remember(case: Case, body: str) -> None:
    """What tells a repeat of this mail from another one."""
    known = {"content": digest(case.letter), "body": _sum(body)}
    case.mail.verdicts = case.mail.verdicts | known


def _sum(body: str) -> str:
    return hashlib.sha256(" ".join(body.split()).encode()).hexdigest()
