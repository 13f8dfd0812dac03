"""Tasks of code strategies: asked for and watched by the worker that carries out a long run.

A class never runs where workers do. In a cloud its backtests and dry runs become tasks: a machine
is made for one of them, without keys, address of its own or service account; it fetches the task
from the gate, once (``code_door``), and is deleted when there is an answer, a fault, or nobody who
waits (``code_machines``). A workspace has one at a time.
"""

import json
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from app.domain import clock, machines, outbox
from app.extensions import change, db
from app.gateways.backtest_outcome import End, Outcome, fault_of, read
from app.models import CodeTask, TaskState, Workspace
from app.models.base import new_id
from app.models.code_task import OPEN
from runner.protocol import ProtocolError, TaskAnswer, loads

START = timedelta(minutes=4)
"""From asking to the machine's first word: about one as a rule; a few zones may be tried."""
SILENT = timedelta(seconds=60)
"""After so long without a word a machine is lost, and so is a worker that watched it."""
SLACK = timedelta(seconds=45)
"""Beside its runs, for packing and handing in the answer."""
KEPT = timedelta(days=7)
_MOST_LOG = 20_000
MOST_UNPACKED = 256 * 1024 * 1024
CREATING = "machine"
"""The step of a run that waits for its machine."""


@dataclass(frozen=True)
class Seen:
    """How a task stands. ``answer`` is there once it is over and went well."""

    state: TaskState
    step: str = CREATING
    done: int = 0
    of: int = 0
    fault: dict[str, str] | None = None
    answer: bytes = b""

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in OPEN


@dataclass(frozen=True)
class Wish:
    """What is asked for, and where its machine is to be made."""

    workspace_id: str
    subject: str
    request: dict[str, Any]
    region: str
    seconds: int
    runs: int = 1


def is_free(workspace_id: str, subject: str) -> bool:
    """Whether no other run of the workspace has a machine."""
    query = select(CodeTask.id).where(
        CodeTask.workspace_id == workspace_id,
        CodeTask.state.in_(OPEN),
        CodeTask.subject != subject,
    )
    return db.session.scalar(query.limit(1)) is None


def ask(wish: Wish, now: datetime) -> str | None:
    """Begin a task; its id, or ``None`` while another run of the workspace has a machine.

    One that an earlier worker began for the same run, and nobody watches any more, is dropped.
    """
    whose = Workspace.id == wish.workspace_id
    db.session.execute(select(Workspace.id).where(whose).with_for_update())
    now = clock.database_now(now)
    for task in db.session.scalars(
        select(CodeTask).where(CodeTask.subject == wish.subject, CodeTask.state.in_(OPEN))
    ):
        finish(task, TaskState.DROPPED, now)
    db.session.flush()
    if not is_free(wish.workspace_id, wish.subject):
        return None
    name, token = new_id("tsk"), secrets.token_urlsafe(32)
    made = CodeTask(
        id=name,
        workspace_id=wish.workspace_id,
        subject=wish.subject,
        exchange=wish.request["exchange"],
        runs=wish.runs,
        seconds=wish.seconds,
        request=zlib.compress(json.dumps(wish.request).encode()),
        state=TaskState.WAITING,
        token=token,
        token_hash=machines.token_digest(token),
        created_at=now,
        watched_at=now,
        heard_at=now,
        machine=f"t-{name.removeprefix('tsk_')}-g1",
        region=wish.region,
        try_at=now,
    )
    db.session.add(made)
    db.session.flush()
    go_on(made, now)
    return name


def look(task_id: str, now: datetime) -> Seen:
    """See how it stands, and that somebody waits for it; what takes too long ends here."""
    task = db.session.get_one(CodeTask, task_id, with_for_update=True, populate_existing=True)
    now = clock.database_now(now)
    if task.open:
        task.watched_at = now
        late = _too_late(task, now)
        if late:
            fail(task, *late, now)
    answer = task.answer if task.state is TaskState.ANSWERED else None
    step = CREATING if task.state is TaskState.WAITING else task.step
    return Seen(task.state, step, task.done, task.of, task.fault, answer or b"")


