"""What comes of a backtest's process."""

from dataclasses import dataclass, field
from enum import StrEnum


class End(StrEnum):
    """How a run ended."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Outcome:
    """What came of a run. ``answer`` is exactly what it wrote; ``fault`` names what to change."""

    end: End
    answer: bytes = b""
    log: str = ""
    fault: dict[str, str] = field(default_factory=dict)
