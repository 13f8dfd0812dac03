"""Time, names, numbers and events of a fake cloud."""

from __future__ import annotations

import base64
import hashlib
import heapq
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.fakes.gce.behaviour import Behaviour
from tests.fakes.gce.errors import not_found
from tests.fakes.gce.hosts import Hosts
from tests.fakes.gce.store import Row, Store

API = "https://www.googleapis.com/compute/v1"
_START = datetime(2026, 1, 5, tzinfo=timezone.utc).timestamp()  # noqa: UP017
_OFFICE = timezone(timedelta(hours=-8))


class Core:
    """State, clock and pending events; every verb runs under the one lock."""

    def __init__(
        self,
        state: Path | str | None = None,
        *,
        clock: str = "real",
        seed: int = 1,
        behaviour: Behaviour | None = None,
        boot: Callable[[Row], Any] | None = None,
        halt: Callable[[Any], None] | None = None,
        **changes: Any,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        for name, value in changes.items():
            assert hasattr(self.behaviour, name), name
            setattr(self.behaviour, name, value)
        self._born = replace(self.behaviour)
        self.lock = threading.RLock()
        self.store = Store(Path(state) if state else None)
        self.stockouts: set[str] = set()
        self.unreachable: set[str] = set()
        self.planned: list[dict[str, Any]] = []
        self._virtual = clock == "virtual"
        self._seed = seed
        self._heap = [(row["at"], int(key)) for key, row in self.store.all("event")]
        heapq.heapify(self._heap)
        self.hosts = Hosts(boot, halt)

    # -- time ---------------------------------------------------------------------------------

    def now(self) -> float:
        if not self._virtual:
            return time.time()
        return float((self.store.get("meta", "clock") or {"now": _START})["now"])

    def advance(self, seconds: float) -> None:
        """Let virtual time pass, with everything that happens in it, in order."""
        assert self._virtual, "only a virtual clock can be moved"
        end = self.now() + seconds
        while True:
            with self.lock:
                if not self._heap or self._heap[0][0] > end:
                    break
                self._set_clock(max(self.now(), self._heap[0][0]))
                self.settle()
            self.hosts.wait()
        self.hosts.wait()
        with self.lock:
            self._set_clock(end)
            self.store.commit()

    def _set_clock(self, moment: float) -> None:
        self.store.put("meta", "clock", {"now": moment})

    def later(self, seconds: float, kind: str, **data: Any) -> None:
        """Note an event; it happens when its time has come and somebody looks."""
        number = self.store.count("event")
        at = self.now() + seconds
        self.store.put("event", str(number), {"at": at, "kind": kind, **data})
        heapq.heappush(self._heap, (at, number))

    def settle(self) -> None:
        """Let every event happen whose time has come."""
        while self._heap and self._heap[0][0] <= self.now():
            _, number = heapq.heappop(self._heap)
            row = self.store.get("event", str(number))
            if row is None:
                continue
            self.store.drop("event", str(number))
            data = {key: value for key, value in row.items() if key not in ("at", "kind")}
            getattr(self, f"_on_{row['kind']}")(**data)
        self.store.commit()

    def stamp(self, moment: float | None = None) -> str:
        """A time as the API writes it."""
        at = datetime.fromtimestamp(self.now() if moment is None else moment, _OFFICE)
        return at.isoformat(timespec="milliseconds")

    def forget(self) -> None:
        """Drop all rows but the clock and the counters: what is new never bears an old name."""
        self._heap.clear()
        for kind in self.store.kinds():
            if kind not in ("meta", "counter"):
                for key, _ in self.store.all(kind):
                    self.store.drop(kind, key)
        vars(self.behaviour).update(vars(self._born))
        self.store.commit()

    # -- names and numbers --------------------------------------------------------------------

    def chance(self, what: str) -> random.Random:
        """A source of chance that is the same again for the same seed and history."""
        return random.Random(f"{self._seed}/{what}/{self.store.count(f'chance {what}')}")

    def number(self) -> str:
        """An id as the API gives them: numeric, a string in JSON."""
        return str(self.chance("id").randrange(10**18, 9 * 10**18))

    def fingerprint(self, labels: dict[str, str], salt: str) -> str:
        digest = hashlib.sha256(f"{salt}{sorted(labels.items())}".encode()).digest()
        return base64.urlsafe_b64encode(digest[:8]).decode()

    def link(self, path: str) -> str:
        return f"{API}/projects/{self.behaviour.project}/{path}"

    def path(self, path: str) -> str:
        return f"projects/{self.behaviour.project}/{path}"

    def region_of(self, zone: str) -> str:
        for region, zones in self.behaviour.regions.items():
            if zone in zones:
                return region
        raise not_found(self.path(f"zones/{zone}"))

    def known_region(self, region: str) -> str:
        if region not in self.behaviour.regions:
            raise not_found(self.path(f"regions/{region}"))
        return region

    def planned_failure(self, kind: str) -> dict[str, Any] | None:
        """The failure that somebody planned for the next operation of this kind."""
        for plan in self.planned:
            if plan["kind"] in (kind, "*") and plan["times"] > 0:
                plan["times"] -= 1
                return plan
        return None


def shown(row: Row) -> Row:
    """A row as the API shows it: what is ours alone stays inside."""
    return {key: value for key, value in row.items() if not key.startswith("_")}
