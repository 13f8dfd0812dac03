"""The job that carries out a backtest."""

from app.jobs import long_effect
from app.jobs.worker import in_app


@in_app
def run_backtest(backtest_id: str) -> None:
    """One of those that wait; twice, late or in vain changes nothing."""
    long_effect.backtest(backtest_id)
