"""The planner's job, and those that sweep up beside it."""

import secrets

from app.jobs import code_effect, effect
from app.jobs.worker import in_app


@in_app
def advance_bot(bot_id: str) -> None:
    """Take one bot's next steps; running it twice, late or in vain changes nothing."""
    effect.advance_each([bot_id])


@in_app
def advance_bots(bot_ids: str) -> None:
    """The same for several, their ids between spaces."""
    effect.advance_each(bot_ids.split())


@in_app
def sweep_cloud() -> None:
    """Compare the cloud with the rows; while another sweep is under way this one does nothing."""
    effect.sweep(f"sweep-{secrets.token_hex(8)}")


@in_app
def delete_find(find_id: str) -> None:
    """Take one step of deleting what belongs to nobody; as above."""
    effect.delete_find(find_id)


@in_app
def advance_task(task_id: str) -> None:
    """Take one step of the machine of a code strategy's task; as above."""
    code_effect.advance(task_id)
