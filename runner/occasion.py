"""What a decision is made on, and what became of a signal from outside by it."""

from __future__ import annotations

from dataclasses import dataclass

from runner.protocol import Candle, ExternalSignal, SignalOutcome
from runner.step import Conclusion
from runner.strategy.components.external import ExternalDirection

DONE = {
    "enter_long": SignalOutcome.ENTERED,
    "enter_short": SignalOutcome.ENTERED,
    "exit": SignalOutcome.EXITED,
    "none": SignalOutcome.NOTHING,
}


@dataclass(frozen=True)
class Occasion:
    """What is decided on: a candle that closed, or a signal from outside that came after it."""

    candle: Candle
    signal: ExternalSignal | None = None

    @property
    def name(self) -> str:
        """Unique among those of a symbol: an order's id is made of it."""
        return self.candle.opened_at.isoformat() if self.signal is None else self.signal.id


def speaks(conclusion: Conclusion) -> bool:
    """Whether a signal from outside is among those that ask for this."""
    own = (ExternalDirection.spec.kind, "signal", conclusion.direction)
    return any((it.component, it.role, it.value) == own for it in conclusion.verdicts)
