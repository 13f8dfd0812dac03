"""What goes outside: a step under its fence, made from rows alone, and what it is made from."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from app.domain import operations
from app.domain.lifecycle import Tempo
from app.domain.planner import Plan
from app.gateways.compute.driver import Step, StepKind
from app.models import Bot, BotAddress, BotCompute, CloudOperation, Machine

_NAMESPACE = uuid.UUID("5c1d0c52-52c2-5f0e-9a7b-3f4f1f0a6f51")
_LOOKS = frozenset(
    {
        StepKind.OBSERVE_MACHINE,
        StepKind.OBSERVE_ADDRESS,
        StepKind.READ_CONSOLE,
        StepKind.LIST_ZONES,
    }
)
"""Looking changes nothing, so nobody has to know of it."""


@dataclass(frozen=True)
class Settings:
    """What the fleet needs to know of the installation. ``zoned``: each machine needs a zone."""

    tempo: Tempo
    gate_url: str
    in_flight: int
    zoned: bool = False


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


def make(
    turn: Turn,
    kind: StepKind,
    address: BotAddress,
    machine: Machine | None = None,
    environment: dict[str, str] | None = None,
) -> Errand:
    """A step that is asked anew; each has a request id of its own."""
    generation = machine.generation if machine else 0
    attempt = f"{turn.bot.id}:{kind}:{generation}:{turn.compute.fence}"
    step = _step(turn, kind, str(uuid.uuid5(_NAMESPACE, attempt)), address, machine, environment)
    opened = None if kind in _LOOKS else operations.begin(turn.bot, step, turn.now)
    return _errand(turn, step, opened, machine)


def follow(
    turn: Turn, operation: CloudOperation, address: BotAddress, machine: Machine | None
) -> Errand:
    """The same step once more, under the request id it had: it asks what became of the call."""
    step = _step(
        turn,
        StepKind(operation.kind),
        operation.request_id,
        address,
        machine,
        operation=operation.operation,
    )
    return _errand(turn, step, operation, machine)


def _step(
    turn: Turn,
    kind: StepKind,
    request_id: str,
    address: BotAddress,
    machine: Machine | None,
    environment: dict[str, str] | None = None,
    operation: str = "",
) -> Step:
    return Step(
        kind=kind,
        request_id=request_id,
        bot=turn.bot.id,
        region=address.region,
        address_name=address.name,
        machine_name=machine.name if machine else None,
        generation=machine.generation if machine else None,
        ip=address.ip,
        exchange=turn.bot.exchange,
        environment=environment or {},
        zone=machine.zone if machine else "",
        operation=operation,
        proof=machine.token_hash if machine and machine.running_at is None else "",
    )


def _errand(
    turn: Turn, step: Step, operation: CloudOperation | None, machine: Machine | None
) -> Errand:
    return Errand(
        bot_id=turn.bot.id,
        fence=turn.compute.fence,
        step=step,
        operation_id=operation.id if operation else None,
        heard_at=machine.synced_at if machine else None,
    )


def short(bot_id: str) -> str:
    """The random part of the id: what fits a cloud name."""
    return bot_id.removeprefix("bot_")
