"""What a trader works with, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.clock import Clock
from runner.entries import Standing
from runner.exchange.base import Broker, Market
from runner.guard import Guard
from runner.journal import Journal
from runner.memory import Memory
from runner.outbox import Outbox
from runner.protocol import OVER, Configuration, EventKind, Notice
from runner.signals import Signals
from runner.streams import Streams


@dataclass
class Bench:
    """One bot's belongings on this machine."""

    bot: str
    generation: int
    configuration: Configuration
    market: Market
    broker: Broker
    journal: Journal
    outbox: Outbox
    memory: Memory
    standing: Standing
    clock: Clock
    guard: Guard = field(init=False)
    signals: Signals = field(init=False)
    streams: Streams = field(init=False)
    _said: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.guard = Guard(self)
        self.signals = Signals(self)
        self.streams = Streams(self.clock)  # that hears nothing

    def notice(self, level: str, code: str, text: str, *, once: bool = False) -> None:
        """Tell a person once, not every second; ``once``: also where the words are others."""
        if self._said.get(code) != text and not (once and self._said.get(code)):
            self._said[code] = text
            self.say(level, code, text)

    def say(self, level: str, code: str, text: str) -> None:
        """Tell a person, however often it was told before."""
        self.outbox.append(EventKind.NOTICE, Notice(level, code, text), self.clock.now())

    def settled(self, code: str) -> None:
        """The trouble is over, or was so at the start; should it come back, it is told again."""
        self.notice(OVER, code, "")
