"""Steps outside that take minutes: begin, commit, do while it is heard of, finish, commit."""

import logging
from datetime import UTC, datetime

from sqlalchemy.exc import OperationalError

from app import current
from app.domain import backtest_runs, dry_runs
from app.extensions import db
from app.gateways.backtest import Backtester
from app.gateways.backtest_outcome import End

log = logging.getLogger(__name__)

DRY_RUN_SECONDS = 120.0
"""Each of its two runs may take."""


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

    allowed = config.code_strategies
    tester = Backtester(config.var_dir / "history", config.exchange_endpoints, code=allowed)
    outcome = tester.run(errand.request, beat)
    db.session.connection()
    kept = backtest_runs.finish(errand, outcome, datetime.now(UTC))
    db.session.commit()
    return kept


def dry_run(dry_run_id: str) -> bool:
    """Run one that waits, twice; ``True`` if it was run and written down.

    The class runs in a process of its own below the run's: here its source is only handed on.
    """
    config = current.config()
    db.session.connection()
    errand = dry_runs.begin(dry_run_id, datetime.now(UTC))
    db.session.commit()
    if errand is None:
        return False

    def beat(*_: object) -> bool:
        try:
            held = dry_runs.beat(errand, datetime.now(UTC))
            db.session.commit()
        except OperationalError:  # busy or away for a moment: the run goes on
            db.session.rollback()
            return True
        return held

    folder = config.var_dir / "history"
    allowed = config.code_strategies
    tester = Backtester(folder, config.exchange_endpoints, seconds=DRY_RUN_SECONDS, code=allowed)
    first = tester.run(errand.request, beat)
    second = tester.run(errand.request, beat) if first.end is End.DONE else None
    db.session.connection()
    kept = dry_runs.finish(errand, first, second, datetime.now(UTC))
    db.session.commit()
    return kept
