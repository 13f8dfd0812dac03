"""What people write about a trade: one note and a few tags."""

from datetime import datetime

from sqlalchemy import delete, select

from app.domain import audit
from app.domain.audit import Actor, Change
from app.domain.errors import Invalid
from app.extensions import db
from app.models import TradeNote, TradeRow, TradeTag, User, Workspace

NOTE = 2000


def find(workspace: Workspace, trade_id: str) -> TradeRow | None:
    """A trade of this workspace."""
    query = select(TradeRow).where(TradeRow.workspace_id == workspace.id, TradeRow.id == trade_id)
    return db.session.scalar(query)


def note_of(trade: TradeRow) -> TradeNote | None:
    """What was written about it."""
    return db.session.get(TradeNote, trade.id)


def tags_of(trade: TradeRow) -> list[str]:
    """Its tags, by name."""
    query = select(TradeTag.name).where(TradeTag.trade_id == trade.id).order_by(TradeTag.name)
    return list(db.session.scalars(query))


def annotate(
    trade: TradeRow, text: str, tags: list[str], *, author: User, by: Actor, now: datetime
) -> None:
    """Put note and tags in place of what was there; nothing changed is no event.

    Raises:
        Invalid: the note is too long.
    """
    if len(text) > NOTE:
        raise Invalid(f"Use at most {NOTE} characters.", "note")
    note, before = note_of(trade), tags_of(trade)
    said = note.text if note is not None else ""
    changes = [Change("note", said or None, text or None)] if said != text else []
    if before != tags:
        changes.append(Change("tags", ", ".join(before) or None, ", ".join(tags) or None))
    if not changes:
        return
    if said != text:
        _write(trade, note, text, author, now)
    if before != tags:
        _tag(trade, before, tags)
    label = f"{trade.symbol} of {trade.opened_at:%Y-%m-%d %H:%M}"
    audit.record(
        "trade.annotate",
        by=by,
        now=now,
        workspace_id=trade.workspace_id,
        target_id=trade.id,
        target_label=label,
        changes=changes,
    )


def _write(trade: TradeRow, note: TradeNote | None, text: str, author: User, now: datetime) -> None:
    if note is not None and not text:
        db.session.delete(note)
        return
    if note is None:
        note = TradeNote(workspace_id=trade.workspace_id, trade_id=trade.id)
        db.session.add(note)
    note.text, note.written_by, note.written_at = text, author.id, now


def _tag(trade: TradeRow, before: list[str], tags: list[str]) -> None:
    gone = set(before) - set(tags)
    mine = TradeTag.trade_id == trade.id
    db.session.execute(delete(TradeTag).where(mine, TradeTag.name.in_(gone)))
    for name in tags:
        if name not in before:
            tag = TradeTag(workspace_id=trade.workspace_id, trade_id=trade.id, name=name)
            db.session.add(tag)
