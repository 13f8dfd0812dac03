"""The status page's jobs: measuring, and bringing updates to everybody who waits for them."""

from datetime import UTC, datetime

from app import current
from app.domain.status import incidents, spreading
from app.extensions import db
from app.jobs import effect
from app.jobs.worker import in_app

_STEPS = 40
"""Steps of one job; the rest is asked for anew, so that no job runs long."""


@in_app
def look_around() -> None:
    """Measure the components once."""
    effect.look_around()


@in_app
def spread_update(update_id: str) -> None:
    """Tell the next thousand; running it twice, late or in vain tells nobody twice."""
    spread(update_id)


def spread(update_id: str) -> None:
    """The same, in an application that is there already."""
    base_url = current.config().base_url
    for _ in range(_STEPS):
        db.session.connection()  # SQLite: wait for its lock before reading the time, not after
        more = spreading.step(update_id, base_url, datetime.now(UTC))
        db.session.commit()
        if not more:
            return
    incidents.ask_to_spread(update_id, datetime.now(UTC))
    db.session.commit()
