"""How each action of the planner begins: rows first, then at most one call outside."""

import secrets
from collections.abc import Callable

from app.domain import audit, commands, endings, machines, operations, places, quotas, turns, waits
from app.domain.errands import Errand, Turn, follow, make, short
from app.domain.planner import Action
from app.extensions import db
from app.gateways.compute.driver import Cause, StepKind
from app.models import BotAddress, CloudRegion, Machine, Phase, Renewal
from app.models.base import new_id
from runner.protocol import CommandKind


def _reserve_address(turn: Turn) -> Errand | None:
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
    shut = places.barred(turn.bot.region, (Cause.PERMISSION,), turn.now)
    if shut is not None:
        _barred(turn, shut)
        return None
    return make(turn, StepKind.RESERVE_ADDRESS, address)


def _release_address(turn: Turn) -> Errand | None:
    address = db.session.get(BotAddress, turn.bot.id)
    if address is None:
        endings.retire(turn.compute, turn.now)
        return None
    return make(turn, StepKind.RELEASE_ADDRESS, address)


def _insert_machine(turn: Turn) -> Errand | None:
    if quotas.hold_back(turn.compute, turn.now):
        return None
    shut = places.shut_now(turn.bot.region, turn.now)
    if shut is not None and not _rescues(turn, shut):
        _barred(turn, shut)
        return None
    if not turns.take(turn.compute, turn.now, turn.settings.in_flight):
        return None
    address, zone = _address(turn), ""
    if turn.settings.zoned:
        zones = places.choose(turn.bot.region, turn.bot.id, turn.now)
        if not zones.known:
            return make(turn, StepKind.LIST_ZONES, address)
        if not zones.chosen:
            _no_room(turn, zones)
            return None
        zone = zones.chosen
    shut = places.barred(turn.bot.region, places.OF_REGIONS, turn.now)
    if shut is not None and not _rescues(turn, shut):
        _barred(turn, shut)
        return None
    token = secrets.token_urlsafe(32)
    machine = _next_machine(turn, address, zone, token)
    machines.move(turn.compute, Phase.CREATING, turn.now)
    _note("bot.wake", turn, machine)
    environment = {
        "PLUTARC_GATE": turn.settings.gate_url,
        "PLUTARC_BOT": turn.bot.id,
        "PLUTARC_GENERATION": str(machine.generation),
        "PLUTARC_TOKEN": token,
    }
    return make(turn, StepKind.INSERT_MACHINE, address, machine, environment)


def _next_machine(turn: Turn, address: BotAddress, zone: str, token: str) -> Machine:
    generation = turn.compute.generation + 1
    machine = Machine(
        id=new_id("mch"),
        workspace_id=turn.bot.workspace_id,
        bot_id=turn.bot.id,
        generation=generation,
        name=f"b-{short(turn.bot.id)}-g{generation}",
        region=turn.bot.region,
        zone=zone,
        machine_type=turn.settings.tempo.machine_type,
        ip=address.ip,
        token_hash=machines.token_digest(token),
        wanted_at=turn.compute.wanted_at,
        created_at=turn.now,
    )
    db.session.add(machine)
    turn.compute.generation = generation
    turn.compute.flat_since = None
    turn.compute.renewal, turn.compute.renewal_why = None, ""
    return machine


def _barred(turn: Turn, shut: CloudRegion) -> None:
    """Blocked with all others of the region, in the words that one of them was told."""
    waits.block(
        turn.compute, shut.shut_detail, turn.now, cause=shut.shut_cause, until=shut.shut_until
    )


def _rescues(turn: Turn, shut: CloudRegion) -> bool:
    """A person shuts a region to new machines, not to the end of a position that lost its own."""
    return shut.shut_cause == places.BY_HAND and machines.stranded(turn.bot.id)


def _no_room(turn: Turn, zones: places.Zones) -> None:
    detail = f"no zone of {turn.bot.region} has a machine to give at present"
    waits.block(turn.compute, detail, turn.now, cause=Cause.CAPACITY.value, until=zones.until)


def _follow_up(turn: Turn) -> Errand | None:
    operation = operations.under_way(turn.bot.id)
    if operation is None:
        return None
    return follow(turn, operation, _address(turn), machines.current_machine(turn.bot.id))


def _read_console(turn: Turn) -> Errand:
    machine = machines.current_machine(turn.bot.id)
    return make(turn, StepKind.READ_CONSOLE, _address(turn), machine)


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
    if turn.compute.renewal is Renewal.FLATTEN:
        commands.send(turn.bot, CommandKind.FLATTEN, turn.now)


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
        turn.compute.problem, turn.compute.cause = "", ""


BEGINNINGS: dict[Action, Callable[[Turn], Errand | None]] = {
    Action.RESERVE_ADDRESS: _reserve_address,
    Action.RELEASE_ADDRESS: _release_address,
    Action.INSERT_MACHINE: _insert_machine,
    Action.OBSERVE_MACHINE: _observe_machine,
    Action.READ_CONSOLE: _read_console,
    Action.FOLLOW_UP: _follow_up,
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
