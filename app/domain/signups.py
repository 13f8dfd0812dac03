"""How many accounts may be made: from one address, and by everybody together."""

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import select, true

from app.domain import audit
from app.domain.audit import Actor
from app.domain.errors import TooMany
from app.extensions import db
from app.models import AuditEvent, AuditOutcome

ACTION = "account.create"
WINDOW = timedelta(hours=1)
MOST_FROM_ADDRESS = 10
# A flood from many addresses; a house that grows faster than this makes its accounts another way.
MOST_IN_ALL = 300


def check(*, invited: bool, by: Actor, now: datetime) -> None:
    """Count in the audit log, which all processes share and a restart keeps.

    Who comes by an invitation is not held up by a crowd that does not.

    Raises:
        TooMany: this address, or everybody together, made or tried too many accounts.
    """
    if by.ip:
        _throttle(AuditEvent.ip == by.ip, MOST_FROM_ADDRESS, now)
    if not invited:
        _throttle(true(), MOST_IN_ALL, now)


def note_taken(*, by: Actor, now: datetime) -> None:
    """Keep a try with an address that has an account: many of them look for who has one."""
    audit.record(ACTION, by=by, now=now, outcome=AuditOutcome.DENIED, reason="address taken")


def _throttle(whose: Any, most: int, now: datetime) -> None:
    query = select(AuditEvent.occurred_at).where(
        whose, AuditEvent.action == ACTION, AuditEvent.occurred_at > now - WINDOW
    )
    newest = query.order_by(AuditEvent.occurred_at.desc()).limit(most)
    lately = list(db.session.scalars(newest))
    if len(lately) == most:
        raise TooMany(
            "Too many accounts were made lately. Wait an hour, then try again.",
            max(1, ceil((lately[-1] + WINDOW - now).total_seconds())),
        )
