"""Opening tickets and writing in them. Every message, whatever its channel, comes through here."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update

from app.domain import workspaces
from app.domain.audit import Change
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.support import brakes, clocks, closing, events, states, tidings
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted, clean_body, clean_subject
from app.extensions import db
from app.models import (
    AuthorKind,
    Contact,
    MessageFile,
    Ticket,
    TicketMessage,
    TicketState,
    User,
    Workspace,
)
from app.models.base import new_id


def open_ticket(
    workspace: Workspace,
    owner: User | Contact,
    wanted: Wanted,
    said: Said,
    *,
    voice: Voice,
    now: datetime,
) -> Ticket:
    """Open a ticket: ticket, first message, event and what rings the desk, together or not at all.

    The same ``said.key`` of the same owner opens it once.

    Raises:
        Invalid: subject or text are empty or too long.
        TooMany: the owner has ten open tickets, or wrote thirty messages within the hour.
    """
    subject, body = clean_subject(wanted.subject), clean_body(said)
    workspaces.lock(workspace)  # of two who press twice, the second finds what the first made
    known = _opened_by_key(workspace, owner, said.key)
    if known is not None:
        return known
    brakes.open_another(owner, now)
    ticket = Ticket(
        id=new_id("tkt"),
        workspace_id=workspace.id,
        number=_next_number(workspace),
        opened_by=owner.id if isinstance(owner, User) else None,
        contact_id=owner.id if isinstance(owner, Contact) else None,
        subject=subject,
        category=wanted.category,
        priority=wanted.raised or wanted.priority,
        asked_priority=wanted.priority,
        state=TicketState.NEW,
        via=voice.channel,
        about=wanted.about,
        about_id=wanted.about_id,
        follows_id=wanted.follows.id if wanted.follows else None,
        last_seq=0,
        seen_seq=0,
        version=0,
        last_public_at=now,
        created_at=now,
    )
    db.session.add(ticket)
    db.session.flush()
    message = _write(ticket, voice, replace(said, body=body), now)
    clocks.start(ticket, now)
    tidings.opened(ticket, message, now)
    events.public(ticket, "ticket.open", voice, now, _born(ticket), wanted.raised_because)
    return ticket


def post(
    ticket: Ticket,
    said: Said,
    *,
    voice: Voice,
    now: datetime,
    then: TicketState | None = None,
    seen: int | None = None,
) -> TicketMessage:
    """Write a message. The same ``said.key`` again is the same message, and changes nothing.

    Args:
        ticket: any; an answer to a merged one goes to its survivor, one to a ticket that was over
            for more than thirty days opens a new ticket that follows it.
        said: what was written.
        voice: who writes, and through which door.
        now: the moment, UTC.
        then: what an operator leaves the ticket in; else it waits for its owner.
        seen: the last message an operator had before their eyes; ``None`` asks not to check.

    Returns:
        The message; its ``ticket_id`` may be another ticket's.

    Raises:
        Invalid: the text is empty or too long.
        Conflict: there are newer messages than ``seen``, or the state does not allow ``then``.
        TooMany: thirty messages within the hour, for whoever is no operator.
    """
    body = clean_body(said)
    lock(ticket)
    if (known := _by_key(ticket, said.key)) is not None:
        return known
    if then not in (None, *states.AFTER_ANSWER):
        raise Invalid("An answer leaves a ticket waiting, open, on hold or solved.", "then")
    if ticket.state is TicketState.MERGED:
        return post(survivor(ticket), said, voice=voice, now=now, then=then, seen=None)
    if seen is not None and seen < ticket.last_seq:
        raise Conflict(
            f"{ticket.last_seq - seen} newer in {ticket.ref} since you opened it. "
            "Read it below, then send again."
        )
    by_hand = voice.kind is not AuthorKind.SYSTEM and not said.automatic
    if by_hand and not voice.operator:
        brakes.write_another(ticket, voice, now)
        if ticket.over and not states.reopens(ticket, now):
            return _follow_up(ticket, replace(said, body=body), voice, now)
    message = _write(ticket, voice, replace(said, body=body), now)
    changes = _moved(ticket, voice, then, now) if by_hand else []
    tidings.posted(ticket, message, now)
    events.public(ticket, "ticket.reply", voice, now, changes)
    return message


def lock(ticket: Ticket) -> None:
    """Hold the ticket's row until the commit, and read it anew."""
    row = select(Ticket.id).where(Ticket.id == ticket.id)
    db.session.execute(row.with_for_update(key_share=True))
    db.session.refresh(ticket)


