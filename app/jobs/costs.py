"""The job that adds up what a workspace's machines cost so far, and tells what was reached."""

from datetime import UTC, datetime

from app import current
from app.domain import budgets
from app.extensions import db
from app.jobs.worker import in_app


@in_app
def look_at_costs(place: str) -> None:
    """Of one workspace; twice, late or in vain tells nothing twice."""
    budgets.look(place, datetime.now(UTC), current.config().base_url)
    db.session.commit()
