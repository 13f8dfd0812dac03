"""Updates: stored once as they come, decided once by a worker.

Whatever an update leads to is written in one transaction with the decision about it, so one that
is delivered a hundred times, or whose worker dies, leads to it once. What it said
is kept no longer than that: there a word could survive that was taken out of a ticket. Numbers of
updates begin anew after a quiet week, so none is ever compared with another.
"""

from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.domain import outbox
from app.domain.errors import DomainError
from app.domain.support.said import NewFile
from app.domain.telegram import desk_talk, incoming, links, private_talk, who
from app.domain.telegram.incoming import Incoming, Sent
from app.domain.telegram.spoken import Outcome, Situation
from app.domain.telegram.steps import Desk
from app.extensions import change, db
from app.models import TelegramUpdate

QUEUE, JOB = "desk", "take_update"
WAITING = "waiting"
LOST_AFTER = timedelta(minutes=1)
WANTED = ("message", "edited_message", "callback_query", "my_chat_member")
"""The kinds of updates that are asked for."""


def store(bot_id: int, body: dict[str, Any], now: datetime) -> bool:
    """Keep an update and have it looked at; ``False`` if it is known or none.

    Call it with everything open: updates belong to no workspace.
    """
    number = body.get("update_id")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**63:
        return False
    try:
        kept = _storable(body)
    except RecursionError:
        return False
    row = {
        "bot_id": bot_id,
        "update_id": number,
        "body": kept,
        "decision": WAITING,
        "reason": "",
        "received_at": now,
    }
    dialect = db.session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: Any = insert(TelegramUpdate).values(row)
    new = statement.on_conflict_do_nothing(index_elements=["bot_id", "update_id"])
    if not change(new):
        return False
    _ask(bot_id, number, now)
    return True


def wanted_files(bot_id: int, update_id: int) -> tuple[Sent, ...]:
    """The files to fetch before an update is taken: those of people we know, in reply to us."""
    row = db.session.get(TelegramUpdate, (bot_id, update_id))
    message = incoming.message(row.body.get("message")) if row else None
    if row is None or row.decision != WAITING or message is None or not message.genuine:
        return ()
    replied = who.mapped(message.chat_id, message.reply_to)
    known = who.linked(message.sender_id)
    return message.files if known and (replied or message.command[0] == "note") else ()


def take(
    bot_id: int,
    update_id: int,
    now: datetime,
    desk: Desk,
    files: tuple[NewFile, ...] = (),
    lost: tuple[str, ...] = (),
) -> str:
    """Decide about an update, once; returns the decision, or nothing if it was decided before.

    ``lost`` says which files could not be fetched, in words.
    """
    key = (TelegramUpdate.bot_id == bot_id, TelegramUpdate.update_id == update_id)
    claim = update(TelegramUpdate).where(*key, TelegramUpdate.decision == WAITING)
    if not change(claim.values(decision="taken", decided_at=now)):
        return ""
    row = db.session.scalars(
        select(TelegramUpdate).where(*key).execution_options(populate_existing=True)
    ).one()
    here = Situation(f"tg {bot_id} {update_id}", row.received_at, now, desk, files, lost)
    try:
        with db.session.begin_nested():
            outcome = _decide(row.body, here)
    except DomainError as error:
        outcome = Outcome("refused", str(error))
        _complain(row.body, str(error), here)
    row.decision, row.reason, row.body = outcome.decision[:40], outcome.reason[:300], {}
    return row.decision


def failed(bot_id: int, update_id: int, reason: str, now: datetime) -> None:
    """Write down that deciding broke; a person can look at what it was."""
    key = (TelegramUpdate.bot_id == bot_id, TelegramUpdate.update_id == update_id)
    mark = update(TelegramUpdate).where(*key, TelegramUpdate.decision == WAITING)
    db.session.execute(mark.values(decision="error", reason=reason[:300], decided_at=now))


def sweep(now: datetime, limit: int = 100) -> int:
    """Ask anew for updates that the queue has forgotten."""
    lost = select(TelegramUpdate).where(
        TelegramUpdate.decision == WAITING, TelegramUpdate.received_at <= now - LOST_AFTER
    )
    found = db.session.scalars(lost.order_by(TelegramUpdate.received_at).limit(limit)).all()
    for row in found:
        _ask(row.bot_id, row.update_id, now)
    return len(found)


def _storable(found: Any) -> Any:
    """The same without what a database takes in no document: NUL, half letters, no numbers."""
    if isinstance(found, str):
        whole = found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\x00", "")
    if isinstance(found, dict):
        return {_storable(key): _storable(it) for key, it in found.items()}
    if isinstance(found, list):
        return [_storable(it) for it in found]
    return None if isinstance(found, float) and not isfinite(found) else found


def _ask(bot_id: int, number: int, now: datetime) -> None:
    outbox.put(QUEUE, JOB, now=now, bot_id=str(bot_id), update_id=str(number))


def _decide(body: dict[str, Any], here: Situation) -> Outcome:
    if (pressed := incoming.press(body.get("callback_query"))) is not None:
        if pressed.data.partition(" ")[0] in private_talk.BUTTONS:
            return private_talk.pressed(pressed, here)
        return desk_talk.pressed(pressed, here)
    if (changed := incoming.membership(body.get("my_chat_member"))) is not None:
        return _membership(*changed, here)
    if (edited := incoming.message(body.get("edited_message"))) is not None:
        return desk_talk.edited(edited, here)
    message = incoming.message(body.get("message"))
    return _message(message, here) if message else Outcome("ignored", "of a kind we do not use")


def _message(message: Incoming, here: Situation) -> Outcome:
    if message.migrate_to is not None:
        return desk_talk.moved(message, here)
    if not message.genuine:
        return Outcome("ignored", "not somebody's own words under their own name")
    if message.command[0] == "id":
        return desk_talk.tell_id(message, here)
    if message.private and not desk_talk.concerns(message, here):
        return private_talk.said(message, here)
    return desk_talk.said(message, here)


def _membership(telegram_id: int, status: str, here: Situation) -> Outcome:
    link = links.by_telegram(telegram_id)
    if link is None:
        return Outcome("ignored", "nobody we know")
    if status == "kicked":
        links.shut(link.user_id, here.now)
    elif status == "member":
        links.wake(telegram_id, here.now)
    return Outcome("membership", status)


def _complain(body: dict[str, Any], text: str, here: Situation) -> None:
    """Tell whoever asked why it was refused; only people we know, and pressers, are told."""
    pressed = incoming.press(body.get("callback_query"))
    if pressed is not None:
        here.end_wait(pressed, text, alert=True)
        return
    message = incoming.message(body.get("message") or body.get("edited_message"))
    if message is not None and (who.linked(message.sender_id) or message.command[0] == "start"):
        here.reply(message, text)
