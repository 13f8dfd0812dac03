"""The events of a chain out of the database, as plain ones, a few at a time."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, select, true

from app.domain.audit_chain import FIELDS
from app.extensions import db
from app.models import AuditEvent
from runner.protocol import to_plain

_AT_ONCE = 1000
_MOMENTS = tuple(FIELDS.index(name) for name in ("occurred_at", "recorded_at"))
_OUTCOME = FIELDS.index("outcome")


def stream(
    chain: str,
    last: int,
    *,
    after: int = 0,
    shown: ColumnElement[bool] | None = None,
    only: ColumnElement[bool] | None = None,
) -> Iterator[tuple[dict[str, Any], bool]]:
    """Events in order, up to ``last``; beside each whether ``shown`` holds for it.

    Columns and not rows: made into objects, 200,000 of them would take a minute.
    """
    columns = [getattr(AuditEvent, name) for name in FIELDS]
    query = select(*columns, true() if shown is None else shown).where(
        AuditEvent.chain == chain, AuditEvent.seq > after, AuditEvent.seq <= last
    )
    if only is not None:
        query = query.where(only)
    ordered = query.order_by(AuditEvent.seq).execution_options(yield_per=_AT_ONCE)
    for row in db.session.execute(ordered):
        values = list(row)
        wanted = bool(values.pop())
        for place in _MOMENTS:
            values[place] = to_plain(values[place])
        values[_OUTCOME] = str(values[_OUTCOME].value)
        yield dict(zip(FIELDS, values, strict=True)), wanted