def survivor(ticket: Ticket) -> Ticket:
    """The ticket in which a merged one goes on. Raises ``Refused`` if it is another owner's."""
    found = db.session.get_one(Ticket, ticket.merged_into_id)
    if (found.opened_by, found.contact_id) != (ticket.opened_by, ticket.contact_id):
        raise Refused(f"{ticket.ref} was closed as a double of another one.")
    return found


def _write(ticket: Ticket, voice: Voice, said: Said, now: datetime) -> TicketMessage:
    ticket.last_seq += 1
    message = TicketMessage(
        id=new_id("msg"),
        workspace_id=ticket.workspace_id,
        ticket_id=ticket.id,
        seq=ticket.last_seq,
        author=voice.kind,
        author_id=voice.user_id,
        channel=voice.channel,
        verification=said.verification,
        automatic=said.automatic,
        body=said.body,
        key=said.key or new_id("key"),
        rfc_message_id=said.rfc_message_id,
        inbound_id=said.inbound_id,
        created_at=now,
    )
    db.session.add(message)
    db.session.flush()
    for file in said.files:
        db.session.add(
            MessageFile(
                workspace_id=ticket.workspace_id,
                message_id=message.id,
                created_at=now,
                **vars(file),
            )
        )
    ticket.last_public_at = now
    if said.automatic or voice.kind is AuthorKind.SYSTEM:
        return message
    if voice.operator:
        ticket.last_operator_at = now
    else:
        ticket.last_user_at = now
        ticket.seen_seq = ticket.last_seq
    return message


def _moved(ticket: Ticket, voice: Voice, then: TicketState | None, now: datetime) -> list[Change]:
    """Take the ticket where the message leaves it, and set its clocks."""
    before = ticket.state
    to = then if voice.operator and then else states.after_message(ticket, voice.kind)
    states.check(ticket, to)
    if voice.operator and ticket.first_answered_at is None:
        ticket.first_answered_at = now
    settle(ticket, to, now, reason="answered" if voice.operator else "")
    return [] if before is to else [Change("state", before, to)]


def settle(ticket: Ticket, to: TicketState, now: datetime, *, reason: str = "") -> None:
    """Put a locked ticket into a state, with all that hangs on it: its end, its clocks.

    ``reason`` is kept as the reason of its end, where ``to`` is one.
    """
    was_over, ticket.state = ticket.over, to
    if ticket.over:
        ticket.closed_at, ticket.close_reason = ticket.closed_at or now, reason
    else:
        ticket.closed_at, ticket.close_reason = None, ""
        ticket.reopen_count += was_over
    closing.restart(ticket, now)
    clocks.follow(ticket, now)
    if to in states.SETTLED:
        tidings.over(ticket, now)
    if was_over != ticket.over:
        tidings.turned(ticket, now)


def _follow_up(ticket: Ticket, said: Said, voice: Voice, now: datetime) -> TicketMessage:
    workspace = db.session.get_one(Workspace, ticket.workspace_id)
    owner: User | Contact = (
        db.session.get_one(User, ticket.opened_by)
        if ticket.opened_by
        else db.session.get_one(Contact, ticket.contact_id)
    )
    wanted = Wanted(
        subject=ticket.subject,
        category=ticket.category,
        priority=ticket.asked_priority,
        about=ticket.about,
        about_id=ticket.about_id,
        follows=ticket,
    )
    new = open_ticket(workspace, owner, wanted, said, voice=voice, now=now)
    first = select(TicketMessage).where(TicketMessage.ticket_id == new.id, TicketMessage.seq == 1)
    return db.session.scalars(first).one()


def _born(ticket: Ticket) -> list[Change]:
    names = ("subject", "category", "priority", "state")
    return [Change(name, None, getattr(ticket, name)) for name in names]


def _next_number(workspace: Workspace) -> int:
    """Counted in the database: two tickets of one moment get two numbers."""
    mine = update(Workspace).where(Workspace.id == workspace.id)
    counted = mine.values(last_ticket_number=Workspace.last_ticket_number + 1)
    db.session.execute(counted.execution_options(synchronize_session=False))
    db.session.refresh(workspace, ["last_ticket_number"])
    return workspace.last_ticket_number


def _opened_by_key(workspace: Workspace, owner: User | Contact, key: str) -> Ticket | None:
    if not key:
        return None
    mine = Ticket.opened_by if isinstance(owner, User) else Ticket.contact_id
    query = select(Ticket).join(TicketMessage, TicketMessage.ticket_id == Ticket.id)
    query = query.where(Ticket.workspace_id == workspace.id, mine == owner.id)
    query = query.where(TicketMessage.key == key, TicketMessage.seq == 1)
    return db.session.scalars(query.limit(1)).first()


def _by_key(ticket: Ticket, key: str) -> TicketMessage | None:
    if not key:
        return None
    query = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
    return db.session.scalars(query.where(TicketMessage.key == key)).first()
