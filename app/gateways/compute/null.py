"""A driver for tests: answers from a script and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Iterable

from app.gateways.compute.driver import MachineState, Outcome, Result, SeenMachine, Step, Survey


class NullDriver:
    """Gives the scripted results in turn; after the last one every step is done."""

    def __init__(self, script: Iterable[Result] = (), names: tuple[str, ...] = ()) -> None:
        self.steps: list[Step] = []
        self.names = names
        self._script = list(script)

    def do(self, step: Step) -> Result:
        """The next line of the script."""
        self.steps.append(step)
        return self._script.pop(0) if self._script else Result(Outcome.DONE)

    def survey(self, regions: tuple[str, ...]) -> Survey:
        """The names it was given, as running machines of the first region."""
        home = regions[0] if regions else "local"
        return Survey(
            tuple(SeenMachine(name, home, "", MachineState.RUNNING, None) for name in self.names)
        )
