"""A driver for tests: answers from a script and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Iterable

from app.gateways.compute.driver import Listing, Outcome, Result, Step


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

    def machines(self) -> Listing:
        """The names it was given."""
        return Listing(self.names, complete=True)
