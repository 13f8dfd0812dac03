"""The log of calls that change the cloud: each is written down before it is made, and after.

A call that the cloud accepted and takes its time for is ``PENDING`` under the cloud's own name of
it. The next step of the same intent carries that name and the same request id, and asks nothing
anew. Once it has ended, however it ended, that name is never asked for again.
"""

from datetime import datetime

from sqlalchemy import select, update

from app.extensions import db
from app.gateways.compute.driver import Outcome, Result, Step
from app.models import Bot, CloudOperation, OperationState


def begin(bot: Bot, step: Step, now: datetime) -> CloudOperation:
    """Write down the intent of a call that changes the cloud."""
    operation = CloudOperation(
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        generation=step.generation or 0,
        kind=step.kind.value,
        request_id=step.request_id,
        state=OperationState.INTENDED,
        zone=step.zone,
        started_at=now,
    )
    db.session.add(operation)
    db.session.flush()
    return operation


def under_way(bot_id: str) -> CloudOperation | None:
    """The call that the cloud has accepted and not ended, if there is one."""
    return db.session.scalar(
        select(CloudOperation).where(
            CloudOperation.bot_id == bot_id, CloudOperation.state == OperationState.PENDING
        )
    )


def leave(operation: CloudOperation, now: datetime) -> None:
    """Follow a call no longer; whatever becomes of it is seen in what there is."""
    operation.state, operation.finished_at = OperationState.UNKNOWN, now
    operation.detail = "it was followed no longer: something else came first, or it took too long"


def close(operation_id: str | None, result: Result, now: datetime) -> None:
    """Write down what became of a call that changes the cloud."""
    if operation_id is None:
        return
    operation = db.session.get_one(CloudOperation, operation_id)
    operation.state = OperationState(result.outcome.value)
    operation.cause = result.cause.value
    operation.detail = result.detail[:400]
    operation.operation = result.operation[:120] or operation.operation
    if result.outcome is not Outcome.PENDING:
        operation.finished_at = now


def close_abandoned(bot_id: str, now: datetime) -> None:
    """Whoever made these calls ended before the answer: they may have been done or not.

    Call it under the bot's lease, which is taken only when no other call can be under way. One
    that is pending stays so: its name is known, whoever asks for it next.
    """
    abandoned = update(CloudOperation).where(
        CloudOperation.bot_id == bot_id, CloudOperation.state == OperationState.INTENDED
    )
    detail = "its worker ended before the answer"
    db.session.execute(
        abandoned.values(state=OperationState.UNKNOWN, detail=detail, finished_at=now)
    )
