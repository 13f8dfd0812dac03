"""Previews as a worker carries them out: taken once; what is not wanted any more is ended."""

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update

from app.domain import clock
from app.extensions import change, db
from app.gateways.backtest_outcome import End, Outcome, fault_of
from app.models import Preview, PreviewState
from app.models.base import new_id

SECONDS = 45
"""A preview may take, fetching its candles included."""
MEMORY = 1024**3
LATE = (
    f"it took longer than {SECONDS} seconds; candles fetched so far are kept, so update it once "
    "more, or choose a longer time frame"
)
MOST_BYTES = 256 * 1024


@dataclass(frozen=True)
class Errand:
    """A preview that this worker holds, and what to run."""

    preview_id: str
    holder: str
    request: dict[str, Any]


def begin(preview_id: str, now: datetime) -> Errand | None:
    """Take one that waits; ``None`` if there is nothing to take."""
    holder = new_id("hld")
    taken = change(
        update(Preview)
        .where(Preview.id == preview_id, Preview.state == PreviewState.QUEUED)
        .values(
            state=PreviewState.RUNNING,
            holder=holder,
            step="starting",
            heard_at=clock.database_now(now),
        )
    )
    if not taken:
        return None
    found = db.session.get_one(Preview, preview_id, populate_existing=True)
    return Errand(preview_id, holder, found.asked)


def beat(errand: Errand, step: str, now: datetime) -> bool:
    """Note what is being done; whether it is still wanted, and still held."""
    values = {"heard_at": clock.database_now(now), "step": step[:40]}
    return bool(change(update(Preview).where(*_held(errand)).values(**values)))


def finish(errand: Errand, outcome: Outcome, now: datetime) -> bool:
    """Write down what came of it; ``False`` if nobody wants it any more."""
    values: dict[str, Any] = {"state": PreviewState.FAILED, "fault": dict(outcome.fault)}
    if outcome.end is End.DONE:
        packed = zlib.compress(outcome.answer, 6)
        if len(packed) <= MOST_BYTES:
            values = {"state": PreviewState.DONE, "fault": None, "answer": packed}
        else:
            text = "what it found is too much for a preview; run a backtest of it"
            values["fault"] = fault_of("request", "", text)
    values |= {"heard_at": clock.database_now(now), "holder": "", "step": ""}
    return bool(change(update(Preview).where(*_held(errand)).values(**values)))


def _held(errand: Errand) -> tuple[Any, ...]:
    return (
        Preview.id == errand.preview_id,
        Preview.holder == errand.holder,
        Preview.state == PreviewState.RUNNING,
    )
