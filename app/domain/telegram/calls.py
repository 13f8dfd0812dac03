"""Asking for calls: written in the transaction of what they tell, made by the worker after it.

Nothing here asks whether Telegram is set up: who knows the settings makes the calls, and writes
down that there was nobody to call.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from app import tenancy
from app.domain import clock, outbox
from app.extensions import change, db
from app.models import (
    Audience,
    CallState,
    TelegramCall,
    TelegramLink,
    TelegramLinkToken,
    TelegramUpdate,
    Ticket,
    TicketMessage,
    TicketNote,
    User,
)
from app.models.base import new_id

QUEUE = "desk"
JOB = "ring_telegram"
OPERATORS = "operators"
"""The destination of what the operators' chat hears; the settings say which chat that is."""

TOPICS = "topics"
"""The destination of what is done to topics there: a line of its own, so that no ring waits."""

LOST_AFTER = timedelta(minutes=1)
KEPT, UPDATES_KEPT = timedelta(days=90), timedelta(days=30)


def tell_desk(ticket: Ticket, message: TicketMessage, kind: str, now: datetime) -> None:
    """Ring the operators' chat: ``opened`` or ``message``."""
    _put(
        kind,
        f"desk {message.id}",
        now,
        to=OPERATORS,
        audience=Audience.OPERATOR,
        ticket_id=ticket.id,
        message_id=message.id,
    )


def tell_fleet(alarm_id: str, now: datetime) -> None:
    """Ring the operators' chat for an alarm of the fleet, once for each."""
    key = f"alarm {alarm_id}"
    _put("alarm", key, now, to=OPERATORS, audience=Audience.OPERATOR, alarm_id=alarm_id)


def tell_of_bot(person: User, alarm_id: str, now: datetime) -> None:
    """Ring a member for an alarm of a bot, once for each, if they have linked their Telegram."""
    if active_link(person.id) is not None:
        _put(
            "bot_alarm",
            f"bot alarm {alarm_id} {person.id}",
            now,
            to=person.id,
            audience=Audience.USER,
            recipient_id=person.id,
            alarm_id=alarm_id,
        )


def tell_of_notice(person: User, key: str, now: datetime) -> None:
    """Ring a member with what their inbox says under this key, once, if they have linked theirs."""
    if active_link(person.id) is not None:
        _put(
            "notice",
            f"notice {key} {person.id}",
            now,
            to=person.id,
            audience=Audience.USER,
            recipient_id=person.id,
            notice=key,
        )


def turn_topic(ticket: Ticket, now: datetime) -> None:
    """A ticket is over, or goes on: its topic is closed or opened, if it has one."""
    key = f"topic {ticket.id} {ticket.version} {now.isoformat()}"
    with tenancy.everywhere("topics belong to the desk"):
        _put("topic", key, now, to=TOPICS, audience=Audience.OPERATOR, ticket_id=ticket.id)


def tell_owner(
    ticket: Ticket,
    kind: str,
    key: str,
    now: datetime,
    *,
    message: TicketMessage | None = None,
    **values: Any,
) -> bool:
    """Tell the owner of a ticket, if they have linked and confirmed their Telegram.

    Args:
        ticket: whose owner is told.
        kind: ``answer``, ``warning`` (values: ``closes``, the moment as text), ``closed``
            (value: ``reason``) or ``access`` (``access_id``, ``asker``, ``minutes``, ``reason``).
        key: what makes it one thing; the same key again tells nothing.
        now: the moment, UTC.
        message: the message that is shown with it.
        values: what the text of this kind needs, plain JSON.

    Returns:
        Whether there is a link to tell it through.
    """
    with tenancy.everywhere("a person's Telegram is theirs, whichever workspace tells"):
        if ticket.opened_by is None or active_link(ticket.opened_by) is None:
            return False
        _put(
            kind,
            f"owner {key}",
            now,
            to=ticket.opened_by,
            audience=Audience.USER,
            recipient_id=ticket.opened_by,
            ticket_id=ticket.id,
            message_id=message.id if message else None,
            seq=ticket.last_seq,
            **values,
        )
        return True


def mention(ticket: Ticket, note: TicketNote, named: list[User], now: datetime) -> None:
    """Tell operators, in their private chats, that a note names them."""
    for person in named:
        if person.id != note.author_id and active_link(person.id) is not None:
            _put(
                "mention",
                f"note {note.id} {person.id}",
                now,
                to=person.id,
                audience=Audience.OPERATOR,
                recipient_id=person.id,
                ticket_id=ticket.id,
                note_id=note.id,
            )


