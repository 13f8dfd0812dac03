"""What the answer to a step means: the rows that change when something outside has happened."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain import (
    addresses,
    audit,
    fleet_alarms,
    machines,
    metering,
    places,
    runs,
    turns,
    waits,
)
from app.extensions import db
from app.gateways.compute.driver import Cause, MachineState, Outcome, Result, Step, StepKind
from app.models import (
    AddressEventKind,
    AlarmKind,
    BotAddress,
    BotCompute,
    Machine,
    MachineConsole,
    Phase,
    Resource,
)

BOOTS = 3
"""After so many failed boots in a row a person has to look."""
POLL, POLL_LATER = timedelta(seconds=1), timedelta(seconds=3)


def _address_reserved(compute: BotCompute, _step: Step, result: Result, now: datetime) -> None:
    address = db.session.get_one(BotAddress, compute.bot_id)
    if not result.ip:
        nameless = replace(result, detail="the cloud names no address", cause=Cause.TRANSIENT)
        waits.retry_later(compute, nameless, now, least=waits.MINUTE)
        return
    if address.ip is None and _is_taken(compute.bot_id, result.ip):
        words = f"the cloud gave it {result.ip}, which another bot has; see whose it is"
        waits.block_alone(compute, words, now)
        return
    if address.ip is None:
        address.ip, address.reserved_at = result.ip, now
        addresses.note(address, AddressEventKind.RESERVED, result.ip, now)
        metering.start(compute, Resource.ADDRESS, address.region, now)
    elif address.ip != result.ip:
        words = f"the cloud says {result.ip}, the bot's address is {address.ip}"
        waits.block_alone(compute, words, now)
        return
    addresses.found(address, now)
    machines.move(compute, Phase.ASLEEP, now)


def _is_taken(bot_id: str, ip: str) -> bool:
    """Whether another bot keeps this address; machines without one of their own share loopback."""
    query = select(BotAddress.bot_id).where(
        BotAddress.ip == ip,
        BotAddress.ip != "127.0.0.1",
        BotAddress.released_at.is_(None),
        BotAddress.bot_id != bot_id,
    )
    return db.session.scalar(query.limit(1)) is not None


def _address_released(compute: BotCompute, _step: Step, _result: Result, now: datetime) -> None:
    address = db.session.get_one(BotAddress, compute.bot_id)
    address.released_at = now
    addresses.released(address, now)
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
    addresses.found(db.session.get_one(BotAddress, compute.bot_id), now)
    places.reopen(step.region, now)
    _machine_seen(compute, step, result, now)


def _machine_seen(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    machine = machines.current_machine(compute.bot_id)
    if machine is None or machine.name != step.machine_name:
        return
    machine.observed_at = now
    machine.cloud_id = result.cloud_id or machine.cloud_id
    if result.machine in _THERE:
        machine.inserted_at = machine.inserted_at or now
    if result.machine is MachineState.RUNNING:
        if machine.running_at is None:
            machine.running_at = now
            addresses.attached(machine, now)
            metering.start(compute, Resource.MACHINE, machine.region, now)
        if compute.phase is Phase.CREATING:
            machines.move(compute, Phase.BOOTING, now)
    elif result.machine is MachineState.TERMINATED:
        machine.dead_at = machine.dead_at or now
        if compute.phase is Phase.CREATING:
            # It started and ended unseen: a failed boot, which is read and counted like others.
            machine.running_at = machine.running_at or now
            machines.move(compute, Phase.BOOTING, now)
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
    if machines.resurrect(compute, now):
        return
    if machine.running_at is not None and machines.failed_boots(compute.bot_id) >= BOOTS:
        words = f"its machine started {BOOTS} times and its runner never reported"
        waits.block_alone(compute, words, now, "boot")
        return
    machines.move(compute, Phase.ASLEEP, now)
    compute.priority = turns.priority(compute.bot_id)


def _console_read(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    machine = machines.current_machine(compute.bot_id)
    if machine is None or machine.name != step.machine_name:
        return
    keep_console(machine, result, now)


def keep_console(machine: Machine, result: Result, now: datetime) -> None:
    """What a machine wrote before its boot failed; where it cannot be had, why."""
    done = result.outcome is Outcome.DONE
    text = result.console if done else f"It could not be read: {result.detail}"
    kept = db.session.get(MachineConsole, machine.id)
    if kept is None:
        kept = MachineConsole(machine_id=machine.id)
        db.session.add(kept)
    kept.text, kept.read_at = text, now
    words = f"{machine.name} started, and its runner did not report in time."
    fleet_alarms.raise_alarm(
        AlarmKind.BOOT_FAILED, f"boot_failed {machine.bot_id}", words, now, machine.bot_id
    )


def _zones_told(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    if result.zones:
        places.learn_zones(step.region, result.zones)
    else:
        waits.block_alone(compute, f"no zone of {step.region} is up", now)


def take(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    """A step is done. What moves a bot on ends its trouble; to look or to clear away does not."""
    compute.retry_at = None
    if step.kind in _MOVES_ON or result.machine is MachineState.RUNNING:
        compute.attempt, compute.problem, compute.cause = 0, "", ""
    _ENDINGS[step.kind](compute, step, result, now)


def under_way(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    """The cloud takes its time: ask again soon, first quickly and then less so."""
    machine = machines.current_machine(compute.bot_id)
    if machine is not None and machine.name == step.machine_name:
        machine.cloud_id = result.cloud_id or machine.cloud_id
    compute.retry_at = None
    fresh = now - compute.phase_since < timedelta(seconds=20)
    compute.due_at = now + (POLL if fresh else POLL_LATER)


_THERE = (MachineState.STARTING, MachineState.RUNNING)
_MOVES_ON = (StepKind.RESERVE_ADDRESS, StepKind.RELEASE_ADDRESS, StepKind.INSERT_MACHINE)
_ENDINGS: dict[StepKind, Callable[[BotCompute, Step, Result, datetime], None]] = {
    StepKind.RESERVE_ADDRESS: _address_reserved,
    StepKind.OBSERVE_ADDRESS: _address_reserved,
    StepKind.RELEASE_ADDRESS: _address_released,
    StepKind.INSERT_MACHINE: _machine_inserted,
    StepKind.OBSERVE_MACHINE: _machine_seen,
    StepKind.DELETE_MACHINE: _machine_deleted,
    StepKind.READ_CONSOLE: _console_read,
    StepKind.LIST_ZONES: _zones_told,
}
