"""What the answer to a step means: the rows that change when something outside has happened."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from app.domain import audit, machines, metering, runs
from app.extensions import db
from app.gateways.compute.driver import MachineState, Result, Step, StepKind
from app.models import BotAddress, BotCompute, Phase, Resource

BLOCKED_FOR = timedelta(minutes=15)
MAX_BACKOFF = timedelta(minutes=5)


def _address_reserved(compute: BotCompute, _step: Step, result: Result, now: datetime) -> None:
    address = db.session.get_one(BotAddress, compute.bot_id)
    if result.ip is None:
        return
    if address.ip is None:
        address.ip, address.reserved_at = result.ip, now
        metering.start(compute, Resource.ADDRESS, address.region, now)
    elif address.ip != result.ip:
        block(compute, f"the cloud says {result.ip}, the bot's address is {address.ip}", now)
        return
    machines.move(compute, Phase.ASLEEP, now)


def _address_released(compute: BotCompute, _step: Step, _result: Result, now: datetime) -> None:
    address = db.session.get_one(BotAddress, compute.bot_id)
    address.released_at = now
    metering.stop(compute.bot_id, Resource.ADDRESS, now)
    retire(compute, now)


def retire(compute: BotCompute, now: datetime) -> None:
    """The bot is gone for good."""
    machines.move(compute, Phase.RELEASED, now)
    bot = compute.bot
    bot.deleted_at = now
    runs.end(bot, now)
    audit.record(
        "bot.released",
        by=audit.PLANNER,
        now=now,
        workspace_id=bot.workspace_id,
        target_id=bot.id,
        target_label=bot.name,
    )


def _machine_inserted(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    _machine_seen(compute, step, result, now)


def _machine_seen(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    machine = machines.current_machine(compute.bot_id)
    if machine is None or machine.name != step.machine_name:
        return
    machine.observed_at = now
    if result.machine is MachineState.RUNNING:
        if machine.running_at is None:
            machine.running_at = now
            metering.start(compute, Resource.MACHINE, machine.region, now)
        if compute.phase is Phase.CREATING:
            machines.move(compute, Phase.BOOTING, now)
    elif result.machine is MachineState.TERMINATED:
        machine.dead_at = machine.dead_at or now
        if compute.phase is Phase.CREATING:
            machines.move(compute, Phase.DELETING, now)
    elif result.machine is MachineState.ABSENT:
        machine.dead_at = machine.dead_at or now
        machine.end_reason = machine.end_reason or "it vanished"
        machines.move(compute, Phase.DELETING, now)


def _machine_deleted(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    """Only a deletion ends a generation: not to be seen is no proof that it will not come yet."""
    machine = machines.current_machine(compute.bot_id)
    if machine is None or machine.name != step.machine_name:
        return
    if result.machine is not MachineState.ABSENT:
        return
    machine.gone_at = now
    metering.stop(compute.bot_id, Resource.MACHINE, now)
    machines.move(compute, Phase.ASLEEP, now)


ENDINGS: dict[StepKind, Callable[[BotCompute, Step, Result, datetime], None]] = {
    StepKind.RESERVE_ADDRESS: _address_reserved,
    StepKind.OBSERVE_ADDRESS: _address_reserved,
    StepKind.RELEASE_ADDRESS: _address_released,
    StepKind.INSERT_MACHINE: _machine_inserted,
    StepKind.OBSERVE_MACHINE: _machine_seen,
    StepKind.DELETE_MACHINE: _machine_deleted,
}


def block(compute: BotCompute, detail: str, now: datetime) -> None:
    """Stop trying for a while and say why, in the words of whoever refused."""
    compute.problem = detail[:400]
    compute.retry_at = now + BLOCKED_FOR
    compute.due_at = compute.retry_at
    machines.move(compute, Phase.BLOCKED, now)


def retry_later(compute: BotCompute, result: Result, now: datetime) -> None:
    """Back off with full jitter. An unknown outcome is looked at again, never assumed."""
    compute.attempt += 1
    compute.problem = result.detail[:400]
    ceiling = min(timedelta(seconds=1) * 2 ** min(compute.attempt, 9), MAX_BACKOFF)
    compute.retry_at = now + ceiling * random.uniform(0.5, 1)  # noqa: S311 -- jitter, not a secret
    compute.due_at = compute.retry_at
