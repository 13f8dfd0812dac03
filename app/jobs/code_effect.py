"""Code strategies in a cloud: the run elsewhere as a worker sees it, and its machine's steps."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from app import current
from app.domain import code_machines, code_rules, code_tasks
from app.domain.code_tasks import Seen, Wish
from app.extensions import db
from app.gateways.backtest_outcome import End, Outcome
from app.jobs import effect

Beat = Callable[[str, int, int], bool]
_LOOK = 1.0


class Busy(Exception):
    """Another run of the workspace has its machine; this one waits in the queue."""


def goes_away(request: dict[str, Any]) -> bool:
    """Whether a request is to be carried out on a machine of its own."""
    cloud = current.config().compute.gce is not None
    return cloud and code_rules.is_code(request["rules"])


def carry_out(
    whose: tuple[str, str], request: dict[str, Any], beat: Beat, *, seconds: float, runs: int = 1
) -> list[Outcome]:
    """Have a machine run it, and wait; what came of each run, or of the first that failed.

    Args:
        whose: the workspace, and the row that is carried out.
        request: what to run.
        beat: told once a second how far it is; ``False`` ends it.
        seconds: what each run may take.
        runs: how often.

    Raises:
        Busy: another run of the workspace has its machine.
    """
    config = current.config()
    endpoint = config.exchange_endpoints.get(str(request["exchange"]))
    asked = {**request, "endpoint": endpoint} if endpoint else request
    wish = Wish(*whose, asked, config.compute.regions[0], int(seconds), runs)
    db.session.connection()  # SQLite: wait for its lock before reading the time, not after
    task_id = code_tasks.ask(wish, datetime.now(UTC))
    db.session.commit()
    if task_id is None:
        raise Busy
    try:
        seen = _watched(task_id, beat)
    finally:
        db.session.rollback()
        db.session.connection()
        code_tasks.leave(task_id, datetime.now(UTC))
        db.session.commit()
    return [Outcome(End.CANCELLED)] if seen is None else code_tasks.outcomes_of(seen, runs)


def _watched(task_id: str, beat: Beat) -> Seen | None:
    """Look once a second until it is over; ``None`` if it was not wanted any more."""
    while True:
        db.session.connection()
        seen = code_tasks.look(task_id, datetime.now(UTC))
        db.session.commit()
        if seen.over:
            return seen
        if not beat(seen.step, seen.done, seen.of):
            return None
        time.sleep(_LOOK)


def advance(task_id: str) -> bool:
    """Take one step of a task's machine; ``True`` if something was done outside."""
    config = current.config()
    db.session.connection()  # as above
    call = code_machines.begin(task_id, config.runner_base_url, datetime.now(UTC))
    db.session.commit()
    if call is None:
        return False
    result = effect.compute_driver(config).do(call.step)
    db.session.connection()
    kept = code_machines.finish(call, result, datetime.now(UTC))
    db.session.commit()
    return kept
