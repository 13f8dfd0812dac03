"""Keeping what was measured: one open stretch per component, closed when its condition changes.

A change counts once two looks in a row have found it, so that nothing flickers.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from app.domain.status import components
from app.domain.status.facts import Finding
from app.extensions import db
from app.models import Component, Condition, Measurement

EVERY = timedelta(minutes=1)
KEPT = timedelta(days=400)
_GAP = "Nothing was measured in this time."


def keep(found: Mapping[str, Finding], now: datetime) -> None:
    """Write one look down."""
    known = components.rows()
    for entry in components.catalogue():
        finding = found.get(entry.key)
        if finding is None:
            continue
        row = known.get(entry.key)
        if row is None:
            row = components.unmeasured(entry, now)
            db.session.add(row)
            db.session.flush()
        row.title = entry.title
        _note(row, finding, now)
    db.session.flush()


def forget(now: datetime) -> None:
    """Drop stretches that no page shows any more."""
    db.session.execute(delete(Measurement).where(Measurement.ended_at < now - KEPT))


def _note(row: Component, finding: Finding, now: datetime) -> None:
    stretch = _open_stretch(row)
    if stretch is None:
        _begin(row, finding, now)
    elif now - row.measured_at > components.STALE:
        _bridge(row, stretch, now)
        _begin(row, finding, now)
    elif finding.condition is row.condition:
        row.pending, row.detail = None, finding.detail
    elif finding.condition is row.pending:
        stretch.ended_at = now
        _begin(row, finding, now)
    else:
        row.pending = finding.condition
    row.measured_at = now


def _open_stretch(row: Component) -> Measurement | None:
    query = select(Measurement).where(
        Measurement.component_key == row.key, Measurement.ended_at.is_(None)
    )
    return db.session.scalars(query.order_by(Measurement.began_at.desc()).limit(1)).first()


def _begin(row: Component, finding: Finding, now: datetime) -> None:
    if row.condition is not finding.condition or row.pending is not None:
        row.since = now
    row.condition, row.detail, row.pending = finding.condition, finding.detail, None
    db.session.add(
        Measurement(
            component_key=row.key,
            condition=finding.condition,
            detail=finding.detail,
            began_at=now,
        )
    )


def _bridge(row: Component, stretch: Measurement, now: datetime) -> None:
    """While nobody looked nothing is known."""
    stretch.ended_at = row.measured_at
    db.session.add(
        Measurement(
            component_key=row.key,
            condition=Condition.UNKNOWN,
            detail=_GAP,
            began_at=row.measured_at,
            ended_at=now,
        )
    )
