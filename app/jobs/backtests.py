"""The jobs that carry out what takes minutes: backtests, checks, dry runs, certifications."""

from app.jobs import certify_effect, long_effect
from app.jobs.worker import in_app


@in_app
def run_backtest(backtest_id: str) -> None:
    """One of those that wait; twice, late or in vain changes nothing."""
    long_effect.backtest(backtest_id)


@in_app
def check_readiness(check_id: str) -> None:
    """A bot beside a backtest on what it saw; twice, late or in vain changes nothing."""
    long_effect.readiness(check_id)


@in_app
def run_dry_run(dry_run_id: str) -> None:
    """One of those that wait; twice, late or in vain changes nothing."""
    long_effect.dry_run(dry_run_id)


@in_app
def run_certification(run_id: str) -> None:
    """One of those that wait; twice, late or in vain changes nothing."""
    certify_effect.certification(run_id)
