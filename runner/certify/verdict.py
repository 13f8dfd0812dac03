"""What became of a step, and which kind of failure it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runner.errors import Operational, RunnerError, Temporary, UnknownOutcome


class Verdict(StrEnum):
    """``NOT_OFFERED``: venue or runner has no such thing. ``SKIPPED``: nothing was shown."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_OFFERED = "not_offered"


GOOD = (Verdict.PASSED, Verdict.NOT_OFFERED)


class Cause(StrEnum):
    """Why a step failed, by what there is to do about it."""

    TEMPORARY = "temporary"
    REFUSED = "refused"
    UNKNOWN_OUTCOME = "unknown_outcome"
    UNEXPECTED = "unexpected"
    FAULT = "fault"


class Unexpected(RunnerError):
    """The venue answered, and something is not as it has to be."""


class NotShown(RunnerError):
    """Neither right nor wrong: the market offered no occasion to see it."""


class NotOffered(RunnerError):
    """The venue has no such thing, or the runner refuses to send it there, as it has to."""


@dataclass(frozen=True)
class Line:
    """One step in the report."""

    step: str
    title: str
    verdict: Verdict
    detail: str
    began_at: datetime
    milliseconds: int = 0
    cause: Cause | None = None


_CAUSES: tuple[tuple[type[Exception], Cause], ...] = (
    (Temporary, Cause.TEMPORARY),
    (Operational, Cause.REFUSED),
    (UnknownOutcome, Cause.UNKNOWN_OUTCOME),
    (Unexpected, Cause.UNEXPECTED),
)


def cause_of(error: Exception) -> Cause:
    """What the runner did not raise on purpose is a fault of its own."""
    return next((cause for kind, cause in _CAUSES if isinstance(error, kind)), Cause.FAULT)


def sentence_of(error: Exception) -> str:
    if isinstance(error, RunnerError):
        return str(error)
    said = str(error).split("?", 1)[0][:300]  # what follows may hold a signature
    return f"the runner failed: {type(error).__name__}: {said}"
