"""Mail to the desk's own address: it opens a ticket for a person known here, proven to write."""

from sqlalchemy import select

from app.domain import notices, workspaces
from app.domain.audit import Actor
from app.domain.errors import TooMany
from app.domain.inbound import attachments, bodies, loops
from app.domain.inbound.case import KEPT, Case, Outcome, digest, held, refused
from app.domain.support import tickets
from app.domain.support.events import Voice
from app.domain.support.said import SUBJECT, Said, Wanted
from app.extensions import db
from app.models import (
    AuthorKind,
    Channel,
    InboundMail,
    MailDecision,
    Membership,
    TicketMessage,
    User,
    Verification,
    Workspace,
    WorkspaceKind,
)


def take(case: Case) -> Outcome:
    """Decide on a mail that was sent to ``support@``. Strangers are never written to."""
    machine = loops.automatic(case.letter, case.mail.envelope_from)
    if machine:
        return Outcome(MailDecision.AUTOMATIC, machine)
    person = _known(case.mail.sender)
    if person is None:
        return refused("Its sender has no account here.")
    if not case.proven:
        return held(f"Only a proven sender opens a ticket. {case.verdict.why}")
    workspace = _personal(person)
    workspaces.lock(workspace)
    if (before := _taken(case)) is not None:
        if before.verdicts.get("content") != digest(case.letter):
            return held("It has the Message-ID of another mail and says something else.")
        return Outcome(MailDecision.DUPLICATE, f"The same as {before.id}.")
    return _opened(case, person, workspace)


def _opened(case: Case, person: User, workspace: Workspace) -> Outcome:
    files, remarks = attachments.keep(case.letter, case.storage)
    body = bodies.fitted(bodies.full(case.letter), remarks)
    if not body and not files:
        return refused("It is empty.")
    subject = case.letter.subject[:SUBJECT].strip() or "(no subject)"
    said = Said(
        body,
        key=case.key,
        verification=Verification.DMARC,
        rfc_message_id=case.letter.message_id[:254],
        inbound_id=case.mail.id,
        files=files,
    )
    by = Actor("user", person.email, person.id, source="mail")
    voice = Voice(AuthorKind.USER, by, person.id, Channel.EMAIL)
    try:
        ticket = tickets.open_ticket(
            workspace, person, Wanted(subject), said, voice=voice, now=case.now
        )
    except TooMany as error:
        _tell(person, str(error), case)
        return refused(str(error))
    case.mail.verdicts = case.mail.verdicts | {"content": digest(case.letter)}
    first = select(TicketMessage.id).where(TicketMessage.ticket_id == ticket.id)
    return Outcome(MailDecision.OPENED, case.verdict.why, ticket, db.session.scalar(first))


def _known(sender: str) -> User | None:
    person: User | None = db.session.scalar(
        select(User).where(
            User.email_key == sender,
            User.email_verified_at.is_not(None),
            User.suspended_at.is_(None),
            User.deleted_at.is_(None),
        )
    )
    return person if sender else None


def _personal(person: User) -> Workspace:
    query = select(Workspace).join(Membership, Membership.workspace_id == Workspace.id)
    query = query.where(Membership.user_id == person.id, Workspace.kind == WorkspaceKind.PERSONAL)
    return db.session.scalars(query).one()


def _taken(case: Case) -> InboundMail | None:
    if not case.letter.message_id:
        return None
    query = select(InboundMail).where(
        InboundMail.rfc_message_id == case.letter.message_id,
        InboundMail.envelope_to == case.mail.envelope_to,
        InboundMail.decision.in_(KEPT),
        InboundMail.id != case.mail.id,
    )
    return db.session.scalars(query.limit(1)).first()


def _tell(person: User, why: str, case: Case) -> None:
    """Whoever is proven and known learns in the app why their mail opened nothing."""
    notices.tell(
        [person.id],
        "Your mail opened no ticket",
        key=f"mail not opened {case.now:%Y-%m-%d}",
        now=case.now,
        body=why,
        path="/account/inbox",
    )
