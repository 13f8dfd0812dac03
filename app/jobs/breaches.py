"""The job that carries out what a passed limit asks for."""

from datetime import UTC, datetime

from app.domain import breach_policy
from app.extensions import db
from app.jobs.worker import in_app


@in_app
def follow_breach(number: str) -> None:
    """Of one breach; twice, late or in vain does and tells nothing twice."""
    breach_policy.look(number, datetime.now(UTC))
    db.session.commit()
