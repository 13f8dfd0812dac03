"""What a strategy's class said, as the engine's parts: a signal, and an exit with a stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from runner.code.process import Answer
from runner.strategy.combination import Combination, Values
from runner.strategy.exits.base import ExitRule, tighter
from runner.strategy.spec import Bar, ComponentSpec, Holding

KIND = "code"
NOTHING_SAID = "the class asked for nothing"


@dataclass
class Voice:
    """The last answer. ``stop``: where the class wants the stop of what it holds or enters.

    ``silent``: there was none, and ``words`` say why.
    """

    wish: int = 0
    leave: bool = False
    words: str = NOTHING_SAID
    stop: Decimal | None = None
    silent: bool = False

    def take(self, answer: Answer, *, held: bool) -> None:
        """Follow an answer; nothing is entered while something is held."""
        self.wish, self.leave = (0 if held else answer.wish), answer.leave and held
        self.words, self.silent = answer.why or NOTHING_SAID, False
        if answer.stop is not None:
            self.stop = Decimal(repr(answer.stop))
        elif not held:
            self.stop = None

    def fall_silent(self, words: str) -> None:
        """There is no answer; the stop stays where it is."""
        self.wish, self.leave, self.words, self.silent = 0, False, words, True


class CodeSignal:
    """The side the class wants to enter."""

    spec: ClassVar[ComponentSpec] = ComponentSpec(
        kind=KIND,
        roles=(),  # no set of rules names it: rules with a source have it by themselves
        title="Code",
        summary="The class of a code strategy.",
        parameters=(),
        group="trend",
        directional=True,
        sentence=lambda _: "the class asks for it",
    )

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def update(self, bar: Bar) -> int | None:  # noqa: ARG002 - the class has read it
        return self._voice.wish

    def detail(self) -> str:
        return self._voice.words


class CodeExit(ExitRule):
    """Leaves where the class says so, and at the stop it has set, which only moves in favour."""

    spec: ClassVar[ComponentSpec] = CodeSignal.spec
    protective = True

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    @classmethod
    def stands_at_once(cls, params: object) -> bool:  # noqa: ARG003 - one signature for all exits
        return False

    def level(self, holding: Holding) -> Decimal | None:
        return holding.anchors.get(KIND)

    def anchor(self, holding: Holding) -> Decimal | None:
        return tighter(self._voice.stop, holding.anchors.get(KIND), holding.side)

    def check(self, holding: Holding, price: Decimal, direction: int) -> int:  # noqa: ARG002 - as above
        return int(self._voice.leave or self._is_reached(holding, price))

    def detail(self, holding: Holding, price: Decimal, direction: int) -> str:  # noqa: ARG002 - as above
        level = self.level(holding)
        if self._voice.leave or level is None:
            return self._voice.words
        verb = "reached" if self._is_reached(holding, price) else "has not reached"
        return f"price {price:f} {verb} the stop {level:.8g}"

    def _is_reached(self, holding: Holding, price: Decimal) -> bool:
        level = self.level(holding)
        return level is not None and (price - level) * holding.side <= 0


class Said(Combination):
    """The class alone decides, and says why."""

    def __init__(self, voice: Voice) -> None:
        super().__init__({"mode": "any"}, [1.0])
        self._voice = voice

    def words(self, values: Values, direction: int | None) -> str:  # noqa: ARG002 - one signature
        return self._voice.words


def stop_of(holding: Holding) -> float | None:
    """Where the class's own stop rests."""
    level = holding.anchors.get(KIND)
    return None if level is None else float(level)


def position_of(holding: Holding | None) -> Sequence[object] | None:
    """A position as the class is told of it."""
    if holding is None:
        return None
    opened = None if holding.opened_at is None else holding.opened_at.timestamp()
    price = float(holding.entry_price)
    return [holding.side, price, holding.candles, opened, stop_of(holding)]
