"""Where a bot lives: its phase, its address, the generations of its machine, each call outside."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, Tenant, belongs_to, primary_key
from app.models.bot import Bot
from runner.protocol import PositionState


class Desired(StrEnum):
    """What the planner works towards."""

    RUN = "run"
    SLEEP = "sleep"
    GONE = "gone"


class Phase(StrEnum):
    """Where a bot's compute stands. ``app/domain/lifecycle.py`` says what may follow what."""

    NEW = "new"
    ADDR_WAIT = "addr_wait"
    ASLEEP = "asleep"
    CREATING = "creating"
    BOOTING = "booting"
    READY = "ready"
    DRAINING = "draining"
    DELETING = "deleting"
    BLOCKED = "blocked"
    RELEASED = "released"


class Renewal(StrEnum):
    """How a machine gets its successor, be it for a newer runner or because it is old.

    ``NEXT_WAKE``: when it would wake anyway. ``WHEN_FLAT``: as soon as it is flat of its own.
    ``DRAIN``: no new entries from now, replaced once flat. ``FLATTEN``: closes what it holds first.
    """

    NEXT_WAKE = "next_wake"
    WHEN_FLAT = "when_flat"
    DRAIN = "drain"
    FLATTEN = "flatten"


class Priority(IntEnum):
    """Who goes first where bots wait for a place to start: the lower, the sooner."""

    STRANDED = 0
    SUCCESSOR = 1
    USUAL = 2


class BotCompute(Tenant, Model):
    """The planner's row for one bot: one lease, one fence, one phase.

    ``wanted_at``: since when a machine is wanted that is not ready yet, by the schedule's own
    moment. ``turn_at``: when the line gave it its turn to start, until it comes; ``priority``: its
    ``Priority`` there. ``cause``: of the present ``problem``, a ``Cause`` of the drivers.
    """

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        Index("ix_bot_compute_phase_since", "phase_since", "bot_id"),
        Index("ix_bot_compute_phase_phase_since", "phase", "phase_since"),
        Index(
            "ix_bot_compute_wanted",
            "wanted_at",
            sqlite_where=text("wanted_at IS NOT NULL"),
            postgresql_where=text("wanted_at IS NOT NULL"),
        ),
    )

    bot_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    phase: Mapped[Phase] = mapped_column(Chosen(Phase), default=Phase.NEW)
    phase_since: Mapped[datetime] = mapped_column(Moment)
    generation: Mapped[int] = mapped_column(default=0)
    flat_since: Mapped[datetime | None] = mapped_column(Moment)
    problem: Mapped[str] = mapped_column(String(400), default="")
    cause: Mapped[str] = mapped_column(String(24), default="")
    wanted_at: Mapped[datetime | None] = mapped_column(Moment)
    turn_at: Mapped[datetime | None] = mapped_column(Moment)
    priority: Mapped[int] = mapped_column(default=Priority.USUAL.value)
    renewal: Mapped[Renewal | None] = mapped_column(Chosen(Renewal))
    renewal_why: Mapped[str] = mapped_column(String(200), default="")
    attempt: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment, index=True)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime] = mapped_column(Moment)

    bot: Mapped[Bot] = relationship()


class BotAddress(Tenant, Model):
    """The reserved address of a bot. ``ip`` is written once, kept until the bot is gone.

    No two bots have the same one, but where the system knows no loopback address besides 127.0.0.1.
    """

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        Index(
            "uq_bot_address_ip_kept",
            "ip",
            unique=True,
            sqlite_where=text("released_at IS NULL AND ip <> '127.0.0.1'"),
            postgresql_where=text("released_at IS NULL AND ip <> '127.0.0.1'"),
        ),
    )

    bot_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    region: Mapped[str] = mapped_column(String(40))
    ip: Mapped[str | None] = mapped_column(String(45))
    reserved_at: Mapped[datetime | None] = mapped_column(Moment)
    released_at: Mapped[datetime | None] = mapped_column(Moment)
    lost_at: Mapped[datetime | None] = mapped_column(Moment)


class AddressEventKind(StrEnum):
    """What can happen to an address."""

    RESERVED = "reserved"
    ATTACHED = "attached"
    SEEN_BY_GATE = "seen_by_gate"
    SEEN_BY_VENUE = "seen_by_venue"
    LOST = "lost"
    FOUND = "found"
    RELEASED = "released"


