"""The machine of a task, step by step: made, and gone again whatever became of the task.

Each step is decided and committed before the call, and its answer counted only under the fence it
was begun with (``attempt``). A machine bears no address of its own, no key and no service account,
and the cloud deletes it by itself when its time is over.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain import clock, code_tasks, places, waits
from app.extensions import db
from app.gateways.compute.driver import Cause, MachineState, Outcome, Result, Step, StepKind
from app.models import CodeTask, TaskState
from runner.protocol import CODE_ALLOWED, TASK, WORK

LEASE = timedelta(seconds=30)
LONGEST = timedelta(minutes=10)
"""Beside its runs: then the cloud itself deletes the machine."""
_LOOK_AGAIN = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(minutes=1)
_NAMESPACE = uuid.UUID("3c1b8a52-7d0e-5e0f-8c56-0f4fb1a3c9d2")
_FOR_GOOD = (Cause.QUOTA, Cause.PERMISSION, Cause.INVALID)


@dataclass(frozen=True)
class Call:
    """One call for a task's machine, and the attempt under which its answer counts."""

    task_id: str
    attempt: int
    step: Step


def begin(task_id: str, gate_url: str, now: datetime) -> Call | None:
    """Decide on the next step; ``None`` if nothing is to be done outside now."""
    task = db.session.get(CodeTask, task_id, with_for_update=True, populate_existing=True)
    now = clock.database_now(now)
    if task is None or task.gone_at is not None or task.try_at > now:
        return None
    kind = _next(task, now)
    if kind is None:
        return None
    task.attempt += 1
    if not task.operation:
        task.request_id = str(uuid.uuid5(_NAMESPACE, f"{task.id}:{kind}:{task.attempt}"))
    task.try_at = now + LEASE
    return Call(task.id, task.attempt, _step(task, kind, gate_url))


def _next(task: CodeTask, now: datetime) -> StepKind | None:
    """What is due; what needs no call is done here."""
    if not task.open or task.leaving:
        if task.zone:
            return StepKind.DELETE_MACHINE
        task.gone_at = now
        return None
    if task.inserted_at is not None or task.state is TaskState.RUNNING:
        task.inserted_at = task.inserted_at or now
        task.try_at = now + LONGEST  # its end asks for what comes next
        return None
    shut = places.shut_now(task.region, now)
    if shut is not None and not task.operation:
        text = f"nothing is started in {task.region} until {shut.shut_until:%H:%M} UTC"
        code_tasks.fail(task, f"{text}. The cloud says: {shut.shut_detail}"[:500], now)
        return None
    if task.zone:
        return StepKind.INSERT_MACHINE
    zones = places.choose(task.region, task.id, now)
    if not zones.known:
        return StepKind.LIST_ZONES
    if not zones.chosen:
        task.problem = task.problem or f"no zone of {task.region} has a machine to give"
        task.try_at = max(zones.until or now, now + _LOOK_AGAIN)
        return None
    task.zone = zones.chosen
    return StepKind.INSERT_MACHINE


def _step(task: CodeTask, kind: StepKind, gate_url: str) -> Step:
    inserting = kind is StepKind.INSERT_MACHINE
    longest = timedelta(seconds=task.runs * task.seconds) + LONGEST
    given = {
        "PLUTARC_GATE": gate_url,
        "PLUTARC_BOT": task.id,
        "PLUTARC_GENERATION": "1",
        "PLUTARC_TOKEN": task.token,
        WORK: TASK,
        CODE_ALLOWED: "1",
    }
    return Step(
        kind=kind,
        request_id=task.request_id,
        bot=task.id,
        region=task.region,
        address_name="",
        machine_name=task.machine,
        generation=1,
        exchange=task.exchange,
        environment=given if inserting else {},
        zone=task.zone,
        operation=task.operation,
        longest=int(longest.total_seconds()),
    )


def finish(call: Call, result: Result, now: datetime) -> bool:
    """Write down what came of a step, once; ``False`` if somebody else has gone on since."""
    task = db.session.get(CodeTask, call.task_id, with_for_update=True, populate_existing=True)
    if task is None or task.attempt != call.attempt or task.gone_at is not None:
        return False
    now = clock.database_now(now)
    task.problem = result.detail[:400] or task.problem
    task.operation = result.operation[:120] if result.outcome is Outcome.PENDING else ""
    task.try_at = now
    if result.outcome is Outcome.PENDING:
        task.try_at = now + _LOOK_AGAIN
    elif call.step.kind is StepKind.LIST_ZONES and result.zones:
        places.learn_zones(task.region, result.zones)
    elif call.step.kind is StepKind.INSERT_MACHINE:
        _inserted(task, result, now)
    elif call.step.kind is StepKind.DELETE_MACHINE:
        _deleted(task, result, now)
    else:
        _later(task, now)
    if task.gone_at is None:
        code_tasks.go_on(task, now)
    return True


def _inserted(task: CodeTask, result: Result, now: datetime) -> None:
    if result.outcome is Outcome.DONE:
        task.inserted_at, task.problem = now, ""
    elif result.cause is Cause.CAPACITY:
        places.rest(task.region, task.zone, result.detail, now)
        task.leaving = True  # proven absent there before another zone is tried
    elif task.open and (result.cause in _FOR_GOOD or result.outcome is Outcome.FAILED):
        text = f"the cloud gives no machine for it: {result.detail} Run it again later."
        code_tasks.fail(task, text[:500], now)
    elif result.cause is Cause.RATE:
        task.try_at = places.slow_down(task.region, now)
    else:
        _later(task, now)


def _deleted(task: CodeTask, result: Result, now: datetime) -> None:
    if result.outcome is not Outcome.DONE or result.machine is not MachineState.ABSENT:
        _later(task, now)
    elif task.open and task.leaving:
        task.leaving, task.zone, task.inserted_at = False, "", None
    else:
        task.gone_at = now


def _later(task: CodeTask, now: datetime) -> None:
    task.try_at = now + waits.pause(task.attempt, timedelta(seconds=1), _LONGEST_PAUSE)
