"""Effects asked for inside a transaction, handed to the queues after its commit.

Losing a hint costs time only: every job looks at the rows and decides anew.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from app.extensions import db
from app.models.outbox import OutboxMessage

KEEP_SENT = timedelta(hours=24)


def put(
    queue: str,
    job: str,
    *,
    now: datetime,
    workspace_id: str | None = None,
    not_before: datetime | None = None,
    **arguments: str,
) -> None:
    """Ask for ``job`` on ``queue`` with ids as arguments, once this transaction has committed."""
    db.session.add(
        OutboxMessage(
            queue=queue,
            job=job,
            workspace_id=workspace_id,
            arguments=arguments,
            not_before=not_before or now,
            created_at=now,
        )
    )


def unsent(now: datetime, limit: int = 200) -> list[OutboxMessage]:
    """Messages that are due and were not handed over yet, oldest first."""
    query = (
        select(OutboxMessage)
        .where(OutboxMessage.sent_at.is_(None), OutboxMessage.not_before <= now)
        .order_by(OutboxMessage.number)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def mark_sent(numbers: list[int], now: datetime) -> None:
    """Remember that these were handed over."""
    statement = update(OutboxMessage).where(OutboxMessage.number.in_(numbers))
    db.session.execute(statement.values(sent_at=now))


def forget(now: datetime) -> None:
    """Drop what was handed over long ago."""
    statement = delete(OutboxMessage).where(OutboxMessage.sent_at < now - KEEP_SENT)
    db.session.execute(statement)
