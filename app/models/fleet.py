"""What the platform knows of its cloud as a whole. Operators alone read it, no workspace does."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, primary_key

_OPEN = text("cleared_at IS NULL")
_THERE = text("gone_at IS NULL")


class CloudRegion(Model):
    """A region as last seen: its zones, its quotas (metric -> [used, limit]).

    A breaker stands open while ``shut_until`` lies ahead: nothing is inserted or reserved there.
    ``slow_until``: it was asked too often, so no bot of it asks for anything until then.
    """

    region: Mapped[str] = mapped_column(String(40), primary_key=True)
    zones: Mapped[list[str]] = mapped_column(Document, default=list)
    quotas: Mapped[dict[str, list[float]]] = mapped_column(Document, default=dict)
    seen_at: Mapped[datetime | None] = mapped_column(Moment)
    shut_until: Mapped[datetime | None] = mapped_column(Moment)
    shut_cause: Mapped[str] = mapped_column(String(24), default="")
    shut_detail: Mapped[str] = mapped_column(String(400), default="")
    slow_until: Mapped[datetime | None] = mapped_column(Moment)


class ZoneCooldown(Model):
    """A zone that lately had no machine to give; others are tried first until then."""

    region: Mapped[str] = mapped_column(String(40), primary_key=True)
    zone: Mapped[str] = mapped_column(String(40), primary_key=True)
    since: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime] = mapped_column(Moment)
    detail: Mapped[str] = mapped_column(String(400), default="")


class WakeLead(Model):
    """How early a machine is asked for, learned from the last wakes of its region and type."""

    region: Mapped[str] = mapped_column(String(40), primary_key=True)
    machine_type: Mapped[str] = mapped_column(String(60), primary_key=True)
    seconds: Mapped[int]
    samples: Mapped[int]
    measured_at: Mapped[datetime] = mapped_column(Moment)


class FindKind(StrEnum):
    """What a sweep can find that no row accounts for."""

    MACHINE = "machine"
    ADDRESS = "address"
    DISK = "disk"


class FindState(StrEnum):
    """What becomes of it. ``HELD``: a person has to decide first."""

    SEEN = "seen"
    HELD = "held"
    DELETING = "deleting"
    GONE = "gone"
    KEPT = "kept"


class CloudFind(Model):
    """Something of ours in the cloud that no row accounts for, seen by one sweep or more.

    Also the intent to delete it: ``request_id`` is committed before the call, and ``attempt`` is
    the fence under which its answer counts. ``decided_at``: when a sweep or a person decided.
    """

    __table_args__ = (
        Index("ix_cloud_find_state", "state"),
        Index(
            "uq_cloud_find_there",
            *("kind", "name", "region", "zone"),
            unique=True,
            sqlite_where=_THERE,
            postgresql_where=_THERE,
        ),
    )

    id: Mapped[str] = primary_key("fnd")
    kind: Mapped[FindKind] = mapped_column(Chosen(FindKind))
    name: Mapped[str] = mapped_column(String(63))
    region: Mapped[str] = mapped_column(String(40))
    zone: Mapped[str] = mapped_column(String(40), default="")
    ip: Mapped[str | None] = mapped_column(String(45))
    why: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[FindState] = mapped_column(Chosen(FindState))
    first_seen: Mapped[datetime] = mapped_column(Moment)
    last_seen: Mapped[datetime] = mapped_column(Moment)
    sightings: Mapped[int] = mapped_column(default=1)
    request_id: Mapped[str | None] = mapped_column(String(36))
    operation: Mapped[str] = mapped_column(String(120), default="")
    try_at: Mapped[datetime | None] = mapped_column(Moment)
    attempt: Mapped[int] = mapped_column(default=0)
    detail: Mapped[str] = mapped_column(String(400), default="")
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    gone_at: Mapped[datetime | None] = mapped_column(Moment)


class SweepRun(Model):
    """One look at everything, and what was concluded. ``refused``: why nothing may be deleted."""

    id: Mapped[str] = primary_key("swp")
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    complete: Mapped[bool]
    machines: Mapped[int] = mapped_column(default=0)
    addresses: Mapped[int] = mapped_column(default=0)
    disks: Mapped[int] = mapped_column(default=0)
    finds: Mapped[int] = mapped_column(default=0)
    refused: Mapped[str] = mapped_column(String(400), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)


class AlarmKind(StrEnum):
    """What wakes an operator."""

    LATE_WAKE = "late_wake"
    PHASE_DEADLINE = "phase_deadline"
    BOOT_FAILED = "boot_failed"
    BLOCKED = "blocked"
    REGION_SHUT = "region_shut"
    ADDRESS_LOST = "address_lost"
    ADDRESS_WRONG = "address_wrong"
    MACHINE_OLD = "machine_old"
    LONG_DRAIN = "long_drain"
    FOUND = "found"
    SWEEP_REFUSED = "sweep_refused"
    CLOUD_SILENT = "cloud_silent"


class FleetAlarm(Model):
    """Something that needs an operator. One is open for each ``key`` at a time."""

    __table_args__ = (
        Index(
            "uq_fleet_alarm_open",
            "key",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = primary_key("alm")
    kind: Mapped[AlarmKind] = mapped_column(Chosen(AlarmKind))
    key: Mapped[str] = mapped_column(String(120))
    bot_id: Mapped[str | None] = mapped_column(String(40))
    message: Mapped[str] = mapped_column(String(400))
    since: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    cleared_at: Mapped[datetime | None] = mapped_column(Moment)
    taken_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))


class MachineConsole(Model):
    """The tail of what a machine wrote while starting, kept where a boot failed."""

    machine_id: Mapped[str] = mapped_column(ForeignKey("machine.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    read_at: Mapped[datetime] = mapped_column(Moment)


class FleetNotice(Model):
    """A banner on every page: maintenance that is announced or under way."""

    id: Mapped[str] = primary_key("ban")
    text: Mapped[str] = mapped_column(String(300))
    starts_at: Mapped[datetime] = mapped_column(Moment)
    ends_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)
