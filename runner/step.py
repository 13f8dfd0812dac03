"""What the engine concluded on one candle: numbers at once, words when somebody reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from runner.protocol import Verdict
from runner.strategy.combination import Combination
from runner.strategy.exits.base import ALL
from runner.strategy.registry import Placed, PlacedExit
from runner.strategy.spec import Holding

ENTER_LONG, NOTHING, ENTER_SHORT, EXIT = 1, 0, -1, 2
ACTIONS = {
    ENTER_LONG: "enter_long",
    NOTHING: "none",
    ENTER_SHORT: "enter_short",
    EXIT: "exit",
}
"""What a step wants, and its name in ``protocol.Decision``."""


class Reason(IntEnum):
    """Why a step wants what it wants; the numbers are stored and never change."""

    NOT_TRUE = 1
    """The candle's numbers contradict each other."""
    GAP = 2
    """Candles are missing before this one."""
    BROKEN = 3
    """The history must be read again first."""
    WARMING_UP = 4
    NO_SIGNAL = 5
    OTHER_SIDE = 6
    """The signals ask for a side that the strategy does not trade."""
    FILTERED = 7
    """A filter, guard or gate blocks; ``Step.blocker`` says which."""
    BLOCKED = 8
    """Something outside the strategy allows no entry now."""
    ENTERS = 9
    HOLDS = 10
    """A position is held and no exit fired."""
    LEAVES = 11


@dataclass(frozen=True)
class ExitCall:
    """An exit that fired. ``share`` of what is held is to be left, then ``steps`` are taken."""

    kind: str
    reason: str
    share: Decimal = ALL
    steps: int = 0


@dataclass(frozen=True)
class Conclusion:
    """What the strategy wants; all but ``exit`` as in ``protocol.Decision``."""

    action: str
    reason: str
    direction: int
    verdicts: tuple[Verdict, ...]
    exit: ExitCall | None = None
    code: int = Reason.NO_SIGNAL
    blocker: int = -1
    blocked: str = ""


class Step:
    """One step of an engine. The engine writes the next one over it: read it before.

    ``action`` is one of this module's; ``direction`` what the signals ask for, ``None`` while they
    warm up. ``values`` are those of ``Engine.components``, ``fired`` those of ``Engine.exits`` (1
    to leave), ``None`` without a position. ``blocker``, where ``code`` is ``FILTERED``, is the
    place in ``values`` of the first filter, guard or gate that blocks. ``missing``: candles before
    this one.
    """

    __slots__ = (
        "_combination",
        "_components",
        "_exits",
        "_only",
        "action",
        "blocked",
        "blocker",
        "close",
        "code",
        "direction",
        "fired",
        "holding",
        "missing",
        "values",
    )

    def __init__(
        self,
        components: list[Placed],
        exits: list[PlacedExit],
        combination: Combination,
        only: str,
    ) -> None:
        self._components = components
        self._exits = exits
        self._combination = combination
        self._only = only
        self.action = NOTHING
        self.code = Reason.WARMING_UP
        self.direction: int | None = None
        self.values: list[int | None] = [None] * len(components)
        self.fired: list[int] | None = None
        self.blocker = -1
        self.blocked: str | None = None
        self.holding: Holding | None = None
        self.close = 0.0
        self.missing = 0

    @property
    def price(self) -> Decimal:
        """What the candle closed at, as the venue wrote it."""
        return Decimal(repr(self.close))

    @property
    def readable(self) -> bool:
        """Whether the components read this candle at all."""
        return self.code > Reason.BROKEN

    def reason(self) -> str:
        """Why, in words."""
        return _WORDS[self.code](self)

    def verdicts(self) -> tuple[Verdict, ...]:
        """What each component said."""
        if not self.readable:
            return ()
        said = [
            Verdict(placed.kind, placed.role, value, self._detail(placed, value))
            for placed, value in zip(self._components, self.values, strict=True)
        ]
        if self.fired is not None:
            said += [
                Verdict(placed.kind, "exit", value, self._why(placed))
                for placed, value in zip(self._exits, self.fired, strict=True)
            ]
        return tuple(said)

    def exit(self) -> ExitCall | None:
        """The exit to follow: of those that fired the one that leaves most."""
        if self.action != EXIT:
            return None
        assert self.fired is not None
        assert self.holding is not None
        fired = [p for p, value in zip(self._exits, self.fired, strict=True) if value]
        most = max(fired, key=self._share)
        steps = most.rule.steps(self.holding, self.price)
        return ExitCall(most.kind, self.reason(), self._share(most), steps)

    def scored(self) -> str:
        return self._combination.words(self.values, self.direction)

    def leaving(self) -> str:
        assert self.fired is not None
        fired = zip(self._exits, self.fired, strict=True)
        return "; ".join(self._why(placed) for placed, value in fired if value)

    def filtered(self) -> str:
        placed = self._components[self.blocker]
        detail = self._detail(placed, self.values[self.blocker])
        return f"{self.scored()}, but {placed.kind} blocks: {detail}"

    def other_side(self) -> str:
        return f"{self.scored()}, but the strategy only trades {self._only}"

    def _share(self, placed: PlacedExit) -> Decimal:
        assert self.holding is not None
        return placed.rule.share(self.holding, self.price)

    def _why(self, placed: PlacedExit) -> str:
        assert self.holding is not None
        return placed.rule.detail(self.holding, self.price, self.direction or 0)

    @staticmethod
    def _detail(placed: Placed, value: int | None) -> str:
        return "warming up" if value is None else placed.component.detail()


def concluded(step: Step) -> Conclusion:
    """A step with all its words."""
    return Conclusion(
        ACTIONS[step.action],
        step.reason(),
        step.direction or 0,
        step.verdicts(),
        step.exit(),
        int(step.code),
        step.blocker if step.code is Reason.FILTERED else -1,
        step.blocked or "" if step.code is Reason.BLOCKED else "",
    )


_AGAIN = "no decision, the history is read again"
_WORDS: dict[int, Callable[[Step], str]] = {
    Reason.NOT_TRUE: lambda _: f"this candle's numbers cannot be true: {_AGAIN}",
    Reason.GAP: lambda s: f"{s.missing} candles are missing before this one: {_AGAIN}",
    Reason.BROKEN: lambda _: f"candles before this one are missing or wrong: {_AGAIN}",
    Reason.WARMING_UP: Step.scored,
    Reason.NO_SIGNAL: Step.scored,
    Reason.OTHER_SIDE: Step.other_side,
    Reason.FILTERED: Step.filtered,
    Reason.BLOCKED: lambda s: f"{s.scored()}, but {s.blocked}",
    Reason.ENTERS: Step.scored,
    Reason.HOLDS: lambda _: "no exit fired",
    Reason.LEAVES: Step.leaving,
}