class AddressEvent(Tenant, Model):
    """One line of an address's history. ``ip`` is what was seen; ``ok`` is false where it differs
    from the bot's own.
    """

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        Index("ix_address_event_bot_id_at", "bot_id", "at"),
    )

    id: Mapped[str] = primary_key("adr")
    bot_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[AddressEventKind] = mapped_column(Chosen(AddressEventKind))
    at: Mapped[datetime] = mapped_column(Moment)
    generation: Mapped[int | None]
    ip: Mapped[str | None] = mapped_column(String(45))
    ok: Mapped[bool] = mapped_column(default=True)
    detail: Mapped[str] = mapped_column(String(200), default="")


class Machine(Tenant, Model):
    """One generation of a bot's machine. At most one per bot is not yet proven gone.

    Its way up: ``wanted_at`` (by the schedule, early by the wake lead), ``created_at`` (asked of
    the cloud), ``inserted_at`` (the cloud has it), ``running_at``, ``claimed_at`` (ready).
    """

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        UniqueConstraint("bot_id", "generation"),
        Index("ix_machine_created_at", "created_at"),
        Index(
            "uq_machine_one_per_bot",
            "bot_id",
            unique=True,
            sqlite_where=text("gone_at IS NULL"),
            postgresql_where=text("gone_at IS NULL"),
        ),
    )

    id: Mapped[str] = primary_key("mch")
    bot_id: Mapped[str] = mapped_column(String(40), index=True)
    generation: Mapped[int]
    name: Mapped[str] = mapped_column(String(63), unique=True)
    region: Mapped[str] = mapped_column(String(40))
    zone: Mapped[str] = mapped_column(String(40), default="")
    machine_type: Mapped[str] = mapped_column(String(60), default="")
    cloud_id: Mapped[str] = mapped_column(String(40), default="")
    ip: Mapped[str] = mapped_column(String(45))
    token_hash: Mapped[str] = mapped_column(String(64))
    wanted_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    inserted_at: Mapped[datetime | None] = mapped_column(Moment)
    running_at: Mapped[datetime | None] = mapped_column(Moment)
    observed_at: Mapped[datetime | None] = mapped_column(Moment)
    dead_at: Mapped[datetime | None] = mapped_column(Moment)
    proven_flat: Mapped[bool] = mapped_column(default=False)
    gone_at: Mapped[datetime | None] = mapped_column(Moment)
    end_reason: Mapped[str] = mapped_column(String(200), default="")

    run_id: Mapped[str | None] = mapped_column(String(40))
    boot_id: Mapped[str | None] = mapped_column(String(64))
    claim_hash: Mapped[str | None] = mapped_column(String(64))
    claimed_at: Mapped[datetime | None] = mapped_column(Moment)
    runner_version: Mapped[str] = mapped_column(String(20), default="")
    preflight: Mapped[dict[str, Any] | None] = mapped_column(Document)
    preflight_at: Mapped[datetime | None] = mapped_column(Moment)

    synced_at: Mapped[datetime | None] = mapped_column(Moment)
    report_sent_at: Mapped[datetime | None] = mapped_column(Moment)
    ack_seq: Mapped[int] = mapped_column(default=0)
    position_state: Mapped[PositionState] = mapped_column(
        Chosen(PositionState), default=PositionState.UNKNOWN
    )
    open_orders: Mapped[int] = mapped_column(default=0)
    drained: Mapped[bool] = mapped_column(default=False)
    health: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)


class OperationState(StrEnum):
    """What became of a call outside. Unknown is an answer of its own."""

    INTENDED = "intended"
    PENDING = "pending"
    DONE = "done"
    RETRY = "retry"
    FAILED = "failed"
    UNKNOWN = "unknown"


_OPEN = text("state IN ('intended', 'pending')")


class CloudOperation(Tenant, Model):
    """The intent of one call that changes the cloud, committed before the call.

    ``operation``: the cloud's name of it, once it was accepted and is under way (``PENDING``).
    """

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        Index("ix_cloud_operation_bot_id_started_at", "bot_id", "started_at"),
        Index("ix_cloud_operation_open", "bot_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[str] = primary_key("op")
    bot_id: Mapped[str] = mapped_column(String(40), index=True)
    generation: Mapped[int]
    kind: Mapped[str] = mapped_column(String(24))
    request_id: Mapped[str] = mapped_column(String(36), unique=True)
    state: Mapped[OperationState] = mapped_column(Chosen(OperationState))
    cause: Mapped[str] = mapped_column(String(24), default="")
    zone: Mapped[str] = mapped_column(String(40), default="")
    operation: Mapped[str] = mapped_column(String(120), default="")
    detail: Mapped[str] = mapped_column(String(400), default="")
    started_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
