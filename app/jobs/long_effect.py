"""Steps outside that take minutes: begin, commit, do while it is heard of, finish, commit."""

import logging
from datetime import UTC, datetime

from sqlalchemy.exc import OperationalError

from app import current
from app.domain import backtest_runs, preview_runs
from app.extensions import db
from app.gateways.backtest import Backtester

log = logging.getLogger(__name__)


def backtest(backtest_id: str) -> bool:
    """Run one that waits; ``True`` if it was run and written down."""
    config = current.config()
    db.session.connection()  # SQLite: wait for its lock before reading the time, not after
    errand = backtest_runs.begin(backtest_id, datetime.now(UTC))
    db.session.commit()
    if errand is None:
        return False

    def beat(step: str, done: int, of: int) -> bool:
        try:
            wanted = backtest_runs.beat(errand, step, done, of, datetime.now(UTC))
            db.session.commit()
        except OperationalError:  # busy or away for a moment: the run goes on
            db.session.rollback()
            log.warning("a backtest could not be heard of; it goes on")
            return True
        return wanted

    tester = Backtester(config.var_dir / "history", config.exchange_endpoints)
    outcome = tester.run(errand.request, beat)
    db.session.connection()
    kept = backtest_runs.finish(errand, outcome, datetime.now(UTC))
    db.session.commit()
    return kept


def preview(preview_id: str) -> bool:
    """Work out one that waits; ``True`` if it was worked out and written down."""
    config = current.config()
    db.session.connection()
    errand = preview_runs.begin(preview_id, datetime.now(UTC))
    db.session.commit()
    if errand is None:
        return False

    def beat(step: str, _done: int, _of: int) -> bool:
        try:
            wanted = preview_runs.beat(errand, step, datetime.now(UTC))
            db.session.commit()
        except OperationalError:  # busy or away for a moment: the run goes on
            db.session.rollback()
            return True
        return wanted

    tester = Backtester(
        config.var_dir / "history",
        config.exchange_endpoints,
        seconds=preview_runs.SECONDS,
        memory=preview_runs.MEMORY,
        late=preview_runs.LATE,
    )
    outcome = tester.run(errand.request, beat)
    db.session.connection()
    kept = preview_runs.finish(errand, outcome, datetime.now(UTC))
    db.session.commit()
    return kept
