"""Texts that operators answer with often. Fields in them are filled from the ticket."""

import re
from datetime import datetime

from sqlalchemy import select

from app.domain import audit, audit_columns
from app.domain.audit import Actor
from app.domain.errors import Invalid
from app.domain.support import finding
from app.domain.support.said import BODY
from app.extensions import db
from app.models import Bot, CannedReply, Contact, Subject, Ticket, User, Workspace
from app.models.base import new_id

TITLE = 80
FIELDS = {
    "name": "who asks",
    "ref": "the ticket's number",
    "bot": "the bot it is about, if its owner named it in the ticket; else “your bot”",
    "workspace": "the workspace it belongs to",
    "operator": "who answers",
}
"""What can stand in curly brackets, and what takes its place."""

_FIELD = re.compile(r"\{([^{}\n]*)\}")


def living() -> list[CannedReply]:
    """The replies in use, by title."""
    query = select(CannedReply).where(CannedReply.archived_at.is_(None))
    return list(db.session.scalars(query.order_by(CannedReply.title)))


def archived() -> list[CannedReply]:
    """Those put away."""
    query = select(CannedReply).where(CannedReply.archived_at.is_not(None))
    return list(db.session.scalars(query.order_by(CannedReply.title)))


def find(reply_id: str) -> CannedReply | None:
    """One of either kind."""
    return db.session.get(CannedReply, reply_id)


def create(title: str, body: str, *, author: User, by: Actor, now: datetime) -> CannedReply:
    """Write a new one. Raises ``Invalid`` for an unknown field, a taken title, or no text."""
    named, text = _title(title, None), _body(body)
    made = CannedReply(
        id=new_id("can"), title=named, body=text, created_by=author.id, created_at=now
    )
    db.session.add(made)
    db.session.flush()
    _tell(made, "canned_reply.create", dict.fromkeys(audit_columns.values_of(made)), by, now)
    return made


def edit(reply: CannedReply, title: str, body: str, *, by: Actor, now: datetime) -> None:
    """Change one. Raises ``Invalid`` as ``create`` does."""
    before = audit_columns.values_of(reply)
    reply.title, reply.body = _title(title, reply), _body(body)
    _tell(reply, "canned_reply.edit", before, by, now)


def archive(reply: CannedReply, *, by: Actor, now: datetime) -> None:
    """Put one away; nothing that was sent changes."""
    before = audit_columns.values_of(reply)
    reply.archived_at = reply.archived_at or now
    _tell(reply, "canned_reply.archive", before, by, now)


def restore(reply: CannedReply, *, by: Actor, now: datetime) -> None:
    """Take one into use again."""
    before = audit_columns.values_of(reply)
    reply.archived_at = None
    _tell(reply, "canned_reply.restore", before, by, now)


def filled(reply: CannedReply, ticket: Ticket, operator: User) -> str:
    """The text with its fields filled. Each is filled once: what fills one is never looked into."""
    values = _values(ticket, operator)
    return _FIELD.sub(lambda found: values.get(found[1], found[0]), reply.body)


def _values(ticket: Ticket, operator: User) -> dict[str, str]:
    owner: User | Contact = (
        db.session.get_one(User, ticket.opened_by)
        if ticket.opened_by
        else db.session.get_one(Contact, ticket.contact_id)
    )
    return {
        "name": owner.name,
        "ref": ticket.ref,
        "bot": _bot(ticket),
        "workspace": db.session.get_one(Workspace, ticket.workspace_id).name,
        "operator": operator.name,
    }


def _bot(ticket: Ticket) -> str:
    """Names of bots are the workspace's own: one is used only where its owner wrote it here."""
    mine = select(Bot.name).where(Bot.workspace_id == ticket.workspace_id)
    name = db.session.scalar(mine.where(Bot.id == ticket.about_id))
    if ticket.about is not Subject.BOT or not name:
        return "your bot"
    said = [ticket.subject, *(it.body for it in finding.messages(ticket))]
    return name if any(name.lower() in it.lower() for it in said) else "your bot"


def _title(text: str, mine: CannedReply | None) -> str:
    cleaned = " ".join(text.split())
    if not cleaned or len(cleaned) > TITLE:
        raise Invalid(f"Give it a title of at most {TITLE} characters.", "title")
    taken = db.session.scalars(select(CannedReply).where(CannedReply.title == cleaned)).first()
    if taken is not None and taken is not mine:
        raise Invalid("Another reply has this title; it may be in the archive.", "title")
    return cleaned


def _body(text: str) -> str:
    cleaned = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not cleaned:
        raise Invalid("Write the text.", "body")
    if len(cleaned) > BODY:
        raise Invalid(f"Keep it within {BODY:,} characters.", "body")
    unknown = sorted({name for name in _FIELD.findall(cleaned) if name not in FIELDS})
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in FIELDS)
        raise Invalid(f"There is no field {{{unknown[0]}}}. There are {known}.", "body")
    return cleaned


def _tell(
    reply: CannedReply, action: str, before: dict[str, object], by: Actor, now: datetime
) -> None:
    changes = audit_columns.changes_in(reply, before)
    if changes:
        audit.record(
            action,
            by=by,
            now=now,
            target_id=reply.id,
            target_label=reply.title,
            changes=changes,
        )
