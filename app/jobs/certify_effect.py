"""A certification as a worker sees it: begin, commit, run while it is heard of, finish, commit."""

import logging
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import OperationalError

from app import current
from app.domain.certification import runs
from app.extensions import db
from app.gateways.certifier import Certifier

log = logging.getLogger(__name__)


def certification(run_id: str) -> bool:
    """Carry out one that waits; ``True`` if it was done and written down."""
    db.session.connection()  # SQLite: wait for its lock before reading the time, not after
    errand = runs.begin(run_id, datetime.now(UTC))
    db.session.commit()
    if errand is None:
        return False

    def beat(lines: list[dict[str, Any]], of: int) -> bool:
        try:
            wanted = runs.beat(errand, lines, of, datetime.now(UTC))
            db.session.commit()
        except OperationalError:  # busy or away for a moment: it goes on
            db.session.rollback()
            log.warning("a certification could not be heard of; it goes on")
            return True
        return wanted

    config = current.config()
    outcome = Certifier(config.runner_base_url).run(errand.claim, beat)
    db.session.connection()
    kept = runs.finish(
        errand, outcome, name=config.app_name, locker=current.locker(), now=datetime.now(UTC)
    )
    db.session.commit()
    return kept
