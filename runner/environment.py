"""What surrounds the process: the driver's variables and the signals of the machine."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runner.clock import Clock
from runner.errors import Operational
from runner.protocol import CODE_ALLOWED

_LONGEST_END = 19.0


class Stoppable(Protocol):
    """What is told of the first signal."""

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Environment:
    """What the compute driver hands a runner; ``code``: whether code strategies may run here."""

    gate: str
    bot: str
    generation: int
    token: str = field(repr=False)
    directory: Path
    source_address: str | None
    code: bool = False

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Environment:
        """Raises ``Operational`` naming every variable that is missing or wrong."""
        names = ("GATE", "BOT", "GENERATION", "TOKEN", "DIR")
        missing = [f"PLUTARC_{n}" for n in names if not variables.get(f"PLUTARC_{n}")]
        if missing:
            raise Operational(f"set {', '.join(missing)}; the compute driver does so")
        generation = variables["PLUTARC_GENERATION"]
        if not generation.isdigit():
            raise Operational(f"PLUTARC_GENERATION must be a whole number, not {generation!r}")
        return cls(
            gate=variables["PLUTARC_GATE"],
            bot=variables["PLUTARC_BOT"],
            generation=int(generation),
            token=variables["PLUTARC_TOKEN"],
            directory=Path(variables["PLUTARC_DIR"]),
            source_address=variables.get("PLUTARC_SOURCE_ADDRESS") or None,
            code=variables.get(CODE_ALLOWED) == "1",
        )


class Stopper:
    """Turns signals into an orderly end; the second one forces it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.asked = False
        self.forced = False
        self.loop: Stoppable | None = None
        running, task = asyncio.get_running_loop(), asyncio.current_task()
        for number in (signal.SIGTERM, signal.SIGINT):
            running.add_signal_handler(number, self._on_signal, task)

    def _on_signal(self, task: asyncio.Task[object] | None) -> None:
        if task is not None:
            if self.asked:
                self.forced = True
                task.cancel()
            else:
                asyncio.get_running_loop().call_later(_LONGEST_END, task.cancel)
        self.asked = True
        self._clock.wake()
        if self.loop is not None:
            self.loop.stop()
