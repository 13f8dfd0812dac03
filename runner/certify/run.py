"""One certification: the steps one after the other, then the cleaning up, whatever happened."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from runner.certify.cleaning import clean, interrupted
from runner.certify.plan import STEPS, Step
from runner.certify.stand import Place, Stand
from runner.certify.verdict import (
    GOOD,
    Cause,
    Line,
    NotOffered,
    NotShown,
    Verdict,
    cause_of,
    sentence_of,
)

Tell = Callable[[str], None]
Follow = Callable[[Sequence[Line]], None]
"""Hears all lines there are, each time there is one more."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Outcome:
    """``left``: what could not be cleaned up; ``stopped``: a signal came before the end."""

    lines: tuple[Line, ...]
    left: tuple[str, ...]
    stopped: bool

    @property
    def passed(self) -> bool:
        whole = all(line.verdict in GOOD for line in self.lines)
        return whole and not self.left and not self.stopped


async def certify(
    place: Place,
    tell: Tell,
    steps: Iterable[Step] = STEPS,
    follow: Follow = lambda _lines: None,
) -> Outcome:
    """Never raises for what the venue does, nor for a fault of the runner: the lines tell.

    The first signal ends the steps and cleans up, the second one ends that too.
    """
    stand = Stand(place, tell)
    lines: list[Line] = []
    with _Signals() as signals:
        try:
            for step in steps:
                lines.append(await _line(stand, step, lines))
                follow(lines)
        except asyncio.CancelledError:
            signals.caught()
            tell("stopped; cleans up")
        left = await _cleaned(stand, signals)
        await stand.close()
    done = {line.step for line in lines}
    now = stand.clock.now()
    rest = [
        Line(step.id, step.title, Verdict.SKIPPED, "stopped before its end", now)
        for step in steps
        if step.id not in done
    ]
    return Outcome((*lines, *rest), tuple(left), signals.count > 0)


async def _cleaned(stand: Stand, signals: _Signals) -> list[str]:
    """One signal may reach the cleaning itself; it takes a second one to end it."""
    while True:
        try:
            return await clean(stand)
        except asyncio.CancelledError:
            signals.caught()
            if signals.count > 1:
                return interrupted(stand)


async def _line(stand: Stand, step: Step, before: Iterable[Line]) -> Line:
    """Take one step and say what became of it."""
    began, start = stand.clock.now(), stand.clock.monotonic()
    cause: Cause | None = None
    missing = _missing(step, before)
    if missing:
        verdict, detail = Verdict.SKIPPED, f"not tried, as {missing} did not pass"
    else:
        stand.tell(f"{step.title} …")
        try:
            verdict, detail = Verdict.PASSED, await step.work(stand)
        except NotOffered as error:
            verdict, detail = Verdict.NOT_OFFERED, str(error)
        except NotShown as error:
            verdict, detail = Verdict.SKIPPED, str(error)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not keep orders at a venue
            verdict, detail, cause = Verdict.FAILED, sentence_of(error), cause_of(error)
        if verdict is Verdict.FAILED:
            detail = await _tidied(stand, detail)
    took = round((stand.clock.monotonic() - start) * 1000)
    line = Line(step.id, step.title, verdict, detail, began, took, cause)
    stand.tell(f"{step.title}: {verdict}: {detail}")
    return line


async def _tidied(stand: Stand, detail: str) -> str:
    """The next step must not stumble over what a failed one left."""
    left = await clean(stand)
    return f"{detail}; {left[-1]}" if left else detail


def _missing(step: Step, before: Iterable[Line]) -> str:
    """Titles of the steps this one stands on that did not pass."""
    good = {line.step for line in before if line.verdict in GOOD}
    titles = {one.id: one.title for one in STEPS}
    return " and ".join(f"“{titles[need]}”" for need in step.needs if need not in good)


class _Signals:
    """Signals that ask for an end cancel the task that entered; each is counted."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        for number in _ENDING:
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number in _ENDING:
            asyncio.get_running_loop().remove_signal_handler(number)

    def caught(self) -> None:
        """The cancellation was heard and is over."""
        if self._task is not None:
            self._task.uncancel()

    def _on_signal(self) -> None:
        self.count += 1
        if self._task is not None:
            self._task.cancel()
