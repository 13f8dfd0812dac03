"""How many letters people without an account may have sent: from one place, to one address, in all.

Counted in the audit log, which all processes share and a restart keeps. No address stands there:
it is told apart by a digest.
"""

import hashlib
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import select, true

from app.domain import audit
from app.domain.audit import Actor
from app.domain.errors import TooMany
from app.extensions import db
from app.models import AuditEvent

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_FROM_PLACE = 5
MOST_TO_ADDRESS = 3
MOST_IN_ALL = 200
# A flood from many places; a house that is asked more often has people sign up first.


def may_write(action: str, email_key: str, *, by: Actor, now: datetime) -> bool:
    """Count one letter, and say whether it may go out; ``False`` looks like ``True`` from outside.

    Args:
        action: what is asked for, as the audit log names it; each counts by itself.
        email_key: the address it would go to.
        by: who asks, with the address of their machine.
        now: the moment, UTC.

    Raises:
        TooMany: this place, or everybody together, asked too often within the hour.
    """
    if by.ip:
        _throttle(action, AuditEvent.ip == by.ip, MOST_FROM_PLACE, now)
    _throttle(action, true(), MOST_IN_ALL, now)
    mailbox = hashlib.sha256(f"{action} {email_key}".encode()).hexdigest()[:40]
    enough = len(_lately(action, AuditEvent.target_id == mailbox, MOST_TO_ADDRESS, DAY, now))
    audit.record(action, by=by, now=now, target_id=mailbox)
    return enough < MOST_TO_ADDRESS


def _throttle(action: str, whose: Any, most: int, now: datetime) -> None:
    lately = _lately(action, whose, most, HOUR, now)
    if len(lately) == most:
        raise TooMany(
            "So many letters were asked for lately that no more are sent. Try again in an hour.",
            max(1, ceil((lately[-1] + HOUR - now).total_seconds())),
        )


def _lately(action: str, whose: Any, most: int, within: timedelta, now: datetime) -> list[datetime]:
    query = select(AuditEvent.occurred_at).where(
        whose, AuditEvent.action == action, AuditEvent.occurred_at > now - within
    )
    return list(db.session.scalars(query.order_by(AuditEvent.occurred_at.desc()).limit(most)))
