"""Taking a workspace's audit log out: what goes into the file, and the event that says so."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from typing import Any

from sqlalchemy import func, select

from app.domain import audit, audit_chain, audit_file, audit_rows, checkpoints
from app.domain.audit import Actor, Change
from app.domain.audit_chain import Anchor
from app.domain.audit_file import Header
from app.domain.audit_query import AuditFilter
from app.domain.checkpoint_file import Checkpoint
from app.domain.errors import Invalid
from app.extensions import db
from app.models import AuditEvent, AuditHead, Workspace

FORMATS = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00")
_COLUMNS = tuple(name for name in audit_chain.FIELDS if name not in ("salt", "previous_hash"))


@dataclass(frozen=True)
class Export:
    """A chain as it stood at one moment, seen through a filter; ``count`` events pass it."""

    workspace_id: str
    name: str
    count: int
    head: Anchor
    made_at: datetime
    wanted: AuditFilter = field(default_factory=AuditFilter)
    checkpoints: tuple[Checkpoint, ...] = ()


def of_workspace(workspace_id: str, now: datetime, wanted: AuditFilter | None = None) -> Export:
    """Settle what is exported. Raises ``Invalid`` if there is no such workspace."""
    workspace = db.session.get(Workspace, workspace_id)
    head = db.session.get(AuditHead, workspace_id, populate_existing=True)
    if workspace is None or head is None:
        raise Invalid(
            f"There is no workspace {workspace_id}; its id stands in the address of its pages, "
            "/w/ws_…",
            "workspace_id",
        )
    wanted = wanted or AuditFilter()
    count = select(func.count()).where(
        AuditEvent.chain == workspace_id, AuditEvent.seq <= head.seq, wanted.condition()
    )
    return Export(
        workspace_id=workspace_id,
        name=workspace.name,
        count=db.session.scalar(count) or 0,
        head=Anchor(head.seq, head.hash),
        made_at=now,
        wanted=wanted,
        checkpoints=tuple(checkpoints.of_chain(workspace_id)),
    )


def lines(export: Export) -> Iterator[str]:
    """JSON Lines, oldest event first; what the filter leaves out stands there as stubs."""
    yield audit_file.header_line(
        Header(
            chain=export.workspace_id,
            workspace=export.name,
            count=export.count,
            last=export.head.seq,
            head=export.head.hash,
            made_at=export.made_at,
            filter=export.wanted.describe(),
            checkpoints=export.checkpoints,
        )
    )
    shown = export.wanted.condition()
    for event, wanted in audit_rows.stream(export.workspace_id, export.head.seq, shown=shown):
        yield audit_file.line(event if wanted else audit_file.stub(event))


def table(export: Export) -> Iterator[str]:
    """CSV of what passes the filter, oldest first; times in UTC, nothing that acts as a formula."""
    yield _row(_COLUMNS)
    only = export.wanted.condition()
    for event, _ in audit_rows.stream(export.workspace_id, export.head.seq, only=only):
        yield _row([_cell(event[name]) for name in _COLUMNS])


def record(export: Export, *, by: Actor, now: datetime, form: str = "jsonl") -> None:
    """Note in the log that it was taken out: how much of it, by which filter, up to which link."""
    audit.record(
        "audit.export",
        by=by,
        now=now,
        workspace_id=export.workspace_id,
        target_id=export.workspace_id,
        target_label=export.name,
        changes=[
            Change("events", None, export.count),
            Change("filter", None, export.wanted.describe()),
            Change("format", None, form),
            Change("head", None, export.head.hash),
        ],
    )


def _cell(value: Any) -> str:
    """A value as a spreadsheet shows it and never computes it (OWASP: CSV injection)."""
    if isinstance(value, list):
        value = "; ".join(_change(item) for item in value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _change(item: dict[str, Any]) -> str:
    before, after = (json.dumps(item[name], ensure_ascii=False) for name in ("before", "after"))
    return f"{item['field']}: {before} → {after}"


def _row(cells: Any) -> str:
    buffer = StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
