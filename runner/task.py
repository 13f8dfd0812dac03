"""The one task of a machine without keys: fetched once, run in a process of its own, answered.

The machine is deleted once its answer is there, and by the cloud itself if nobody comes for it;
until then this process waits. Whatever happens here, nothing of it reaches a venue's account.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import uuid
import zlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from runner.client import GateClient
from runner.code import cage
from runner.environment import Environment
from runner.errors import Operational, Superseded, Temporary
from runner.exchange.transport import session
from runner.protocol import (
    TASK_LARGEST,
    TASK_PART,
    Task,
    TaskAnswer,
    TaskClaim,
    TaskPart,
    TaskReport,
    dumps,
)
from runner.task_run import Progress, Run

log = logging.getLogger("runner")

REPORT_EVERY = 2.0
_GATE_SECONDS = 20.0
_LONGEST_PAUSE = 15.0
TOO_LARGE = (
    '{"ok":false,"error":{"kind":"refused","component":"request","field":"since","message":'
    '"the result is too large to be kept; choose a shorter period"}}'
)
T = TypeVar("T")


async def run(environment: Environment) -> int:
    """Do it, then wait for the machine's end. Raises ``Operational`` where the gate refuses."""
    cage.hide()
    gate = session([environment.gate], environment.source_address, _GATE_SECONDS)
    who = TaskClaim(environment.bot, environment.token, uuid.uuid4().hex)
    client = GateClient(gate, environment.gate)
    try:
        task = await _patiently(lambda: client.task(who))
        if task.runs:
            answer = await _carried_out(task, client, who, environment)
            if answer is not None:
                await _tell(client, who, answer)
    except Superseded as error:
        log.warning("nobody waits for this task any more: %s", error)
    finally:
        await gate.close()
    log.info("there is nothing more to do here; the machine waits for its end")
    await asyncio.Event().wait()
    return 0


async def _carried_out(
    task: Task, client: GateClient, who: TaskClaim, environment: Environment
) -> TaskAnswer | None:
    """Run it as often as asked; ``None`` where nobody wants the answer any more."""
    progress = Progress()
    telling = asyncio.create_task(_report(client, who, progress))
    try:
        first: TaskAnswer | None = None
        for _ in range(task.runs):
            run = Run(task, environment.directory, progress)
            working = asyncio.create_task(run.answer())
            await asyncio.wait({working, telling}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                working.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await working
                return None
            found = working.result()
            if found.status != 0 or found.late:
                return found
            if first is not None and found.answer != first.answer:
                return TaskAnswer(0, first.answer, first.log, late=False, steady=False)
            first = first or found
        return first
    finally:
        telling.cancel()


async def _report(client: GateClient, who: TaskClaim, progress: Progress) -> None:
    """Tell how far it is until nobody wants to know; that the gate is away for a while is borne."""
    while True:
        try:
            told = await client.report(TaskReport(who, progress.step, progress.done, progress.of))
            if not told.wanted:
                return
        except Temporary as error:
            log.warning("report: %s; trying again", error)
        except (Superseded, Operational) as error:
            log.warning("report: %s", error)
            return
        await asyncio.sleep(REPORT_EVERY)


async def _tell(client: GateClient, who: TaskClaim, answer: TaskAnswer) -> None:
    """Hand the answer in, part by part, each until it was taken."""
    packed = await asyncio.to_thread(lambda: zlib.compress(dumps(answer), 6))
    if len(packed) > TASK_LARGEST:
        packed = zlib.compress(dumps(TaskAnswer(2, TOO_LARGE, answer.log, False, True)), 6)
    pieces = [packed[at : at + TASK_PART] for at in range(0, len(packed), TASK_PART)]
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        part = TaskPart(who, number, last, base64.b64encode(piece).decode())
        told = await _patiently(partial(client.part, part))
        if not told.wanted:
            return


async def _patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Call until the gate answers; the cloud ends the machine if it never does."""
    pause = 0.5
    while True:
        try:
            return await call()
        except Temporary as error:
            log.warning("%s; trying again", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
