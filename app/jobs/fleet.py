"""The planner's job."""

from app.jobs import effect
from app.jobs.worker import in_app


@in_app
def advance_bot(bot_id: str) -> None:
    """Take one step of one bot; running it twice, late or in vain changes nothing."""
    effect.advance(bot_id)
