"""What happens to an account, in the log of that account."""

from collections.abc import Iterable
from datetime import datetime

from app.domain import audit
from app.domain.audit import Actor, Change
from app.models import AuditOutcome, User


def record(
    user: User,
    action: str,
    by: Actor,
    now: datetime,
    outcome: AuditOutcome = AuditOutcome.SUCCESS,
    changes: Iterable[Change] = (),
    reason: str = "",
) -> None:
    """One event about a person, on the chain of their account."""
    audit.record(
        action,
        by=by,
        now=now,
        account_id=user.id,
        target_id=user.id,
        target_label=user.email,
        outcome=outcome,
        changes=changes,
        reason=reason,
    )
