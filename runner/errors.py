"""What can go wrong, sorted by what to do about it."""

from __future__ import annotations

from datetime import datetime


class RunnerError(Exception):
    """Base of all errors the runner raises on purpose."""


class Temporary(RunnerError):
    """Nothing happened and trying again later may work; before ``retry_at`` it will not."""

    def __init__(self, text: str = "", retry_at: datetime | None = None) -> None:
        super().__init__(text)
        self.retry_at = retry_at


class Operational(RunnerError):
    """Refused for good: trying again changes nothing, a person or the caller must."""


class UnknownOutcome(RunnerError):
    """The request may or may not have taken effect; ask the other side before acting again."""


class Superseded(RunnerError):
    """A newer generation or boot owns this bot; stop."""
