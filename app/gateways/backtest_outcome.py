"""What comes of a backtest's process."""

import json
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


def fault_of(component: str, name: str, message: str) -> dict[str, str]:
    """What a person is told: the component and the field to change, and why."""
    return {"component": component, "field": name, "message": message}


def read(status: int, answer: bytes, log: str) -> Outcome:
    """What a process that came to its own end wrote; ``status`` is its exit status."""
    try:
        told = json.loads(answer)
        error = told.get("error") or {}
        said = {name: str(error.get(name) or "")[:500] for name in fault_of("", "", "")}
    except (ValueError, AttributeError):
        text = f"it ended without an answer (status {status}); the log says more"
        return Outcome(End.FAILED, log=log, fault=fault_of("backtest", "", text))
    if status == 0 and told.get("ok") is True:
        return Outcome(End.DONE, answer, log)
    return Outcome(End.FAILED, log=log, fault=said)
