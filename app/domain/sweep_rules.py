"""Whose is what the cloud shows, and may it be deleted? Pure.

What no row accounts for is a find. Seen once it proves nothing: a listing may be minutes old, and
a row may be about to be written. Whoever deletes many things at once is more likely to be wrong
than to be tidy, so then a person decides.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from app.gateways.compute.driver import SeenAddress, SeenDisk, SeenMachine, Survey

_MACHINE = re.compile(r"b-([a-z0-9]{1,40})-g([0-9]{1,9})", re.ASCII)
_TASK = re.compile(r"t-([a-z0-9]{1,40})-g1", re.ASCII)
_ADDRESS = re.compile(r"b-([a-z0-9]{1,40})-ip", re.ASCII)

APART = timedelta(minutes=10)
"""Between the first and the last sighting of what may be deleted."""

MOST = 3
"""So many deletions within ``LATELY`` are tidying up; more are a mistake, until a person looks."""

SHARE = 5
"""Nor may they be more than one in five of all that exists."""

LATELY = timedelta(hours=1)


@dataclass(frozen=True)
class Patience:
    """How old each kind must be before it counts as forgotten rather than under way."""

    machine: timedelta = timedelta(minutes=15)
    address: timedelta = timedelta(hours=1)
    disk: timedelta = timedelta(minutes=15)


class Whose(StrEnum):
    """What a thing in the cloud is to us. ``WAIT``: too young, or its bot is being worked on."""

    OURS = "ours"
    WAIT = "wait"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Judgement:
    """``why`` it is nobody's; ``hold``: a person must decide; ``busy``: it is in use."""

    whose: Whose
    why: str = ""
    hold: bool = False
    busy: bool = False


_TASK_OVER = "no task of this name is under way"
OURS, WAIT = Judgement(Whose.OURS), Judgement(Whose.WAIT)


@dataclass(frozen=True)
class Known:
    """What the rows say of one bot. ``busy``: a call for it is under way, or a lease is held.

    ``alive``: not yet gone for good. ``stranded``: it may have left a position open.
    """

    generation: int
    alive: bool
    busy: bool = False
    stranded: bool = False


@dataclass(frozen=True)
class Books:
    """The rows, as far as a judgement needs them.

    ``machines`` and ``addresses``: names that rows account for, or did until just now. ``bots``:
    those whose things are not accounted for, by id. ``living``: how many bots there are at all.
    ``borne``: names that a machine ever bore.
    """

    machines: AbstractSet[str] = frozenset()
    addresses: AbstractSet[str] = frozenset()
    bots: Mapping[str, Known] = field(default_factory=dict)
    living: int = 0
    borne: AbstractSet[str] = frozenset()


def bot_of(name: str) -> str:
    """The bot that a name was computed for; empty if it is no name of ours."""
    found = _MACHINE.fullmatch(name) or _ADDRESS.fullmatch(name)
    return f"bot_{found[1]}" if found else ""


def is_task(name: str) -> bool:
    """Whether a machine of this name was made for one task: it holds no position and no key."""
    return bool(_TASK.fullmatch(name))


def generation_of(name: str) -> int:
    """The generation in a machine's name; 0 if there is none."""
    found = _MACHINE.fullmatch(name)
    return int(found[2]) if found else 0


def address_of(name: str) -> str:
    """The name of the address that belongs to a machine of this name."""
    return f"{name.rpartition('-g')[0]}-ip"


def of_machine(seen: SeenMachine, books: Books, now: datetime, patience: Patience) -> Judgement:
    """Whose a machine is."""
    bot = books.bots.get(bot_of(seen.name))
    if seen.name in books.machines:
        return OURS
    if _young(seen.created_at, now, patience.machine) or (bot is not None and bot.busy):
        return WAIT
    if is_task(seen.name):
        return Judgement(Whose.NOBODY, _TASK_OVER)
    if bot is None:
        return Judgement(Whose.NOBODY, _unknown(seen.name), hold=not bot_of(seen.name))
    if generation_of(seen.name) > bot.generation:
        return Judgement(Whose.NOBODY, "newer than anything the database knows of", hold=True)
    if bot.stranded:
        return Judgement(Whose.NOBODY, "its bot may have left a position open", hold=True)
    if seen.name not in books.borne:
        return Judgement(Whose.NOBODY, "the database never knew it", hold=True)
    why = "its generation was deleted" if bot.alive else "its bot was deleted"
    return Judgement(Whose.NOBODY, why)


def of_address(seen: SeenAddress, books: Books, now: datetime, patience: Patience) -> Judgement:
    """Whose an address is. That of a living bot is its own, whatever else the rows say."""
    bot = books.bots.get(bot_of(seen.name))
    if seen.name in books.addresses or (bot is not None and bot.alive):
        return OURS
    if _young(seen.created_at, now, patience.address) or (bot is not None and bot.busy):
        return WAIT
    why = _unknown(seen.name) if bot is None else "its bot was deleted"
    return Judgement(Whose.NOBODY, why, hold=not bot_of(seen.name), busy=bool(seen.users))


def of_disk(seen: SeenDisk, books: Books, now: datetime, patience: Patience) -> Judgement:
    """Whose a disk is. One that a machine has attached goes with that machine."""
    bot = books.bots.get(bot_of(seen.name))
    if seen.users or seen.name in books.machines:
        return OURS
    if _young(seen.created_at, now, patience.disk) or (bot is not None and bot.busy):
        return WAIT
    if is_task(seen.name):
        return Judgement(Whose.NOBODY, _TASK_OVER)
    if bot is None:
        return Judgement(Whose.NOBODY, _unknown(seen.name), hold=not bot_of(seen.name))
    # A machine's last words are on its disk.
    return Judgement(Whose.NOBODY, "its machine is gone", hold=bot.stranded)


def ripe(
    first_seen: datetime, last_seen: datetime, sightings: int, born: datetime | None, age: timedelta
) -> bool:
    """Whether something was seen often, long and late enough to be deleted.

    Where the cloud does not say since when it exists, it is as old as its first sighting.
    """
    apart = last_seen - first_seen >= APART
    return sightings >= 2 and apart and last_seen - (born or first_seen) >= age


def mistrust(survey: Survey, books: Books) -> str:
    """Why the database itself is not to be trusted with deletions, or nothing.

    A database that was emptied, or restored from yesterday, does not know its own fleet.
    """
    strangers = [it.name for it in survey.machines if it.name not in books.machines]
    if not strangers:
        return ""
    if len(survey.machines) > books.living:
        return f"the cloud has {len(survey.machines)} machines, the database {books.living} bots"
    newer = [name for name in strangers if _is_newer(name, books)]
    if newer:
        return f"{newer[0]} is newer than the database: it may have been restored"
    return ""


def too_many(wanted: int, lately: int, existing: int) -> str:
    """Why so many deletions are refused, or nothing. ``lately`` were begun within the last hour."""
    total = wanted + lately
    if not wanted:
        return ""
    if total > MOST:
        return f"{total} deletions within an hour; {MOST} need no person"
    if total * SHARE > existing:
        return f"{total} of {existing} things would go; one in five needs no person"
    return ""


def _is_newer(name: str, books: Books) -> bool:
    bot = books.bots.get(bot_of(name))
    return bot is not None and generation_of(name) > bot.generation


def _young(born: datetime | None, now: datetime, age: timedelta) -> bool:
    return born is not None and now - born < age


def _unknown(name: str) -> str:
    return "no bot of this name is known" if bot_of(name) else "its name is not one of ours"
