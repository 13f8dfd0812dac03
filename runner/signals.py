"""External signals on their way to a decision: each is decided once or expires, and is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from runner.protocol import (
    EventKind,
    ExternalSignal,
    SignalAction,
    SignalDone,
    SignalOutcome,
    Verdict,
)
from runner.strategy.components.external import Heard

if TYPE_CHECKING:
    from runner.bench import Bench

_REMEMBERED = 200
_DIRECTIONS = {SignalAction.LONG: 1, SignalAction.SHORT: -1, SignalAction.CLOSE: 0}


@dataclass
class Waiting:
    """A signal that is still to be decided. ``deadline`` on our own monotonic clock.

    ``waits_for``: why it could not be decided yet. ``left``: what was closed for it already; then
    only the entry of the other side is to come.
    """

    signal: ExternalSignal
    deadline: float
    waits_for: str = ""
    left: str = ""


class Signals:
    """What is decided is on the disk together with what it led to, and so is never done twice."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._waiting: dict[str, Waiting] = {}

    def take(self, signals: Iterable[ExternalSignal], server_time: datetime) -> None:
        """Note what is new; the platform repeats each until it has heard what became of it."""
        now = self._bench.clock.monotonic()
        symbols = self._bench.configuration.symbols
        for signal in signals:
            if signal.id in self._waiting or signal.id in self._bench.memory.hearing.decided:
                continue
            deadline = now + (signal.expires_at - server_time).total_seconds()
            self._waiting[signal.id] = Waiting(signal, deadline)
            known = self.heard(signal.symbol)
            if signal.symbol not in symbols:
                self.tell(signal, SignalOutcome.NOTHING, f"this run does not trade {signal.symbol}")
            elif known is not None and known.at > signal.at:
                self.tell(signal, SignalOutcome.SUPERSEDED, "a newer signal came before it")

    def look(self) -> None:
        """Tell of what came too late or was overtaken by a newer one, before it was decided."""
        now = self._bench.clock.monotonic()
        for waiting in list(self._waiting.values()):
            if waiting.left and now >= waiting.deadline:
                self.settle(waiting.signal)
            elif now >= waiting.deadline:
                self._tell_late(waiting)
        for symbol in {waiting.signal.symbol for waiting in self._waiting.values()}:
            for waiting in self._of(symbol)[:-1]:
                if waiting.left:
                    self.settle(waiting.signal)
                else:
                    text = "a newer signal came before it was decided"
                    self.tell(waiting.signal, SignalOutcome.SUPERSEDED, text)

    def _tell_late(self, waiting: Waiting) -> None:
        signal = waiting.signal
        heard = self.heard(signal.symbol)
        if heard is not None and heard.id == signal.id and heard.direction:
            text = "the exchange did not answer in time; a candle may act on it while it counts"
            self.tell(signal, SignalOutcome.NOTHING, text)
        else:
            why = waiting.waits_for or "it reached the bot too late"
            self.tell(signal, SignalOutcome.EXPIRED, f"not decided in time: {why}")

    def newest(self, symbol: str) -> Waiting | None:
        """What is to be decided for a symbol, if anything is."""
        self.look()
        return next(reversed(self._of(symbol)), None)

    def hear(self, signal: ExternalSignal) -> None:
        """From now on this is what was said last about its symbol."""
        known = self._bench.memory.hearing.of(signal.symbol)
        if known is None or (known.id != signal.id and known.at <= signal.at):
            heard = Heard(signal.id, _DIRECTIONS[signal.action], signal.at)
            self._bench.memory.hearing.keep(signal.symbol, heard)
            self._bench.memory.save()

    def heard(self, symbol: str) -> Heard | None:
        """What was said last about a symbol."""
        return self._bench.memory.hearing.of(symbol)

    def spend(self, symbol: str) -> None:
        """An entry is made on what was said last; ``memory`` is to be saved with it."""
        heard = self.heard(symbol)
        if heard is not None:
            self._bench.memory.hearing.keep(symbol, replace(heard, spent=True))

    def tell(
        self,
        signal: ExternalSignal,
        outcome: SignalOutcome,
        reason: str,
        verdicts: tuple[Verdict, ...] = (),
        order: str = "",
    ) -> None:
        """What became of it. Within the transaction of what it led to, if it led to anything."""
        waiting = self._waiting.get(signal.id)
        if waiting is not None and outcome is not SignalOutcome.EXITED:
            del self._waiting[signal.id]
            reason = f"{waiting.left}; then {reason}" if waiting.left else reason
            if waiting.left and outcome is SignalOutcome.NOTHING:
                outcome = SignalOutcome.EXITED
        elif waiting is not None:
            waiting.left = reason
        self.tell_of(signal.id, outcome, reason, verdicts, order)

    def tell_of(
        self,
        signal_id: str,
        outcome: SignalOutcome,
        reason: str,
        verdicts: tuple[Verdict, ...] = (),
        order: str = "",
    ) -> None:
        """The same by its id, also of one that was decided before."""
        with self._bench.journal.transaction():
            hearing = self._bench.memory.hearing
            if signal_id not in hearing.decided:
                hearing.decided = (*hearing.decided, signal_id)[-_REMEMBERED:]
                self._bench.memory.save()
            done = SignalDone(signal_id, outcome, reason[:300], verdicts, order)
            self._bench.outbox.append(EventKind.SIGNAL, done, self._bench.clock.now())

    def settle(self, signal: ExternalSignal) -> None:
        """Nothing more is to come of it."""
        self._waiting.pop(signal.id, None)

    def _of(self, symbol: str) -> list[Waiting]:
        found = [it for it in self._waiting.values() if it.signal.symbol == symbol]
        return sorted(found, key=lambda it: it.signal.at)
