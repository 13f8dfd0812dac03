"""Incidents: opened and told by operators, read by everybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import selectinload

from app.domain import audit, outbox
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid
from app.domain.status import components
from app.extensions import db
from app.models import (
    Condition,
    Incident,
    IncidentComponent,
    IncidentState,
    IncidentUpdate,
    User,
)
from app.models.base import new_id

TITLE, BODY = 120, 5_000
QUEUE, JOB = "desk", "spread_update"
PAST = timedelta(days=90)
IMPACTS = (Condition.DEGRADED, Condition.DOWN)


@dataclass(frozen=True)
class Report:
    """What an operator knows of an incident as it is opened."""

    title: str
    impact: Condition
    components: Sequence[str]
    body: str
    began_at: datetime | None = None


def begin(report: Report, *, operator: User, by: Actor, now: datetime) -> Incident:
    """Open an incident with its first update; everybody who wants to hear of it is told.

    Raises:
        Invalid: title, text or components are missing, or it begins in the future.
    """
    title = " ".join(report.title.split())
    if not 1 <= len(title) <= TITLE:
        raise Invalid(f"Name it in 1 to {TITLE} characters.", "title")
    known = {it.key for it in components.catalogue()}
    hit = list(dict.fromkeys(report.components))
    if not hit or not known.issuperset(hit):
        raise Invalid("Choose what it hits.", "components")
    if report.impact not in IMPACTS:
        raise Invalid("Say how bad it is.", "impact")
    began_at = report.began_at or now
    if began_at > now:
        raise Invalid("It cannot have begun in the future.", "began_at")
    body = _clean(report.body)
    components.ensure(hit, now)
    incident = Incident(
        id=new_id("inc"),
        title=title,
        state=IncidentState.INVESTIGATING,
        impact=report.impact,
        began_at=began_at,
        created_by=operator.id,
        created_at=now,
    )
    db.session.add(incident)
    db.session.flush()
    for key in hit:
        db.session.add(IncidentComponent(incident_id=incident.id, component_key=key))
    _add(incident, body, answers=False, operator=operator, now=now)
    changes = [Change("title", None, title), Change("impact", None, report.impact)]
    _record("incident.open", incident, by, now, [*changes, Change("components", None, hit)])
    return incident


def tell(
    incident: Incident,
    body: str,
    *,
    state: IncidentState,
    answers: bool,
    operator: User,
    by: Actor,
    now: datetime,
    seen: str = "",
) -> IncidentUpdate:
    """Publish an update. With ``RESOLVED`` the incident is over, and its tickets are asked.

    Args:
        incident: any; one that is over takes a look back and no other state.
        body: what everybody reads.
        state: how far it has come.
        answers: whether each tied ticket gets it as an answer; at the end all do.
        operator: who tells.
        by: the same, for the audit log.
        now: the moment, UTC.
        seen: the newest update its writer had seen; empty asks not to check.

    Raises:
        Invalid: there is no text, or too much.
        Conflict: it is over, or somebody told something in between.
    """
    cleaned = _clean(body)
    lock(incident)
    newest = incident.updates[0].id if incident.updates else ""
    if seen and seen != newest:
        raise Conflict("Somebody else has just told something. Read it, then send yours again.")
    over = incident.resolved_at is not None
    if over and state is not IncidentState.RESOLVED:
        raise Conflict("This incident is over. If it came back, open a new one.")
    before, incident.state = incident.state, state
    changes = [] if before is state else [Change("state", before, state)]
    if state is IncidentState.RESOLVED and not over:
        incident.resolved_at, answers = now, True
        changes.append(Change("resolved_at", None, now))
    answers = answers and not over
    update = _add(incident, cleaned, answers=answers, operator=operator, now=now)
    _record("incident.tell", incident, by, now, changes)
    return update


def lock(incident: Incident) -> None:
    """Hold the incident's row until the commit, and read it anew."""
    db.session.execute(select(Incident.id).where(Incident.id == incident.id).with_for_update())
    db.session.refresh(incident)


def ask_to_spread(update_id: str, now: datetime) -> None:
    """Have the desk's worker bring an update to subscribers and tickets."""
    outbox.put(QUEUE, JOB, now=now, update_id=update_id)


def find(incident_id: str) -> Incident | None:
    """One incident."""
    return db.session.scalar(_whole().where(Incident.id == incident_id))


def current() -> list[Incident]:
    """Those that are not over, newest first."""
    query = _whole().where(Incident.resolved_at.is_(None))
    return list(db.session.scalars(query.order_by(Incident.began_at.desc(), Incident.id)))


def past(now: datetime, limit: int = 50) -> list[Incident]:
    """Those of the last ninety days that are over, newest first."""
    over = _whole().where(Incident.resolved_at > now - PAST)
    return list(db.session.scalars(over.order_by(Incident.began_at.desc()).limit(limit)))


def recent(now: datetime, limit: int = 50) -> list[Incident]:
    """Both, newest first."""
    query = _whole().where(or_(Incident.resolved_at.is_(None), Incident.resolved_at > now - PAST))
    return list(db.session.scalars(query.order_by(Incident.began_at.desc()).limit(limit)))


def hits(found: Sequence[Incident]) -> dict[str, Condition]:
    """What open incidents make of components, by key: the worst of each."""
    made: dict[str, Condition] = {}
    for incident in found:
        for part in incident.components:
            known = [made[part.component_key]] if part.component_key in made else []
            made[part.component_key] = components.worst([incident.impact, *known])
    return made


def minutes(incident: Incident, now: datetime) -> int:
    """How long it has lasted, in whole minutes and at least one."""
    return max(1, round(((incident.resolved_at or now) - incident.began_at).total_seconds() / 60))


def _whole() -> Select[Incident]:
    parts = selectinload(Incident.components).joinedload(IncidentComponent.component)
    return select(Incident).options(parts, selectinload(Incident.updates))


def _add(
    incident: Incident, body: str, *, answers: bool, operator: User, now: datetime
) -> IncidentUpdate:
    update = IncidentUpdate(
        id=new_id("inu"),
        incident_id=incident.id,
        state=incident.state,
        body=body,
        answers=answers,
        created_by=operator.id,
        created_at=now,
    )
    db.session.add(update)
    db.session.flush()
    db.session.expire(incident, ["updates", "components"])
    ask_to_spread(update.id, now)
    return update


def _clean(body: str) -> str:
    cleaned = body.replace("\r\n", "\n").strip()
    if not cleaned:
        raise Invalid("Say what you know.", "body")
    if len(cleaned) > BODY:
        raise Invalid(f"Keep it within {BODY:,} characters.", "body")
    return cleaned


def _record(
    action: str, incident: Incident, by: Actor, now: datetime, changes: list[Change]
) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        target_id=incident.id,
        target_label=incident.title,
        changes=changes,
    )
