"""One conclusion as the platform keeps it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from runner.metrics.funnel import Reason
from runner.protocol import Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """What a strategy concluded on one candle.

    ``code``: the reason's number, 0 where it is not known yet. ``direction``: the side that the
    signals asked for. ``blocker``: the place in ``verdicts`` of the component that blocked, -1 for
    none; ``blocked``: what else did, without its numbers.
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

    @property
    def blocked_by(self) -> str:
        """The name of what stood against an entry; empty where nothing did."""
        if self.code == Reason.FILTERED and self.blocker >= 0:
            return self.verdicts[self.blocker].component
        return self.blocked if self.code in (Reason.FILTERED, Reason.BLOCKED) else ""
