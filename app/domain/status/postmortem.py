"""A look back at an incident, put together from what was written down; its operator edits it."""

from datetime import datetime

from sqlalchemy import func, select

from app.domain.status import incidents
from app.extensions import db
from app.models import Condition, Incident, IncidentUpdate, Measurement

_MOMENT = "%d %b %H:%M UTC"


def draft(incident: Incident, now: datetime) -> str:
    """Timeline, length, what was hit, tickets, and who noticed first: people or measurement."""
    parts = ", ".join(part.component.title for part in incident.components)
    length = incidents.minutes(incident, now)
    lines = [
        f"What happened: {incident.title}.",
        f"Hit: {parts}. It lasted {length} minutes, from {incident.began_at:{_MOMENT}}.",
        "",
        "Timeline:",
        f"- {incident.began_at:{_MOMENT}}: it began.",
        *_noticed(incident),
        *map(_told, reversed(incident.updates)),
        "",
        f"Tickets: {incident.tickets or 'none'}.",
        "",
        "Cause: ",
        "What we change so that it does not come back: ",
    ]
    return "\n".join(lines)


def measured_at(incident: Incident) -> datetime | None:
    """When measurement first found a component of it doing badly."""
    keys = [part.component_key for part in incident.components]
    until = incident.resolved_at
    query = select(func.min(Measurement.began_at)).where(
        Measurement.component_key.in_(keys),
        Measurement.condition.in_((Condition.DEGRADED, Condition.DOWN)),
        Measurement.began_at >= incident.began_at,
    )
    if until is not None:
        query = query.where(Measurement.began_at <= until)
    return db.session.scalar(query)


def _noticed(incident: Incident) -> list[str]:
    measured, reported = measured_at(incident), incident.first_report_at
    found = []
    if measured is not None:
        found.append(
            f"- {measured:{_MOMENT}}: measured by the platform{_after(measured, incident)}."
        )
    if reported is not None:
        found.append(f"- {reported:{_MOMENT}}: first ticket{_after(reported, incident)}.")
    return found


def _after(moment: datetime, incident: Incident) -> str:
    gap = round((moment - incident.began_at).total_seconds() / 60)
    return f", {gap} minutes after it began" if gap > 0 else ""


def _told(update: IncidentUpdate) -> str:
    first = update.body.split("\n", 1)[0]
    return f"- {update.created_at:{_MOMENT}}: {update.state}. {first}"
