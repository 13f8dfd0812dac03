"""A region's breaker in an operator's hands: shut it for a while, or open it before its time."""

from datetime import datetime, timedelta

from app.domain import audit, places
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid
from app.extensions import db
from app.models import CloudRegion

LONGEST = timedelta(days=30)
REASON = 300


def shut(region: str, hours: int, why: str, *, by: Actor, now: datetime) -> CloudRegion:
    """Insert and reserve nothing there for so many hours; what runs goes on.

    Raises:
        Invalid: no reason, or a time out of bounds.
    """
    reason = " ".join(why.split())
    if not 1 <= len(reason) <= REASON:
        raise Invalid(f"Say why, in 1 to {REASON} characters.", "why")
    if not 1 <= hours <= LONGEST.days * 24:
        raise Invalid(f"Give 1 to {LONGEST.days * 24} hours.", "hours")
    found = db.session.get(CloudRegion, region)
    if found is None:
        found = CloudRegion(region=region)
        db.session.add(found)
    before = found.shut_until
    found.shut_until = now + timedelta(hours=hours)
    found.shut_cause, found.shut_detail = places.BY_HAND, reason
    db.session.flush()
    _record("region.shut", found, before, by, now, reason)
    return found


def open_up(region: str, *, by: Actor, now: datetime) -> CloudRegion:
    """Ask again from now on; bots of it that are blocked are looked at at once.

    Raises ``Conflict`` if its breaker is not open.
    """
    found = db.session.get(CloudRegion, region)
    if found is None or found.shut_until is None:
        raise Conflict("Nothing is shut there; look again.")
    before = found.shut_until
    places.reopen(region, now, by_hand=True)
    db.session.refresh(found)
    _record("region.open", found, before, by, now, "")
    return found


def is_shut(region: CloudRegion | None, now: datetime) -> bool:
    """Whether nothing is inserted or reserved there at present."""
    return region is not None and region.shut_until is not None and region.shut_until > now


def _record(
    action: str,
    region: CloudRegion,
    before: datetime | None,
    by: Actor,
    now: datetime,
    reason: str,
) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        target_id=region.region,
        target_label=region.region,
        changes=[Change("shut_until", before, region.shut_until)],
        reason=reason,
    )