def leave(task_id: str, now: datetime) -> None:
    """Nobody waits for it any more: its machine goes, and the answer, if there is one, too."""
    task = db.session.get_one(CodeTask, task_id, with_for_update=True, populate_existing=True)
    task.answer = None
    if task.open:
        finish(task, TaskState.DROPPED, clock.database_now(now))


def outcomes_of(seen: Seen, runs: int) -> list[Outcome]:
    """What came of each run: of those after the first only whether they gave the same."""
    if seen.state is not TaskState.ANSWERED:
        return [Outcome(End.FAILED, fault=seen.fault or fault_of("machine", "", LOST))]
    try:
        told = loads(TaskAnswer, _unpacked(seen.answer))
    except (zlib.error, ProtocolError, UnicodeDecodeError):
        return [Outcome(End.FAILED, fault=fault_of("machine", "", "its answer cannot be read"))]
    first = _outcome(told)
    if first.end is not End.DONE or runs == 1:
        return [first]
    return [first, first if told.steady else Outcome(End.DONE, b"another answer")]


def sweep(now: datetime) -> None:
    """Drop those whose worker is gone; ask anew for each call that is due. For the timetable."""
    now = clock.database_now(now)
    silent = CodeTask.state.in_(OPEN), CodeTask.watched_at <= now - SILENT
    for task in db.session.scalars(select(CodeTask).where(*silent).with_for_update()):
        finish(task, TaskState.DROPPED, now)
    due = CodeTask.gone_at.is_(None), CodeTask.try_at <= now
    for task in db.session.scalars(select(CodeTask).where(*due).limit(50)):
        go_on(task, now)


def forget(now: datetime) -> None:
    """Drop what is long over, and the texts of what just is."""
    gone = CodeTask.gone_at < now - KEPT
    db.session.execute(delete(CodeTask).where(gone))
    over = CodeTask.gone_at < now - 5 * SILENT, CodeTask.request != b""
    change(update(CodeTask).where(*over).values(request=b"", answer=None))


# -- what all who touch a task share ---------------------------------------------------------------

LOST = "the machine was lost; run it again"


def fail(task: CodeTask, message: str, now: datetime, component: str = "machine") -> None:
    """It is over, and why."""
    task.fault = fault_of(component, "since" if component == "request" else "", message)
    finish(task, TaskState.FAILED, now)


def finish(task: CodeTask, state: TaskState, now: datetime) -> None:
    """It is over: no machine fetches it or answers any more, and the one there is goes."""
    task.state, task.ended_at, task.token = state, now, ""
    if task.inserted_at is not None:
        task.try_at = min(task.try_at, now)  # else a call for it may be under way, and is awaited
    go_on(task, now)


def go_on(task: CodeTask, now: datetime) -> None:
    """Ask for the next step of its machine."""
    due = max(task.try_at, now)
    outbox.put("fleet", "advance_task", now=now, not_before=due, task_id=task.id)


# -- inside ----------------------------------------------------------------------------------------


def _too_late(task: CodeTask, now: datetime) -> tuple[str] | None:
    """Why a task ends here, if it does."""
    if task.state is TaskState.WAITING:
        if now < task.created_at + START:
            return None
        why = f" The cloud says: {task.problem}" if task.problem else ""
        minutes = int(START.total_seconds() // 60)
        text = f"no machine began its work within {minutes} minutes; run it again later.{why}"
        return (text[:500],)
    if task.heard_at <= now - SILENT:
        return (LOST,)
    began = task.started_at or task.created_at
    if now > began + task.runs * timedelta(seconds=task.seconds) + SLACK:
        return ("it took more time than a run may take; choose a shorter period",)
    return None


def _unpacked(packed: bytes) -> bytes:
    """The whole, or what there is room for, which then cannot be read."""
    return zlib.decompressobj().decompress(packed, MOST_UNPACKED)


def _outcome(told: TaskAnswer) -> Outcome:
    log = told.log[-_MOST_LOG:]
    if told.late:
        text = "it took more time than a run may take; choose a shorter period"
        return Outcome(End.FAILED, log=log, fault=fault_of("request", "since", text))
    return read(told.status, told.answer.encode(), log)
