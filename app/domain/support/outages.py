"""Which incidents are open, and which of them hit an exchange."""

from sqlalchemy import select

from app import tenancy
from app.extensions import db
from app.models import ComponentKind, Incident, IncidentState


def hitting(exchange: str) -> list[Incident]:
    """Incidents not yet resolved that hit this exchange or the platform itself, newest first."""
    query = select(Incident).where(Incident.state != IncidentState.RESOLVED)
    query = query.order_by(Incident.began_at.desc()).limit(20)
    with tenancy.everywhere("incidents belong to no workspace and hit many"):
        return [it for it in db.session.scalars(query) if _hits(it, exchange)]


def _hits(incident: Incident, exchange: str) -> bool:
    """A component of an exchange is keyed by its id, alone or behind a colon or a dot."""
    parts = [it.component for it in incident.components]
    return not parts or any(
        it.kind is ComponentKind.PLATFORM or it.key.replace(".", ":").split(":")[-1] == exchange
        for it in parts
    )
