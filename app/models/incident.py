"""Components, what was measured of them, incidents, and who wants to hear of them. All public."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Chosen, Moment, primary_key


class ComponentKind(StrEnum):
    """A part of the platform, or an exchange as the bots reach it."""

    PLATFORM = "platform"
    EXCHANGE = "exchange"


class Condition(StrEnum):
    """How a component does, best first."""

    OPERATIONAL = "operational"
    UNKNOWN = "unknown"
    DEGRADED = "degraded"
    DOWN = "down"


class Component(Model):
    """One line of the status page; ``condition`` is what it stands at.

    ``pending`` is what the last look found, if another: a second look that finds it too makes it
    the condition.
    """

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[ComponentKind] = mapped_column(Chosen(ComponentKind))
    title: Mapped[str] = mapped_column(String(80))
    condition: Mapped[Condition] = mapped_column(Chosen(Condition))
    detail: Mapped[str] = mapped_column(String(200), default="")
    pending: Mapped[Condition | None] = mapped_column(Chosen(Condition))
    since: Mapped[datetime] = mapped_column(Moment)
    measured_at: Mapped[datetime] = mapped_column(Moment)


class Measurement(Model):
    """A stretch of time in which a component did equally well; the open one has no end."""

    __table_args__ = (Index("ix_measurement_component", "component_key", "began_at"),)

    id: Mapped[str] = primary_key("msr")
    component_key: Mapped[str] = mapped_column(ForeignKey("component.key"))
    condition: Mapped[Condition] = mapped_column(Chosen(Condition))
    detail: Mapped[str] = mapped_column(String(200), default="")
    began_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class IncidentState(StrEnum):
    """How far an incident has come."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


class Incident(Model):
    """Something that hits many people at once; tickets can be tied to it.

    ``tickets`` and ``first_report_at`` stay when its tickets are let go at its end.
    """

    id: Mapped[str] = primary_key("inc")
    title: Mapped[str] = mapped_column(String(120))
    state: Mapped[IncidentState] = mapped_column(Chosen(IncidentState))
    impact: Mapped[Condition] = mapped_column(Chosen(Condition))
    began_at: Mapped[datetime] = mapped_column(Moment)
    resolved_at: Mapped[datetime | None] = mapped_column(Moment)
    tickets: Mapped[int] = mapped_column(default=0)
    first_report_at: Mapped[datetime | None] = mapped_column(Moment)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)

    updates: Mapped[list["IncidentUpdate"]] = relationship(
        order_by="IncidentUpdate.created_at.desc()", viewonly=True
    )
    components: Mapped[list["IncidentComponent"]] = relationship(viewonly=True)


class IncidentComponent(Model):
    """What an incident hits."""

    incident_id: Mapped[str] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    component_key: Mapped[str] = mapped_column(ForeignKey("component.key"), primary_key=True)

    component: Mapped[Component] = relationship(viewonly=True)


class IncidentUpdate(Model):
    """What was told about an incident, to everybody.

    ``answers``: it also answers the tickets tied to the incident. ``spread_at``: when the last
    subscriber and ticket had it.
    """

    id: Mapped[str] = primary_key("inu")
    incident_id: Mapped[str] = mapped_column(ForeignKey("incident.id"), index=True)
    state: Mapped[IncidentState] = mapped_column(Chosen(IncidentState))
    body: Mapped[str] = mapped_column(Text)
    answers: Mapped[bool] = mapped_column(default=False)
    spread_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)


class StatusSubscriber(Model):
    """An address that wants to hear of incidents, once it was confirmed."""

    id: Mapped[str] = primary_key("sub")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
