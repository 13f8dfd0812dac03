"""Telegram's jobs."""

from app.jobs import effect
from app.jobs.worker import in_app


@in_app
def ring_telegram(call_id: str) -> None:
    """Make the calls that are due where this one goes; twice, late or in vain changes nothing."""
    effect.ring(call_id)


@in_app
def take_update(bot_id: str, update_id: str) -> None:
    """Decide about one update; a second time changes nothing."""
    effect.take_update(int(bot_id), int(update_id))


@in_app
def look_telegram() -> None:
    """Look at the bot and the operators' chat."""
    effect.look_telegram()
