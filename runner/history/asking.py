"""When a runner spoke with the class of a code strategy, as a recording tells it.

Never what the class answered: a replay asks it again, and has to hear the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Began:
    """A class begins, or begins anew after a gap, with what it kept."""

    state: dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A class is asked of the candle that opened then, with what is held and known by now."""

    candle: datetime


@dataclass(frozen=True)
class Answered:
    """What a class said of a candle counts from now on; ``silent``: why it said nothing."""

    candle: datetime
    silent: str = ""


Asking = Began | Asked | Answered
