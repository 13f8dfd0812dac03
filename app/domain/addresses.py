"""The history of a bot's address: reserved, attached, seen by gate and venue, lost, released.

The address is the bot's for life. What was seen is written down once for each generation, and
again when it changes: a runner that asks every few seconds makes no history.
"""

from datetime import datetime

from sqlalchemy import select

from app.domain.fleet_alarms import clear_alarm, raise_alarm
from app.extensions import db
from app.models import (
    AddressEvent,
    AddressEventKind,
    AlarmKind,
    Bot,
    BotAddress,
    BotCompute,
    Machine,
)

SEEN = {
    AddressEventKind.SEEN_BY_GATE: "the gate",
    AddressEventKind.SEEN_BY_VENUE: "the venue",
}


def note(
    address: BotAddress | BotCompute | Machine,
    kind: AddressEventKind,
    ip: str | None,
    now: datetime,
    *,
    generation: int | None = None,
    ok: bool = True,
    detail: str = "",
) -> None:
    """Write one line of the history of whoever's row this is."""
    db.session.add(
        AddressEvent(
            workspace_id=address.workspace_id,
            bot_id=address.bot_id,
            kind=kind,
            at=now,
            generation=generation,
            ip=ip[:45] if ip else None,
            ok=ok,
            detail=detail[:200],
        )
    )


def attached(machine: Machine, now: datetime) -> None:
    """A machine runs at the address; said once for each generation."""
    if _last(machine, AddressEventKind.ATTACHED, machine.generation) is None:
        note(machine, AddressEventKind.ATTACHED, machine.ip, now, generation=machine.generation)


def seen(machine: Machine, kind: AddressEventKind, ip: str, now: datetime) -> None:
    """Gate or venue saw the machine's runner come from ``ip``. A wrong one rings."""
    ok = ip == machine.ip
    last = _last(machine, kind, machine.generation)
    if last is None or last.ip != ip[:45]:
        note(machine, kind, ip, now, generation=machine.generation, ok=ok)
    key = f"{kind} {machine.bot_id}"
    if ok:
        clear_alarm(key, now)
        return
    message = (
        f"{SEEN[kind].capitalize()} sees {ip}, the bot's address is {machine.ip}. It makes no "
        "entries until that is right. Look for a proxy or a translated address on the way."
    )
    raise_alarm(AlarmKind.ADDRESS_WRONG, key, message, now, machine.bot_id)


def lost(address: BotAddress, detail: str, now: datetime) -> None:
    """The cloud no longer has it for us. It is never replaced in silence: the caller blocks."""
    if address.lost_at is None:
        address.lost_at = now
        note(address, AddressEventKind.LOST, address.ip, now, ok=False, detail=detail)
    message = (
        f"{address.ip} ({address.name}) is not reserved any more: {detail}. Reserve the same "
        "address again under this name, or delete the bot; keys bound to it work from nowhere else."
    )
    raise_alarm(AlarmKind.ADDRESS_LOST, _lost_key(address), message, now, address.bot_id)


def found(address: BotAddress, now: datetime) -> bool:
    """It is there again, unchanged; ``False`` if it was not lost."""
    if address.lost_at is None:
        return False
    address.lost_at = None
    note(address, AddressEventKind.FOUND, address.ip, now)
    clear_alarm(_lost_key(address), now)
    return True


def released(address: BotAddress, now: datetime) -> None:
    """It was given up: nothing rings for it any more."""
    note(address, AddressEventKind.RELEASED, address.ip, now)
    for kind in SEEN:
        clear_alarm(f"{kind} {address.bot_id}", now)
    clear_alarm(_lost_key(address), now)


def history(bot: Bot, limit: int | None = 100) -> list[AddressEvent]:
    """What happened to a bot's address, newest first; without a limit all of it."""
    query = select(AddressEvent).where(AddressEvent.bot_id == bot.id)
    newest = AddressEvent.at.desc(), AddressEvent.id
    return list(db.session.scalars(query.order_by(*newest).limit(limit)))


def _lost_key(address: BotAddress) -> str:
    return f"address {address.bot_id}"


def _last(machine: Machine, kind: AddressEventKind, generation: int) -> AddressEvent | None:
    query = select(AddressEvent).where(
        AddressEvent.bot_id == machine.bot_id,
        AddressEvent.kind == kind,
        AddressEvent.generation == generation,
    )
    return db.session.scalar(query.order_by(AddressEvent.at.desc()).limit(1))
