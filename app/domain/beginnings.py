"""How each action of the planner begins: rows first, then at most one call outside."""

import secrets
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from app.domain import audit, commands, endings, machines
from app.domain.errands import Errand, Turn, make, short
from app.domain.planner import Action
from app.extensions import db
from app.gateways.compute.driver import StepKind
from app.models import BotAddress, BotCompute, Machine, Phase
from app.models.base import new_id
from runner.protocol import CommandKind


def _reserve_address(turn: Turn) -> Errand:
    address = db.session.get(BotAddress, turn.bot.id)
    if address is None:
        address = BotAddress(
            bot_id=turn.bot.id,
            workspace_id=turn.bot.workspace_id,
            name=f"b-{short(turn.bot.id)}-ip",
            region=turn.bot.region,
        )
        db.session.add(address)
    machines.move(turn.compute, Phase.ADDR_WAIT, turn.now)
    return make(turn, StepKind.RESERVE_ADDRESS, address)


def _release_address(turn: Turn) -> Errand | None:
    address = db.session.get(BotAddress, turn.bot.id)
    if address is None:
        endings.retire(turn.compute, turn.now)
        return None
    return make(turn, StepKind.RELEASE_ADDRESS, address)


def _insert_machine(turn: Turn) -> Errand | None:
    if _in_flight() >= turn.settings.in_flight:
        turn.compute.due_at = turn.now + timedelta(seconds=1)
        return None
    address = db.session.get_one(BotAddress, turn.bot.id)
    generation = turn.compute.generation + 1
    token = secrets.token_urlsafe(32)
    machine = Machine(
        id=new_id("mch"),
        workspace_id=turn.bot.workspace_id,
        bot_id=turn.bot.id,
        generation=generation,
        name=f"b-{short(turn.bot.id)}-g{generation}",
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
    return make(turn, StepKind.INSERT_MACHINE, address, machine, environment)


def _observe_machine(turn: Turn) -> Errand:
    machine = machines.current_machine(turn.bot.id)
    return make(turn, StepKind.OBSERVE_MACHINE, _address(turn), machine)


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
    return make(turn, StepKind.DELETE_MACHINE, _address(turn), machine)


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


def _wait(_turn: Turn) -> None:
    return None


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


def _address(turn: Turn) -> BotAddress:
    return db.session.get_one(BotAddress, turn.bot.id)


def _in_flight() -> int:
    phases = (Phase.CREATING, Phase.BOOTING)
    query = select(db.func.count()).select_from(BotCompute).where(BotCompute.phase.in_(phases))
    return db.session.scalar(query) or 0
