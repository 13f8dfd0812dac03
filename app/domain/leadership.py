"""Leader election by a lease in the database."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update
from sqlalchemy.exc import IntegrityError

from app.domain import clock
from app.extensions import change, db
from app.models.leadership import Leadership


def take(name: str, holder: str, now: datetime, lease: timedelta) -> bool:
    """Take or renew the lead; ``False`` while somebody else holds it."""
    now = clock.database_now(now)
    renewed = change(
        update(Leadership)
        .where(Leadership.name == name, or_(Leadership.holder == holder, Leadership.until <= now))
        .values(holder=holder, until=now + lease)
    )
    if renewed == 1:
        return True
    if db.session.get(Leadership, name, populate_existing=True) is not None:
        return False
    try:
        with db.session.begin_nested():
            db.session.add(Leadership(name=name, holder=holder, until=now + lease))
    except IntegrityError:
        return False
    return True


def resign(name: str, holder: str) -> None:
    """Give the lead up, so that a successor need not wait for the lease to end."""
    mine = (Leadership.name == name, Leadership.holder == holder)
    db.session.execute(delete(Leadership).where(*mine))