def say(
    chat_id: int, text: str, key: str, now: datetime, *, ticket: Ticket | None = None, **values: Any
) -> None:
    """Say something in a chat in answer to what came from there.

    Args:
        chat_id: where.
        text: our own words; what people typed in them is defused by the caller.
        key: what makes it one thing.
        now: the moment, UTC.
        ticket: what an answer to it belongs to, if anything.
        values: ``thread`` and ``reply_to`` (where in the chat), ``role`` (how an answer to it
            counts), ``made`` (the message it confirms), ``buttons``, ``force_reply``.
    """
    _put(
        "say",
        key,
        now,
        to=f"chat {chat_id}",
        audience=Audience.OPERATOR,
        ticket_id=ticket.id if ticket else None,
        text=text,
        chat=chat_id,
        **values,
    )


def answer_button(callback_id: str, text: str, key: str, now: datetime, *, alert: bool) -> None:
    """End the waiting of whoever pressed a button; it matters for two minutes only."""
    _put(
        "button",
        key,
        now,
        to=f"button {callback_id}"[:64],
        audience=Audience.OPERATOR,
        callback=callback_id,
        text=text,
        alert=alert,
    )


def test_ring(operator: User, now: datetime) -> str:
    """Ring the operators' chat to see whether it rings; returns the call's id."""
    text = f"A test by {operator.name}. This chat hears of every ticket, and of the fleet's alarms."
    key = new_id("test")
    _put("test", key, now, to=OPERATORS, audience=Audience.OPERATOR, text=text)
    found: str = db.session.scalars(
        select(TelegramCall.id).where(TelegramCall.dedupe_key == key)
    ).one()
    return found


def active_link(user_id: str) -> TelegramLink | None:
    """The link of a person, confirmed and not shut; the caller opens what is needed to see it."""
    query = select(TelegramLink).where(
        TelegramLink.user_id == user_id,
        TelegramLink.confirmed_at.is_not(None),
        TelegramLink.inactive_at.is_(None),
    )
    return db.session.scalars(query).first()


def ask(call_id: str, *, at: datetime, now: datetime) -> None:
    """Have the worker look at a call, or at what goes before it to the same place."""
    outbox.put(QUEUE, JOB, now=now, not_before=at, call_id=call_id)


def sweep(now: datetime, limit: int = 100) -> int:
    """Ask anew for calls that the queue has forgotten; returns how many."""
    past = clock.database_now(now) - LOST_AFTER
    lost = select(TelegramCall).where(
        TelegramCall.state == CallState.QUEUED,
        TelegramCall.try_at <= past,
        db.or_(TelegramCall.claimed_until.is_(None), TelegramCall.claimed_until <= past),
    )
    found = db.session.scalars(lost.order_by(TelegramCall.created_at).limit(limit)).all()
    for call in found:
        call.try_at = now
        ask(call.id, at=now, now=now)
    return len(found)


def forget(now: datetime) -> None:
    """Drop calls that were settled and updates of long ago, and tokens that lead nowhere."""
    old = (TelegramCall.state != CallState.QUEUED, TelegramCall.created_at < now - KEPT)
    db.session.execute(delete(TelegramCall).where(*old))
    db.session.execute(delete(TelegramLinkToken).where(TelegramLinkToken.expires_at < now))
    done = TelegramUpdate.received_at < now - UPDATES_KEPT
    db.session.execute(delete(TelegramUpdate).where(done))


def _put(
    kind: str,
    key: str,
    now: datetime,
    *,
    to: str,
    audience: Audience,
    recipient_id: str | None = None,
    ticket_id: str | None = None,
    message_id: str | None = None,
    note_id: str | None = None,
    **values: Any,
) -> None:
    call_id = new_id("tgc")
    row = {
        "id": call_id,
        "destination": to,
        "audience": audience,
        "recipient_id": recipient_id,
        "kind": kind,
        "ticket_id": ticket_id,
        "message_id": message_id,
        "note_id": note_id,
        "values": values,
        "dedupe_key": key[:160],
        "state": CallState.QUEUED,
        "attempts": 0,
        "error": "",
        "created_at": now,
        "try_at": now,
    }
    db.session.flush()
    dialect = db.session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: Any = insert(TelegramCall).values(row)
    if change(statement.on_conflict_do_nothing(index_elements=["dedupe_key"])):
        ask(call_id, at=now, now=now)
