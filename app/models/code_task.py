"""Tasks: what a machine without keys runs for a backtest or a dry run of a code strategy."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, Tenant, primary_key


class TaskState(StrEnum):
    """``WAITING`` for a machine to fetch it, ``RUNNING`` on it; the others are for good.

    ``DROPPED``: nobody waits for the answer any more.
    """

    WAITING = "waiting"
    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"
    DROPPED = "dropped"


OPEN = (TaskState.WAITING, TaskState.RUNNING)
_OPEN = text("state IN ('waiting', 'running')")
_THERE = text("gone_at IS NULL")


class CodeTask(Tenant, Model):
    """One request, the one machine made for it, and what came back. A workspace has one at a time.

    ``subject``: the backtest or the dry run. ``watched_at``: when the worker that waits for it last
    looked; ``heard_at``: when its machine last spoke. ``token`` lets a machine fetch the task once
    and is emptied then; it opens nothing else. ``answer`` grows by ``parts``.

    The machine: ``try_at`` is when the next call is due, ``attempt`` the fence under which its
    answer counts, ``leaving``: it is to go because its zone had no room, and another one follows.
    """

    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        Index(
            "uq_code_task_open",
            "workspace_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_code_task_there", "try_at", sqlite_where=_THERE, postgresql_where=_THERE),
    )

    id: Mapped[str] = primary_key("tsk")
    subject: Mapped[str] = mapped_column(String(40), index=True)
    exchange: Mapped[str] = mapped_column(String(40))
    runs: Mapped[int]
    seconds: Mapped[int]
    request: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    state: Mapped[TaskState] = mapped_column(Chosen(TaskState))
    step: Mapped[str] = mapped_column(String(40), default="")
    done: Mapped[int] = mapped_column(default=0)
    of: Mapped[int] = mapped_column(default=0)
    parts: Mapped[int] = mapped_column(default=0)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    fault: Mapped[dict[str, Any] | None] = mapped_column(Document)
    token: Mapped[str] = mapped_column(String(64), default="")
    token_hash: Mapped[str] = mapped_column(String(64))
    boot_id: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    watched_at: Mapped[datetime] = mapped_column(Moment)
    heard_at: Mapped[datetime] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    machine: Mapped[str] = mapped_column(String(63), unique=True)
    region: Mapped[str] = mapped_column(String(40))
    zone: Mapped[str] = mapped_column(String(40), default="")
    leaving: Mapped[bool] = mapped_column(default=False)
    operation: Mapped[str] = mapped_column(String(120), default="")
    request_id: Mapped[str] = mapped_column(String(36), default="")
    attempt: Mapped[int] = mapped_column(default=0)
    try_at: Mapped[datetime] = mapped_column(Moment)
    problem: Mapped[str] = mapped_column(String(400), default="")
    inserted_at: Mapped[datetime | None] = mapped_column(Moment)
    gone_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def open(self) -> bool:
        """Whether an answer may still come."""
        return self.state in OPEN
