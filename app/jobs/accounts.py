"""The job that keeps two bots off one symbol of one account."""

from datetime import UTC, datetime

from app.domain import account_rule
from app.extensions import db
from app.jobs.worker import in_app


@in_app
def share_no_account(bot_id: str) -> None:
    """Of one bot; twice, late or in vain pauses and tells nothing twice."""
    account_rule.look(bot_id, datetime.now(UTC))
    db.session.commit()
