"""How a bot waits after something went wrong: a while, ever longer, or blocked with the reason."""

import random
from datetime import datetime, timedelta

from app.domain import fleet_alarms, machines
from app.gateways.compute.driver import Result
from app.models import AlarmKind, BotCompute, Phase

BLOCKED_FOR = timedelta(minutes=15)
MAX_BACKOFF = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)


def block(
    compute: BotCompute, detail: str, now: datetime, *, cause: str = "", until: datetime | None
) -> None:
    """Stop trying for a while and say why, in the words of whoever refused."""
    compute.problem, compute.cause = detail[:400], cause
    compute.retry_at = until or now + BLOCKED_FOR
    compute.due_at = compute.retry_at
    machines.move(compute, Phase.BLOCKED, now)


def block_alone(compute: BotCompute, detail: str, now: datetime, cause: str = "") -> None:
    """The same where it is this bot's own trouble: an operator should look."""
    block(compute, detail, now, cause=cause, until=None)
    fleet_alarms.raise_alarm(
        AlarmKind.BLOCKED, f"blocked {compute.bot_id}", detail, now, compute.bot_id
    )


def retry_later(
    compute: BotCompute, result: Result, now: datetime, least: timedelta = timedelta(0)
) -> None:
    """Back off with full jitter. An unknown outcome is looked at again, never assumed."""
    compute.attempt += 1
    compute.problem, compute.cause = result.detail[:400], result.cause.value
    compute.retry_at = now + least + pause(compute.attempt, timedelta(seconds=1), MAX_BACKOFF)
    compute.due_at = compute.retry_at


def stand_back(compute: BotCompute, until: datetime) -> datetime:
    """When to ask again: not before then, and not all at once with the others of the region.

    Who is asleep is in nobody's way meanwhile; who is awake may still be told to finish.
    """
    again = until + MINUTE * random.random()  # noqa: S311 -- jitter, not a secret
    if compute.phase is Phase.ASLEEP:
        compute.retry_at = again
    return again


def pause(attempt: int, first: timedelta, longest: timedelta) -> timedelta:
    """How long to wait after so many tries: doubled each time, with jitter."""
    ceiling: timedelta = min(first * 2 ** min(attempt, 9), longest)
    return ceiling * random.uniform(0.5, 1)  # noqa: S311 -- jitter, not a secret


def at_once(compute: BotCompute, now: datetime) -> None:
    """Look again without a pause."""
    compute.retry_at, compute.due_at = None, now
