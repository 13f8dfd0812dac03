"""Too many denied tries are told to wait: counted in the audit log, which all processes share.

Every denied try is written there, in the transaction that refuses it, so a restart forgets none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import select

from app.domain.errors import TooMany
from app.extensions import db
from app.models import AuditEvent, AuditOutcome


@dataclass(frozen=True)
class Limit:
    """At most so many denied tries within a stretch of time."""

    most: int
    within: timedelta


def check(whose: Any, action: str, limits: Sequence[Limit], message: str, now: datetime) -> None:
    """Refuse if any limit is reached; longer limits make the delay grow.

    Args:
        whose: which events count, as an SQL condition.
        action: of the events.
        limits: all of them hold.
        message: what the person reads.
        now: the moment, UTC.

    Raises:
        TooMany: with how long to wait.
    """
    wait = max(_wait(whose, action, limit, now) for limit in limits)
    if wait > 0:
        raise TooMany(message, ceil(wait))


def _wait(whose: Any, action: str, limit: Limit, now: datetime) -> float:
    """The seconds until one limit takes another try; 0 if it does now."""
    query = select(AuditEvent.occurred_at).where(
        whose,
        AuditEvent.action == action,
        AuditEvent.outcome == AuditOutcome.DENIED,
        AuditEvent.occurred_at > now - limit.within,
    )
    newest = query.order_by(AuditEvent.occurred_at.desc()).limit(limit.most)
    denied = list(db.session.scalars(newest))
    if len(denied) < limit.most:
        return 0
    return max(1.0, (denied[-1] + limit.within - now).total_seconds())
