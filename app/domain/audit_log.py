"""The audit log of a workspace, for reading; and the note that somebody read it."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.domain import audit
from app.domain.audit import Actor
from app.domain.audit_query import AuditFilter
from app.extensions import db
from app.models import AuditEvent, Workspace

VIEW = "audit.view"
VIEW_COUNTS_FOR = timedelta(hours=1)


def page(
    workspace: Workspace, limit: int, before: int | None = None, wanted: AuditFilter | None = None
) -> list[AuditEvent]:
    """Events, newest first; ``before`` is the sequence number to page back from."""
    query = select(AuditEvent).where(AuditEvent.workspace_id == workspace.id)
    if wanted is not None:
        query = query.where(wanted.condition())
    if before is not None:
        query = query.where(AuditEvent.seq < before)
    return list(db.session.scalars(query.order_by(AuditEvent.seq.desc()).limit(limit)))


def count(workspace: Workspace, wanted: AuditFilter) -> int:
    """How many events there are of what is asked for."""
    query = select(func.count()).where(AuditEvent.workspace_id == workspace.id)
    return db.session.scalar(query.where(wanted.condition())) or 0


def find(workspace: Workspace, event_id: str) -> AuditEvent | None:
    """One event of this workspace."""
    query = select(AuditEvent).where(
        AuditEvent.workspace_id == workspace.id, AuditEvent.id == event_id
    )
    return db.session.scalar(query)


def note_view(workspace_id: str, *, by: Actor, now: datetime) -> None:
    """Write down that somebody looked at the log, once an hour for each session."""
    seen = select(AuditEvent.id).where(
        AuditEvent.workspace_id == workspace_id,
        AuditEvent.action == VIEW,
        AuditEvent.session_id == by.session_id,
        AuditEvent.actor_id == by.id,
        AuditEvent.occurred_at > now - VIEW_COUNTS_FOR,
    )
    if db.session.scalar(seen.limit(1)) is None:
        audit.record(VIEW, by=by, now=now, workspace_id=workspace_id)
