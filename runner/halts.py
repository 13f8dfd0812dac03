"""Limits that were passed and still keep a bot from entering, and what of that outlasts a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from runner.protocol import Breach

UNTIL_MIDNIGHT = "max_daily_loss"
"""Passed for the rest of the UTC day; every other limit until a person resumes the bot."""


@dataclass(frozen=True)
class Halt:
    """A limit that was passed at ``at`` and still keeps the bot from entering.

    ``told``: whether the platform knows of it in this run.
    """

    breach: Breach
    at: datetime
    told: bool = True


@dataclass
class Guarded:
    """What the limits are measured by besides ``Capital``.

    ``lost_at``: end of the last losing trade. ``refused_since``: refused orders before it count no
    more.
    """

    lost_at: datetime | None = None
    refused_since: datetime | None = None
    halts: tuple[Halt, ...] = ()

    def for_another_run(self, today: date) -> Guarded:
        """What is the day's and not the run's: the last loss, and the limit it passed."""
        of_today = (h for h in self.halts if h.at.date() == today)
        halts = (replace(h, told=False) for h in of_today if h.breach.limit == UNTIL_MIDNIGHT)
        return Guarded(self.lost_at, halts=tuple(halts))
