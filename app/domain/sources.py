"""Whose telemetry an event is."""

from dataclasses import dataclass
from datetime import datetime

from app.models import Bot, Machine


@dataclass(frozen=True)
class Source:
    """Where an event came from: the bot, its machine, and the run it belongs to."""

    bot: Bot
    machine: Machine
    run_id: str
    seq: int
    now: datetime

    @property
    def keys(self) -> dict[str, str]:
        """The columns that tie a telemetry row to its owner."""
        return {
            "workspace_id": self.bot.workspace_id,
            "bot_id": self.bot.id,
            "run_id": self.run_id,
        }
