"""How each action of the planner begins: rows first, then at most one call outside."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain import audit, commands, endings, machines, quotas
from app.domain.lifecycle import Tempo
from app.domain.planner import Action, Plan
from app.extensions import db
from app.gateways.compute.driver import Step, StepKind
from app.models import (
    Bot,
    BotAddress,
    BotCompute,
    CloudOperation,
    Machine,
    OperationState,
    Phase,
)
from app.models.base import new_id
from runner.protocol import CommandKind

_NAMESPACE = uuid.UUID("5c1d0c52-52c2-5f0e-9a7b-3f4f1f0a6f51")


@dataclass(frozen=True)
class Settings:
    """What the fleet needs to know of the installation."""

    tempo: Tempo
    gate_url: str
    in_flight: int


@dataclass(frozen=True)
class Errand:
    """A step to be done outside, with the fence under which its result may be written.

    ``heard_at`` is when the machine's runner had last spoken as the step began.
    """

    bot_id: str
    fence: int
    step: Step
    operation_id: str | None
    heard_at: datetime | None


@dataclass(frozen=True)
class Turn:
    """One bot under lease, and what the planner decided for it."""

    bot: Bot
    compute: BotCompute
    plan: Plan
    now: datetime
    settings: Settings


def _reserve_address(turn: Turn) -> Errand:
    address = db.session.get(BotAddress, turn.bot.id)
    if address is None:
        address = BotAddress(
            bot_id=turn.bot.id,
            workspace_id=turn.bot.workspace_id,
            name=f"b-{_short(turn.bot.id)}-ip",
            region=turn.bot.region,
        )
        db.session.add(address)
    machines.move(turn.compute, Phase.ADDR_WAIT, turn.now)
    return _errand(turn, StepKind.RESERVE_ADDRESS, address)


def _release_address(turn: Turn) -> Errand | None:
    address = db.session.get(BotAddress, turn.bot.id)
    if address is None:
        endings.retire(turn.compute, turn.now)
        return None
    return _errand(turn, StepKind.RELEASE_ADDRESS, address)


def _insert_machine(turn: Turn) -> Errand | None:
    if _in_flight() >= turn.settings.in_flight:
        turn.compute.due_at = turn.now + timedelta(seconds=1)
        return None
    if quotas.hold_back(turn.compute, turn.now):
        return None
    address = db.session.get_one(BotAddress, turn.bot.id)
    generation = turn.compute.generation + 1
    token = secrets.token_urlsafe(32)
    machine = Machine(
        id=new_id("mch"),
        workspace_id=turn.bot.workspace_id,
        bot_id=turn.bot.id,
        generation=generation,
        name=f"b-{_short(turn.bot.id)}-g{generation}",
        region=turn.bot.region,
        ip=address.ip,
        token_hash=machines.token_digest(token),
        created_at=turn.now,
    )
    db.session.add(machine)
    turn.compute.generation = generation
    turn.compute.flat_since = None
    machines.move(turn.compute, Phase.CREATING, turn.now)
    _note("bot.wake", turn, machine)
    environment = {
        "PLUTARC_GATE": turn.settings.gate_url,
        "PLUTARC_BOT": turn.bot.id,
        "PLUTARC_GENERATION": str(generation),
        "PLUTARC_TOKEN": token,
    }
    return _errand(turn, StepKind.INSERT_MACHINE, address, machine, environment)


def _observe_machine(turn: Turn) -> Errand:
    machine = machines.current_machine(turn.bot.id)
    return _errand(turn, StepKind.OBSERVE_MACHINE, _address(turn), machine)


def _delete_machine(turn: Turn) -> Errand | None:
    machine = machines.current_machine(turn.bot.id)
    machines.move(turn.compute, Phase.DELETING, turn.now)
    if machine is None:
        machines.move(turn.compute, Phase.ASLEEP, turn.now)
        return None
    if not machine.end_reason:
        machine.end_reason = turn.plan.reason
        machine.proven_flat = machine.dead_at is None and machine.drained
        _note("bot.sleep", turn, machine)
    return _errand(turn, StepKind.DELETE_MACHINE, _address(turn), machine)


def _ask_drain(turn: Turn) -> None:
    """What the runner acknowledged before this moment was another drain, since called off."""
    machine = machines.current_machine(turn.bot.id)
    if machine is not None:
        machine.drained = False
    machines.move(turn.compute, Phase.DRAINING, turn.now)
    commands.send(turn.bot, CommandKind.DRAIN, turn.now)


def _cancel_drain(turn: Turn) -> None:
    machines.move(turn.compute, Phase.READY, turn.now)
    turn.compute.flat_since = None
    commands.send(turn.bot, CommandKind.CANCEL_DRAIN, turn.now)


def _unblock(turn: Turn) -> None:
    """Half-open: go back to the last safe phase and let the planner decide from there."""
    address = db.session.get(BotAddress, turn.bot.id)
    if address is None or address.ip is None:
        phase = Phase.ADDR_WAIT
    elif machines.current_machine(turn.bot.id) is not None:
        phase = Phase.DELETING
    else:
        phase = Phase.ASLEEP
    machines.move(turn.compute, phase, turn.now)
    turn.compute.due_at = turn.now


def _wait(turn: Turn) -> None:
    """What kept it from waking is no problem of a bot that is not wanted awake any more."""
    if turn.compute.phase is Phase.ASLEEP and turn.compute.retry_at is None:
        turn.compute.problem = ""


BEGINNINGS: dict[Action, Callable[[Turn], Errand | None]] = {
    Action.RESERVE_ADDRESS: _reserve_address,
    Action.RELEASE_ADDRESS: _release_address,
    Action.INSERT_MACHINE: _insert_machine,
    Action.OBSERVE_MACHINE: _observe_machine,
    Action.DELETE_MACHINE: _delete_machine,
    Action.ASK_DRAIN: _ask_drain,
    Action.CANCEL_DRAIN: _cancel_drain,
    Action.UNBLOCK: _unblock,
    Action.WAIT: _wait,
}


def _note(action: str, turn: Turn, machine: Machine) -> None:
    """The planner's own changes are in the audit log like everybody's."""
    audit.record(
        action,
        by=audit.PLANNER,
        now=turn.now,
        workspace_id=turn.bot.workspace_id,
        target_id=turn.bot.id,
        target_label=turn.bot.name,
        reason=turn.plan.reason,
        correlation_id=machine.id,
    )


def _errand(
    turn: Turn,
    kind: StepKind,
    address: BotAddress,
    machine: Machine | None = None,
    environment: dict[str, str] | None = None,
) -> Errand:
    generation = machine.generation if machine else 0
    attempt = f"{turn.bot.id}:{kind}:{generation}:{turn.compute.fence}"
    step = Step(
        kind=kind,
        request_id=str(uuid.uuid5(_NAMESPACE, attempt)),
        bot=turn.bot.id,
        region=address.region,
        address_name=address.name,
        machine_name=machine.name if machine else None,
        generation=generation or None,
        ip=address.ip,
        exchange=turn.bot.exchange,
        environment=environment or {},
    )
    return Errand(
        bot_id=turn.bot.id,
        fence=turn.compute.fence,
        step=step,
        operation_id=_open_operation(turn, step),
        heard_at=machine.synced_at if machine else None,
    )


def _open_operation(turn: Turn, step: Step) -> str | None:
    """Write down the intent of every call that changes the cloud; looking changes nothing."""
    if step.kind is StepKind.OBSERVE_MACHINE:
        return None
    operation = CloudOperation(
        workspace_id=turn.bot.workspace_id,
        bot_id=turn.bot.id,
        generation=step.generation or 0,
        kind=step.kind.value,
        request_id=step.request_id,
        state=OperationState.INTENDED,
        started_at=turn.now,
    )
    db.session.add(operation)
    db.session.flush()
    return operation.id


def _address(turn: Turn) -> BotAddress:
    return db.session.get_one(BotAddress, turn.bot.id)


def _in_flight() -> int:
    phases = (Phase.CREATING, Phase.BOOTING)
    query = select(db.func.count()).select_from(BotCompute).where(BotCompute.phase.in_(phases))
    return db.session.scalar(query) or 0


def _short(bot_id: str) -> str:
    """The random part of the id: what fits a cloud name."""
    return bot_id.removeprefix("bot_")
