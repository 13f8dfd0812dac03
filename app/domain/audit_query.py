"""What a reader of the audit log asks for: one filter for the table, the counts and the exports."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.audit_file import EVERYTHING
from app.models import AuditEvent
from runner.protocol import to_plain

NOISE = "audit.view, bot.wake, bot.sleep"
"""What happens by itself, day and night."""

Column = InstrumentedAttribute[Any]


@dataclass(frozen=True)
class AuditFilter:
    """Events of one workspace; what is left empty does not matter. Moments are UTC.

    ``action`` and ``exclude`` are lists of actions, ``bot.*`` being all of one noun; ``actor`` and
    ``target`` an id or a part of a name; ``since`` is within, ``until`` without.
    """

    actor: str = ""
    action: str = ""
    exclude: str = ""
    target: str = ""
    outcome: str = ""
    source: str = ""
    ip: str = ""
    request: str = ""
    session: str = ""
    correlation: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        return self != AuditFilter()

    def only(self, **values: Any) -> "AuditFilter":
        """The same with other values."""
        return replace(self, **values)

    def condition(self) -> ColumnElement[bool]:
        """The filter as SQL."""
        exact = {
            AuditEvent.outcome: self.outcome,
            AuditEvent.source: self.source,
            AuditEvent.ip: self.ip,
            AuditEvent.request_id: self.request,
            AuditEvent.session_id: self.session,
            AuditEvent.correlation_id: self.correlation,
        }
        parts = [column == wanted for column, wanted in exact.items() if wanted]
        parts += [_named(self.actor, AuditEvent.actor_id, AuditEvent.actor_label)]
        parts += [_named(self.target, AuditEvent.target_id, AuditEvent.target_label)]
        parts += [_anywhere(self.text)]
        if self.action:
            parts.append(_actions(self.action))
        if self.exclude:
            parts.append(~_actions(self.exclude))
        if self.since:
            parts.append(AuditEvent.occurred_at >= self.since)
        if self.until:
            parts.append(AuditEvent.occurred_at < self.until)
        return and_(true(), *parts)

    def describe(self) -> str:
        """The filter in one line, for headers and for the log of exports."""
        said = [
            f"{field.name} {to_plain(value)}"
            for field in fields(self)
            if (value := getattr(self, field.name))
        ]
        return "; ".join(said) or EVERYTHING


def _actions(patterns: str) -> ColumnElement[bool]:
    """Any of a list; each is an action or, with ``.*``, all of one noun."""
    wanted = patterns.replace(",", " ").split()
    return or_(false(), *(_action(pattern) for pattern in wanted))


def _action(pattern: str) -> ColumnElement[bool]:
    if pattern.endswith("*"):
        return AuditEvent.action.startswith(pattern[:-1], autoescape=True)
    return AuditEvent.action == pattern


def _named(wanted: str, key: Column, label: Column) -> ColumnElement[bool]:
    if not wanted:
        return true()
    return or_(key == wanted, label.icontains(wanted, autoescape=True))


def _anywhere(wanted: str) -> ColumnElement[bool]:
    if not wanted:
        return true()
    places = (
        AuditEvent.action,
        AuditEvent.actor_label,
        AuditEvent.target_label,
        AuditEvent.reason,
        cast(AuditEvent.changes, String),
    )
    return or_(*(place.icontains(wanted, autoescape=True) for place in places))
