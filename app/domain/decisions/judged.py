"""One conclusion as the platform keeps it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from runner.metrics.funnel import Reason
from runner.protocol import Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """What a strategy concluded on one candle, or on a signal from outside that came after it.

    ``code``: the reason's number, 0 where it is not known yet. ``direction``: the side that the
    signals asked for. ``blocker``: the place in ``verdicts`` of the component that blocked, -1 for
    none; ``blocked``: what else did, without its numbers. ``signal``: the id of the signal; empty
    where the candle's close asked.
    """

    candle_at: datetime
    close: Decimal
    action: str
    reason: str
    verdicts: tuple[Verdict, ...]
    code: int = 0
    direction: int = 0
    blocker: int = -1
    blocked: str = ""
    signal: str = ""

    @property
    def key(self) -> tuple[datetime, str, bool]:
        """Unlike that of any other of its run and symbol, in the order they are shown.

        A candle comes before the signals after it. A signal for the other side leaves a position
        first and then enters: two decisions, the second of which is the entry.
        """
        return self.candle_at, self.signal, bool(self.signal) and self.action.startswith("enter")

    @property
    def blocked_by(self) -> str:
        """The name of what stood against an entry; empty where nothing did."""
        if self.code == Reason.FILTERED and self.blocker >= 0:
            return self.verdicts[self.blocker].component
        return self.blocked if self.code in (Reason.FILTERED, Reason.BLOCKED) else ""
