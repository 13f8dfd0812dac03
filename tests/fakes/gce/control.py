"""The cloud as a test holds it, and what a test may do to it."""

from __future__ import annotations

import json
import threading
import urllib.request
from http.server import ThreadingHTTPServer
from typing import Any, Self

from tests.fakes.gce.core import shown
from tests.fakes.gce.listing import Listing
from tests.fakes.gce.routes import answered
from tests.fakes.gce.server import Door, Fault, Held, Server
from tests.fakes.gce.store import Row
from tests.waiting import PATIENCE

REMOTE = frozenset(
    [
        "advance",
        "fault",
        "held",
        "let_go",
        "calm",
        "arrive",
        "empty",
        "fail_next",
        "stockout",
        "room",
        "reach",
        "unreach",
        "restart_host",
        "terminate",
        "write_console",
        "delete_by_hand",
        "release_by_hand",
        "snapshot",
        "calls",
        "violations",
        "problems",
        "configure",
    ]
)
"""What ``Remote`` may ask for: ``POST /_fake/<verb>`` with the arguments as JSON."""


class Cloud(Listing):
    """Starts serving at ``with``; ``url`` is its endpoint. Ends its hosts when closed."""

    def __init__(self, *args: Any, port: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.faults: list[Fault] = []
        self.late: list[tuple[str, str, dict[str, str], bytes]] = []
        self.holding: list[Held] = []
        self.closing = threading.Event()
        self.server: ThreadingHTTPServer = Server(("127.0.0.1", port), Door, self)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        for _, row in self.store.all("instance"):
            if row["status"] == "RUNNING":
                self.hosts.start(shown(row))
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        if not self._virtual:
            threading.Thread(target=self._pass_time, daemon=True).start()

    def _pass_time(self) -> None:
        while not self.closing.wait(0.02):
            with self.lock:
                if not self.closing.is_set():
                    self.settle()

    def close(self) -> None:
        if self.closing.is_set():
            return
        self.closing.set()
        self.let_go(goes_on=False)
        self.server.shutdown()
        self.server.server_close()
        self.hosts.close()
        with self.lock:
            self.store.close()

    # -- what goes wrong ----------------------------------------------------------------------

    def fault(self, match: str, mode: str, times: int = 1, **more: Any) -> None:
        """Spoil the next ``times`` exchanges that fit ``match``, a pattern of ``VERB what``:
        ``POST instances``, ``DELETE addresses``, ``GET *``, ``* operations``, ``GET aggregated``.

        Modes: ``drop_before`` and ``drop_after`` (the change is made, the answer lost), ``delay``
        and ``hang`` (``seconds``), ``hold_before`` and ``hold_after`` (until ``let_go``),
        ``error_before`` and ``error_after`` (``code``, and ``reason``, ``message``, ``info``, or
        ``html=True``), ``late`` (the connection is dropped, and the change is made at ``arrive``).
        """
        with self.lock:
            self.faults.append(Fault(match, mode, times, more))

    def arrive(self) -> None:
        """The oldest request that was held up on its way arrives; nobody waits for the answer."""
        answered(self, *self.late.pop(0))

    def hold(self, held: Held) -> bool:
        """Wait until somebody lets this exchange go; whether it goes on, or is dropped."""
        with self.lock:
            self.holding.append(held)
        held.free.wait()
        return held.goes_on

    def held(self) -> list[Row]:
        """The exchanges that wait to be let go."""
        with self.lock:
            return [it.told for it in self.holding]

    def let_go(self, *, goes_on: bool = True) -> None:
        """Let every held exchange go on, though its client may be gone; or drop it."""
        with self.lock:
            freed, self.holding = self.holding, []
        for held in freed:
            held.goes_on = goes_on
            held.free.set()

    def calm(self) -> None:
        """Forget all faults, stockouts and planned failures; every zone answers."""
        with self.lock:
            self.faults.clear()
            self.planned.clear()
            self.stockouts.clear()
            self.unreachable.clear()

    def empty(self) -> None:
        """Nothing is there and nothing was ever asked; it behaves as when it was started."""
        self.let_go(goes_on=False)
        with self.lock:
            self.calm()
            self.forget()

    def fail_next(
        self, kind: str, code: str, message: str = "It failed.", times: int = 1, **more: Any
    ) -> None:
        """Let the next operations fail: of kind address, release, insert, delete, disk or ``*``.

        ``fields=False``: without the HTTP fields.
        """
        with self.lock:
            plan = {"kind": kind, "code": code, "message": message, "times": times, **more}
            self.planned.append(plan)

    def stockout(self, *zones: str) -> None:
        """These zones have nothing to give."""
        self.stockouts.update(zones)

    def room(self, *zones: str) -> None:
        """These zones, or all, have something to give again."""
        self.stockouts.difference_update(zones or set(self.stockouts))

    def unreach(self, *scopes: str) -> None:
        """These zones or regions are missing from aggregated lists."""
        self.unreachable.update(scopes)

    def reach(self, *scopes: str) -> None:
        """These, or all, answer again."""
        self.unreachable.difference_update(scopes or set(self.unreachable))

    def configure(self, **changes: Any) -> None:
        """Change ``Behaviour`` from now on."""
        with self.lock:
            for name, value in changes.items():
                assert hasattr(self.behaviour, name), name
                setattr(self.behaviour, name, value)

    def restart_host(self, name: str) -> None:
        """The host fails: the same instance boots again, if it may, else it is switched off."""
        with self.lock:
            key, row = self._instance(name)
            self.hosts.stop(row["id"])
            if row["scheduling"].get("automaticRestart", True):
                self.run(key, row)
            else:
                row["status"] = "TERMINATED"
                self.store.put("instance", key, row)
            self.store.commit()

    def terminate(self, name: str, status: str = "TERMINATED") -> None:
        """Switch an instance off by hand; it keeps its address. Or suspend it, by ``status``."""
        with self.lock:
            key, row = self._instance(name)
            row |= {"status": status, "lastStopTimestamp": self.stamp()}
            self.store.put("instance", key, row)
            self.hosts.stop(row["id"])
            self.store.commit()

    def delete_by_hand(self, name: str) -> None:
        """Somebody deletes the instance in the console."""
        with self.lock:
            zone, _, found = self._instance(name)[0].partition("/")
            self.delete_instance(zone, found, {"verb": "hand"})
            self.store.commit()

    def release_by_hand(self, name: str) -> None:
        """Somebody releases the address in the console, at once."""
        with self.lock:
            for key, _ in self.store.all("address"):
                if key.partition("/")[2] == name:
                    self.store.drop("address", key)
            self.store.commit()

    def write_console(self, name: str, text: str) -> None:
        """Add to what the instance wrote to its serial port, where no host shows its own."""
        with self.lock:
            row = self._instance(name)[1]
            before = (self.store.get("console", row["id"]) or {"text": ""})["text"]
            self.store.put("console", row["id"], {"text": before + text})
            self.store.commit()

    def _instance(self, name: str) -> tuple[str, Row]:
        found = [it for it in self.store.all("instance") if it[0].partition("/")[2] == name]
        assert found, f"no instance {name}"
        return found[0]

    # -- what there is ------------------------------------------------------------------------

    def snapshot(self) -> dict[str, list[Row]]:
        """Everything there is now, as the API shows it: instances, addresses, disks."""
        with self.lock:
            self.settle()
            return {
                "instances": [shown(row) for _, row in self.store.all("instance")],
                "addresses": [self.with_users(row) for _, row in self.store.all("address")],
                "disks": [shown(row) for _, row in self.store.all("disk")],
                "operations": [shown(row) for _, row in self.store.all("op")],
            }

    def calls(self) -> list[Row]:
        """Every request that was to change something, in order, also those refused."""
        with self.lock:
            return [row for _, row in sorted(self.store.all("call"), key=lambda it: int(it[0]))]

    def violations(self) -> list[Row]:
        """What no client may do: one requestId for two different requests."""
        with self.lock:
            return [row for _, row in self.store.all("violation")]

    def problems(self) -> list[str]:
        """Tracebacks of hooks that failed."""
        return list(self.hosts.problems)


class Remote:
    """The verbs of ``Cloud`` for one that runs as a program of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __getattr__(self, verb: str) -> Any:
        if verb not in REMOTE:
            raise AttributeError(verb)

        def call(*args: Any, **kwargs: Any) -> Any:
            body = json.dumps([args, kwargs]).encode()
            request = urllib.request.Request(f"{self.url}/_fake/{verb}", body, method="POST")
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=PATIENCE) as answer:
                return json.load(answer)

        return call
