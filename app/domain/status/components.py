"""The lines of the status page: parts of the platform, and each exchange that bots trade on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain.venues import VENUES
from app.extensions import db
from app.models import Component, ComponentKind, Condition

STALE = timedelta(minutes=4)
"""After so long without a look nobody knows any more how a component does."""

WEB, RUNNERS, FLEET, MAIL = "web", "runners", "fleet", "mail"
DESK, TELEGRAM, TIMETABLE, DATABASE = "desk", "telegram", "timetable", "database"

PLATFORM = {
    WEB: "Website",
    RUNNERS: "Running bots",
    FLEET: "Starting and stopping bots",
    MAIL: "E-mail",
    DESK: "Support desk",
    TELEGRAM: "Telegram",
    TIMETABLE: "Timetable",
    DATABASE: "Database",
}
"""Key and title of each part of the platform, in the order of the page."""

WORDS = {
    Condition.OPERATIONAL: "works",
    Condition.UNKNOWN: "not measured",
    Condition.DEGRADED: "degraded",
    Condition.DOWN: "down",
}
TONES = {
    Condition.OPERATIONAL: "good",
    Condition.UNKNOWN: "neutral",
    Condition.DEGRADED: "warn",
    Condition.DOWN: "bad",
}
_ORDER = list(Condition)


@dataclass(frozen=True)
class Entry:
    """What there is to be measured."""

    key: str
    kind: ComponentKind
    title: str


@dataclass(frozen=True)
class Standing:
    """How a component does at this moment."""

    key: str
    kind: ComponentKind
    title: str
    condition: Condition
    detail: str


def exchange_key(exchange: str) -> str:
    """The key of the component that stands for an exchange."""
    return f"exchange:{exchange}"


def catalogue() -> list[Entry]:
    """Everything, in the order of the page. Exchanges are those the platform offers to anybody."""
    parts = [Entry(key, ComponentKind.PLATFORM, title) for key, title in PLATFORM.items()]
    venues = sorted(VENUES.values(), key=lambda it: it.title)
    return parts + [Entry(exchange_key(it.id), ComponentKind.EXCHANGE, it.title) for it in venues]


def worst(conditions: Sequence[Condition]) -> Condition:
    """The worst of some; nothing at all is not known."""
    return max(conditions, key=_ORDER.index, default=Condition.UNKNOWN)


def rows() -> dict[str, Component]:
    """What was measured so far, by key."""
    return {it.key: it for it in db.session.scalars(select(Component))}


def ensure(keys: list[str], now: datetime) -> None:
    """Give components a row that were never measured, so that incidents can name them."""
    known = rows()
    for entry in catalogue():
        if entry.key in keys and entry.key not in known:
            db.session.add(unmeasured(entry, now))
    db.session.flush()


def unmeasured(entry: Entry, now: datetime) -> Component:
    """The row of a component before the first look at it."""
    return Component(
        key=entry.key,
        kind=entry.kind,
        title=entry.title,
        condition=Condition.UNKNOWN,
        detail="",
        since=now,
        measured_at=now,
    )


def standings(now: datetime, hit: dict[str, Condition]) -> list[Standing]:
    """How each does now. ``hit`` is what open incidents make of some, by key.

    What was not looked at lately is not known, whatever was found then.
    """
    known = rows()
    return [_standing(entry, known.get(entry.key), now, hit) for entry in catalogue()]


def _standing(
    entry: Entry, row: Component | None, now: datetime, hit: dict[str, Condition]
) -> Standing:
    fresh = row is not None and now - row.measured_at <= STALE
    condition = row.condition if row is not None and fresh else Condition.UNKNOWN
    detail = row.detail if row is not None and fresh else "Nothing was measured lately."
    impact = hit.get(entry.key)
    if impact is not None and worst([condition, impact]) is not condition:
        condition, detail = impact, "An incident is open."
    return Standing(entry.key, entry.kind, entry.title, condition, detail)
