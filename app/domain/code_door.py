"""What the gate answers to the machine of a task: what to run, once; and it takes the answer in."""

import base64
import binascii
import hmac
import zlib
from datetime import datetime

from app.domain import clock, code_tasks, machines
from app.domain.errors import NotAllowed
from app.extensions import db
from app.models import CodeTask, TaskState
from runner.protocol import (
    TASK_LARGEST,
    TASK_PART,
    ProtocolError,
    Task,
    TaskClaim,
    TaskPart,
    TaskReport,
    TaskWanted,
)

NOTHING = Task(request="", runs=0, seconds=0)
STARTED_ANEW = (
    "its program died on the machine, most likely for want of memory; choose a shorter period"
)
TOO_LARGE = "the result is too large to be kept; choose a shorter period"


def fetch(claim: TaskClaim, now: datetime) -> Task:
    """Hand the task over: once, to one process, which may ask again if the answer was lost.

    Raises:
        NotAllowed: no such task, or a wrong token.
    """
    task = _proven(claim)
    now = clock.database_now(now)
    if task.state is TaskState.RUNNING and task.boot_id != claim.boot_id:
        code_tasks.fail(task, STARTED_ANEW, now, "request")
    if not task.open:
        return NOTHING
    if task.state is TaskState.WAITING:
        task.state, task.boot_id, task.token = TaskState.RUNNING, claim.boot_id, ""
        task.started_at, task.step = now, "starting"
    task.heard_at = now
    return Task(zlib.decompress(task.request).decode(), task.runs, task.seconds)


def report(told: TaskReport, now: datetime) -> TaskWanted:
    """Note that it lives and how far it is. Raises ``NotAllowed``."""
    task = _proven(told.claim)
    if not _is_its(task, told.claim):
        return TaskWanted(False)
    task.heard_at = clock.database_now(now)
    task.step, task.done, task.of = told.step[:40], _whole(told.done), _whole(told.of)
    return TaskWanted(True)


def take(part: TaskPart, now: datetime) -> TaskWanted:
    """Add a piece of the answer; one that came before changes nothing.

    Raises:
        NotAllowed: no such task, or a wrong token.
        ProtocolError: a piece out of order, or none at all.
    """
    task = _proven(part.claim)
    now = clock.database_now(now)
    if not _is_its(task, part.claim):
        return TaskWanted(False)
    task.heard_at = now
    if part.number < task.parts:
        return TaskWanted(True)
    if part.number > task.parts:
        raise ProtocolError(f"part {task.parts} is awaited, and not part {part.number}")
    whole = (task.answer or b"") + _piece(part)
    if len(whole) > TASK_LARGEST:
        code_tasks.fail(task, TOO_LARGE, now, "request")
        task.answer = None
        return TaskWanted(False)
    task.answer, task.parts = whole, task.parts + 1
    if part.last:
        code_tasks.finish(task, TaskState.ANSWERED, now)
    return TaskWanted(True)


def _proven(claim: TaskClaim) -> CodeTask:
    task = db.session.get(CodeTask, claim.task, with_for_update=True, populate_existing=True)
    given = machines.token_digest(claim.token)
    if task is None or not hmac.compare_digest(task.token_hash, given):
        raise NotAllowed
    return task


def _is_its(task: CodeTask, claim: TaskClaim) -> bool:
    """Whether this very process holds the task, and it is not over."""
    return task.state is TaskState.RUNNING and task.boot_id == claim.boot_id


def _whole(number: int) -> int:
    return min(max(number, 0), 2**31 - 1)


def _piece(part: TaskPart) -> bytes:
    try:
        piece = base64.b64decode(part.content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProtocolError(f"a part's content must be base64: {error}") from error
    if len(piece) > TASK_PART:
        raise ProtocolError(f"a part has at most {TASK_PART} bytes")
    return piece
