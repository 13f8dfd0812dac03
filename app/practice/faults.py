"""Fault switches: which faults are on, whom they meet, and when they are spent."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from typing import Any, NamedTuple

from app.practice.store import Store

_KEPT = 200  # spent faults that stay listed


class Meeting(NamedTuple):
    """A request as faults see it; ``account`` is the masked key, empty without one."""

    method: str
    path: str
    account: str
    address: str
    symbol: str


@dataclass
class Fault:
    """One switch. What ``seconds`` and ``amount`` mean depends on the kind, see ``kinds.py``.

    ``lasts_until`` is in Unix milliseconds; ``count`` is how often it may still strike.
    """

    id: str
    kind: str
    set_at: int
    match: dict[str, str] = field(default_factory=dict)
    probability: float = 1.0
    count: int | None = None
    seconds: float | None = None
    amount: float | None = None
    persist: bool = False
    lasts_until: int | None = None
    struck: int = 0

    def active(self, ms: int) -> bool:
        return self.count != 0 and (self.lasts_until is None or ms < self.lasts_until)

    def meets(self, request: Meeting) -> bool:
        return all(fnmatchcase(getattr(request, name), want) for name, want in self.match.items())


@dataclass(frozen=True)
class Ban:
    """An address that is refused until a moment, by which fault and with which status."""

    fault: str
    status: int
    until: int


class Faults:
    """All switches of one market. Chances are drawn from the seed, one sequence per fault."""

    def __init__(self, store: Store, seed: int):
        self._store = store
        self._seed = seed
        self._all: dict[str, Fault] = {}
        self._draws: dict[str, random.Random] = {}
        self._bans: dict[str, Ban] = {}
        self._numbers = count(1)
        for row in json.loads(store.meta("faults") or "[]"):
            self._put(Fault(**row))

    def new_id(self) -> str:
        return next(name for k in self._numbers if (name := f"fault-{k}") not in self._all)

    def add(self, faults: Iterable[Fault], ms: int) -> None:
        """Switch on; a fault with the id of another replaces it."""
        for fault in faults:
            self._lift_bans(fault.id)
            self._put(fault)
        spent = [one.id for one in self._all.values() if not one.active(ms)]
        for name in spent[:-_KEPT]:
            del self._all[name]
        self._save()

    def clear(self, name: str | None = None) -> int:
        """Switch off one or all; returns how many that were. What has happened stays so."""
        gone = [one for one in self._all if name in (None, one)]
        for one in gone:
            del self._all[one]
            self._lift_bans(one)
        self._save()
        return len(gone)

    def listed(self, ms: int) -> list[dict[str, Any]]:
        return [{**asdict(one), "active": one.active(ms)} for one in self._all.values()]

    def striking(self, kinds: Collection[str], request: Meeting, ms: int) -> Iterator[Fault]:
        """The faults of ``kinds`` that strike this request, in the order they were set.

        Each is used up only as it is taken, so one that ends the request spares the next ones.
        """
        for fault in list(self._all.values()):
            if fault.kind not in kinds or not fault.active(ms) or not fault.meets(request):
                continue
            if self._draws[fault.id].random() >= fault.probability:
                continue
            fault.struck += 1
            if fault.count is not None:
                fault.count -= 1
            if fault.persist:
                self._save()
            yield fault

    def ban(self, address: str, fault: Fault, ms: int) -> Ban:
        until = ms + round((fault.seconds or 0) * 1000)
        self._bans[address] = Ban(fault.id, int(fault.amount or 0), until)
        return self._bans[address]

    def banned(self, address: str, ms: int) -> Ban | None:
        ban = self._bans.get(address)
        return ban if ban is not None and ms < ban.until else None

    def _put(self, fault: Fault) -> None:
        self._all.pop(fault.id, None)
        self._all[fault.id] = fault
        self._draws[fault.id] = random.Random(f"{self._seed}:{fault.id}")  # noqa: S311  (dice)

    def _lift_bans(self, name: str) -> None:
        self._bans = {a: ban for a, ban in self._bans.items() if ban.fault != name}

    def _save(self) -> None:
        kept = json.dumps([asdict(one) for one in self._all.values() if one.persist])
        if kept != (self._store.meta("faults") or "[]"):
            with self._store.transaction():
                self._store.set_meta("faults", kept)
