"""The job that works out a preview."""

from app.jobs import long_effect
from app.jobs.worker import in_app


@in_app
def run_preview(preview_id: str) -> None:
    """One that waits; twice, late or in vain changes nothing."""
    long_effect.preview(preview_id)
