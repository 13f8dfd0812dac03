"""What a program outside says, such as an alert of TradingView. It reads no candle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.strategy.components.parts import STATE, whole
from runner.strategy.spec import Bar, ComponentSpec, Params

_WORDS = {1: "long", -1: "short"}


@dataclass(frozen=True)
class Heard:
    """What was said last about one symbol.

    ``direction``: -1, 0 or 1; ``at``: when the platform received it; ``spent``: an entry was made
    on it.
    """

    id: str
    direction: int
    at: datetime
    spent: bool = False


class ExternalDirection:
    """1 or -1 while the newest signal from outside is long or short and still counts."""

    spec = ComponentSpec(
        "external_signal",
        STATE,
        "External signal",
        "Lets a program outside decide, such as an alert of TradingView, through the bot's signal "
        "webhook.",
        (
            whole(
                "valid",
                "Counts for",
                (1, 604_800),
                60,
                "Time since it was received; as a signal it is spent once an entry was made on it.",
                "seconds",
            ),
        ),
        group="external",
        directional=True,
        sentence=lambda p: (
            f"the newest external signal says so and is less than {p['valid']:g} seconds old"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._valid = timedelta(seconds=int(params["valid"]))
        self._value = 0
        self._said = "no external signal was received yet"

    def hear(self, heard: Heard | None, now: datetime, *, spendable: bool) -> int:
        """What it says from now on, until it is told again."""
        self._value = 0
        if heard is None:
            self._said = "no external signal was received yet"
        elif not heard.direction:
            self._said = f"the newest external signal closed ({heard.at:%d %b %H:%M:%S} UTC)"
        else:
            said = f"the external signal of {heard.at:%d %b %H:%M:%S} UTC"
            said += f" says {_WORDS[heard.direction]}"
            if heard.spent and spendable:
                self._said = f"{said}; an entry was made on it"
            elif now >= heard.at + self._valid:
                self._said = f"{said}; it counts no more"
            else:
                self._value, self._said = heard.direction, said
        return self._value

    def update(self, bar: Bar) -> int | None:  # noqa: ARG002 - it reads no candle
        return self._value

    def detail(self) -> str:
        return self._said
