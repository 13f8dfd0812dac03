"""What follows when a step did not end well, cause by cause.

A cause that concerns a region shuts the region, one that concerns a bot blocks the bot, and what
passes by itself is waited for. Nothing is tried in a circle: each has its pause.
"""

from collections.abc import Callable
from datetime import datetime

from app.domain import addresses, lifecycle, machines, places, waits
from app.extensions import db
from app.gateways.compute.driver import Cause, Outcome, Result, Step, StepKind
from app.models import BotAddress, BotCompute, Phase

CONFLICTS = 3
"""So many times in a row something is looked at again at once."""
_LOOKS = (StepKind.OBSERVE_MACHINE, StepKind.OBSERVE_ADDRESS, StepKind.READ_CONSOLE)


def take(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    """Decide by the cause what becomes of the bot."""
    if result.outcome is Outcome.UNKNOWN:
        waits.retry_later(compute, result, now)
        return
    _BY_CAUSE[result.cause](compute, step, result, now)


def _plain(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    if result.outcome is Outcome.FAILED:
        _blocked(compute, step, result, now)
    else:
        waits.retry_later(compute, result, now)


def _blocked(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    """Something a person has to mend, for this bot alone."""
    if _may_block(compute, step):
        waits.block_alone(compute, result.detail, now, result.cause.value)
    else:
        waits.retry_later(compute, result, now)


def _may_block(compute: BotCompute, step: Step) -> bool:
    """Whether a refusal stops the bot; not one that the machine's own runner has overtaken."""
    return step.kind not in _LOOKS and lifecycle.may_become(compute.phase, Phase.BLOCKED)


def _of_region(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    """Everybody there would be refused alike, so nobody else asks for a while.

    Too few addresses for one more bot keep no other bot from waking at the one it has.
    """
    if result.cause is Cause.QUOTA and step.kind is not StepKind.INSERT_MACHINE:
        _blocked(compute, step, result, now)
        return
    until = places.shut(step.region, result.cause, result.detail, now)
    if _may_block(compute, step):
        waits.block(compute, result.detail, now, cause=result.cause.value, until=until)
    else:
        waits.retry_later(compute, result, now)


def _capacity(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    """The zone rests. A next generation tries the next one once this one is proven absent."""
    if step.kind is not StepKind.INSERT_MACHINE or compute.phase is not Phase.CREATING:
        waits.retry_later(compute, result, now)
        return
    if step.zone:
        places.rest(step.region, step.zone, result.detail, now)
    _give_up(compute, f"{step.zone or step.region} had no machine to give", result, now)


def _give_up(compute: BotCompute, reason: str, result: Result, now: datetime) -> None:
    """Wait for a generation no longer; it is proven absent before the next one."""
    machine = machines.current_machine(compute.bot_id)
    if machine is not None:
        machine.dead_at, machine.end_reason = now, reason
    compute.problem, compute.cause = result.detail[:400], result.cause.value
    machines.move(compute, Phase.DELETING, now)
    waits.at_once(compute, now)


def _rate(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    """Asked too often: the whole region waits for a minute or more, and nobody is blocked."""
    places.slow_down(step.region, now)
    waits.retry_later(compute, result, now)
    waits.at_once(compute, now)  # to see what there is to do without asking, and when to ask again


def _held(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    """Another machine has the bot's address. One of its own past is cleared away first."""
    if result.machine is not None and result.holder == step.machine_name:
        _strange(compute, step, result, now)
        return
    holder = machines.named(compute.bot_id, result.holder)
    if not result.holder or (holder is not None and holder.gone_at is None):
        _conflict(compute, step, result, now)
    elif holder is None:
        _blocked(compute, step, result, now)
    else:
        holder.observed_at = now
        if compute.phase is Phase.CREATING:
            _give_up(compute, f"{holder.name} still had the address", result, now)
        elif machines.current_machine(compute.bot_id) is None:
            machines.resurrect(compute, now)
            waits.at_once(compute, now)
        else:
            waits.retry_later(compute, result, now)


def _strange(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    """Our name is borne by a machine that we did not start: this database may be an old copy.

    It is no row of ours, so nothing here may end it: it may be trading. The generation stays used.
    """
    machine = machines.current_machine(compute.bot_id)
    ours = machine is not None and machine.name == step.machine_name
    if machine is None or not ours or machine.running_at is not None:
        waits.retry_later(compute, result, now)
        return
    db.session.delete(machine)
    db.session.flush()
    waits.block_alone(compute, result.detail, now, result.cause.value)


def _lost(compute: BotCompute, step: Step, result: Result, now: datetime) -> None:
    """The address is not the bot's any more. No other one takes its place in silence."""
    address = db.session.get(BotAddress, compute.bot_id)
    if address is not None:
        addresses.lost(address, result.detail, now)
    if _may_block(compute, step):
        waits.block(compute, result.detail, now, cause=result.cause.value, until=None)
    else:
        waits.retry_later(compute, result, now)


def _conflict(compute: BotCompute, _step: Step, result: Result, now: datetime) -> None:
    """What there is differs from what was thought: look again at once, but not for ever."""
    if compute.attempt >= CONFLICTS:
        waits.retry_later(compute, result, now)
        return
    compute.attempt += 1
    waits.at_once(compute, now)


def _transient(compute: BotCompute, _step: Step, result: Result, now: datetime) -> None:
    waits.retry_later(compute, result, now)


_BY_CAUSE: dict[Cause, Callable[[BotCompute, Step, Result, datetime], None]] = {
    Cause.NONE: _plain,
    Cause.INVALID: _blocked,
    Cause.QUOTA: _of_region,
    Cause.PERMISSION: _of_region,
    Cause.CAPACITY: _capacity,
    Cause.RATE: _rate,
    Cause.HELD: _held,
    Cause.LOST: _lost,
    Cause.CONFLICT: _conflict,
    Cause.TRANSIENT: _transient,
}
