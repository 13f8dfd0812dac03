"""Steps outside that take minutes: begin, commit, do while it is heard of, finish, commit."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import OperationalError

from app import current
from app.domain import backtest_runs, dry_runs, preview_runs, readiness_runs
from app.extensions import db
from app.gateways.backtest import SECONDS, Backtester, Beat
from app.gateways.backtest_outcome import End, Outcome
from app.jobs import code_effect

log = logging.getLogger(__name__)

DRY_RUN_SECONDS = 120.0
"""Each of its two runs may take."""


def backtest(backtest_id: str) -> bool:
    """Run one that waits; ``True`` if it was run and written down."""
    db.session.connection()  # SQLite: wait for its lock before reading the time, not after
    errand = backtest_runs.begin(backtest_id, datetime.now(UTC))
    db.session.commit()
    if errand is None:
        return False
    beat = _heard(lambda *told: backtest_runs.beat(errand, *told))
    try:
        outcome = _outcomes((errand.workspace_id, backtest_id), errand.request, beat)[0]
    except code_effect.Busy:
        backtest_runs.give_back(errand, datetime.now(UTC))
        db.session.commit()
        return False
    db.session.connection()
    kept = backtest_runs.finish(errand, outcome, datetime.now(UTC))
    db.session.commit()
    return kept


def readiness(check_id: str) -> bool:
    """Check a bot that waits for it; ``True`` if that was done and written down."""
    db.session.connection()
    holder = readiness_runs.begin(check_id, datetime.now(UTC))
    db.session.commit()
    if holder is None:
        return False
    errand = readiness_runs.gather(check_id, holder)
    db.session.commit()
    if errand is None:
        kept = readiness_runs.give_up(check_id, holder, datetime.now(UTC))
        db.session.commit()
        return kept
    beat = _heard(lambda *told: readiness_runs.beat(check_id, holder, *told))
    outcome = _tester().run(errand.request, beat)
    db.session.connection()
    kept = readiness_runs.finish(errand, outcome, datetime.now(UTC))
    db.session.commit()
    return kept


def preview(preview_id: str) -> bool:
    """Work out one that waits; ``True`` if it was worked out and written down."""
    db.session.connection()
    errand = preview_runs.begin(preview_id, datetime.now(UTC))
    db.session.commit()
    if errand is None:
        return False
    beat = _heard(lambda step, _done, _of, now: preview_runs.beat(errand, step, now))
    config = current.config()
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


def dry_run(dry_run_id: str) -> bool:
    """Run one that waits, twice; ``True`` if it was run and written down.

    The class runs on a machine of its own, or in a process of its own below the run's: here its
    source is only handed on.
    """
    db.session.connection()
    errand = dry_runs.begin(dry_run_id, datetime.now(UTC))
    db.session.commit()
    if errand is None:
        return False
    beat = _heard(lambda *told: dry_runs.beat(errand, *told))
    whose = errand.workspace_id, dry_run_id
    try:
        found = _outcomes(whose, errand.request, beat, seconds=DRY_RUN_SECONDS, runs=2)
    except code_effect.Busy:
        dry_runs.give_back(errand, datetime.now(UTC))
        db.session.commit()
        return False
    db.session.connection()
    second = found[1] if len(found) > 1 else None
    kept = dry_runs.finish(errand, found[0], second, datetime.now(UTC))
    db.session.commit()
    return kept


def _outcomes(
    whose: tuple[str, str],
    request: dict[str, Any],
    beat: Beat,
    *,
    seconds: float = SECONDS,
    runs: int = 1,
) -> list[Outcome]:
    """What came of each run, the first that failed being the last. Raises ``code_effect.Busy``."""
    if code_effect.goes_away(request):
        return code_effect.carry_out(whose, request, beat, seconds=seconds, runs=runs)
    tester, found = _tester(seconds=seconds), list[Outcome]()
    while len(found) < runs and all(it.end is End.DONE for it in found):
        found.append(tester.run(request, beat))
    return found


def _tester(*, seconds: float = SECONDS) -> Backtester:
    config = current.config()
    folder, allowed = config.var_dir / "history", config.code_strategies
    return Backtester(folder, config.exchange_endpoints, seconds=seconds, code=allowed)


def _heard(note: Callable[[str, int, int, datetime], bool]) -> Beat:
    """Notes in a transaction of its own how far a run is."""

    def beat(step: str, done: int, of: int) -> bool:
        try:
            wanted = note(step, done, of, datetime.now(UTC))
            db.session.commit()
        except OperationalError:  # busy or away for a moment: the run goes on
            db.session.rollback()
            log.warning("a backtest could not be heard of; it goes on")
            return True
        return wanted

    return beat
