"""What the status page shows, put together for everybody at once and kept for some seconds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from flask import Response, current_app

from app import current
from app.domain.status import components, history, incidents
from app.domain.status.components import Standing
from app.domain.status.history import Record
from app.models import ComponentKind, Condition, Incident

KEPT = timedelta(seconds=15)
_STORE = "status_pages"
Made = TypeVar("Made")

HEADLINES = {
    Condition.OPERATIONAL: "Everything that is measured works",
    Condition.UNKNOWN: "Nothing is measured at the moment",
    Condition.DEGRADED: "Some things do not work as they should",
    Condition.DOWN: "Something is down",
}


@dataclass(frozen=True)
class Line:
    """One component with its ninety days."""

    standing: Standing
    record: Record


@dataclass(frozen=True)
class Board:
    """Everything on the page."""

    headline: str
    tone: str
    groups: list[tuple[str, list[Line]]]
    open: list[Incident]
    past: list[Incident]


def kept(name: str, make: Callable[[], Made]) -> Made:
    """What ``make`` returns, made at most once in fifteen seconds by each process.

    Args:
        name: one of few; nothing that a visitor chose.
        make: without anything that belongs to one visitor.
    """
    store: dict[str, tuple[datetime, Any]] = current_app.extensions.setdefault(_STORE, {})
    found = store.get(name)
    if found is None or found[0] <= current.now():
        found = store[name] = (current.now() + KEPT, make())
    return cast("Made", found[1])


def drop() -> None:
    """Make everything anew, e.g. after an operator told something."""
    current_app.extensions.pop(_STORE, None)


def board() -> Board:
    """All of it, as it is now."""
    now = current.now()
    running, over = incidents.current(), incidents.past(now)
    standings = components.standings(now, incidents.hits(running))
    records = history.records([it.key for it in standings], [*running, *over], now)
    lines = [Line(it, records[it.key]) for it in standings]
    known = [it.condition for it in standings if it.condition is not Condition.UNKNOWN]
    worst = components.worst(known)
    return Board(
        headline=HEADLINES[worst],
        tone=components.TONES[worst],
        groups=[
            ("Platform", [it for it in lines if it.standing.kind is ComponentKind.PLATFORM]),
            ("Exchanges", [it for it in lines if it.standing.kind is ComponentKind.EXCHANGE]),
        ],
        open=running,
        past=over,
    )


def open_incidents() -> list[tuple[str, str]]:
    """Id and title of each open incident, for the banner of everybody signed in."""
    return kept("open", lambda: [(it.id, it.title) for it in incidents.current()])


def shared(response: Response) -> Response:
    """An answer that is the same to everybody, for as long as we keep it ourselves."""
    response.headers["Cache-Control"] = f"public, max-age={int(KEPT.total_seconds())}"
    return response
