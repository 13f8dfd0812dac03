"""Usage intervals: opened and closed by the very changes that the planner sees."""

from datetime import datetime

from sqlalchemy import select

from app.extensions import db
from app.models.compute import BotCompute
from app.models.usage import Resource, UsageInterval


def start(compute: BotCompute, resource: Resource, region: str, now: datetime) -> None:
    """Open an interval, unless one is open; never before the end of the last one."""
    last = _last(compute.bot_id, resource)
    if last is not None and last.ended_at is None:
        return
    db.session.add(
        UsageInterval(
            workspace_id=compute.workspace_id,
            bot_id=compute.bot_id,
            resource=resource,
            generation=compute.generation if resource is Resource.MACHINE else None,
            region=region,
            started_at=max(now, last.ended_at) if last and last.ended_at else now,
        )
    )


def stop(bot_id: str, resource: Resource, now: datetime) -> None:
    """Close the open interval, if there is one; a clock set back bills nothing, not less."""
    last = _last(bot_id, resource)
    if last is not None and last.ended_at is None:
        last.ended_at = max(now, last.started_at)


def _last(bot_id: str, resource: Resource) -> UsageInterval | None:
    query = select(UsageInterval).where(
        UsageInterval.bot_id == bot_id, UsageInterval.resource == resource
    )
    newest = UsageInterval.started_at.desc(), UsageInterval.ended_at.desc().nulls_first()
    return db.session.scalar(query.order_by(*newest).limit(1))
