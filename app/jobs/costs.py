"""The jobs that add up what a workspace's machines cost, and tell whom it concerns."""

from datetime import UTC, datetime

from app import current
from app.domain import budgets, statement_letters
from app.extensions import db
from app.jobs.worker import in_app


@in_app
def look_at_costs(place: str) -> None:
    """Of one workspace; twice, late or in vain tells nothing twice."""
    budgets.look(place, datetime.now(UTC), current.config().base_url)
    db.session.commit()


@in_app
def send_statement(place: str) -> None:
    """Of one workspace, the month that ended last; twice, late or in vain writes nobody twice."""
    statement_letters.send(place, datetime.now(UTC), current.config().base_url)
    db.session.commit()
