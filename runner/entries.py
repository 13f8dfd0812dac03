"""Whether an entry is allowed at this moment, and if not why, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runner.protocol import Window


@dataclass
class Standing:
    """What stands between the strategy and an entry, as told by platform, person and venue.

    ``troubles``: what makes this machine or the venue's data unfit for entries just now, by name.
    ``unlisted``: symbols the venue lists no more, on which something of this bot is left.
    ``breach``: the limit that was passed; ``breach_closes``: its policy closes what is held, too.
    """

    windows: tuple[Window, ...]
    lease_deadline: float
    grace_seconds: float
    paused: bool = False
    hold: str = ""
    draining: bool = False
    stopping: bool = False
    flattening: bool = False
    reloading: bool = False
    preflight_passed: bool = False
    foreign: str | None = None
    unlisted: tuple[str, ...] = ()
    breach: str | None = None
    breach_closes: bool = False
    end_policy: str = "hold"
    quiet_minutes: int = 0
    troubles: dict[str, str] = field(default_factory=dict)

    def blocked(self, now: datetime, monotonic: float) -> str | None:
        """The first reason against an entry, or ``None``."""
        reasons = (
            (self.stopping, "the runner is stopping"),
            (not self.preflight_passed, "the preflight has not passed"),
            (self.draining, "draining"),
            (self.flattening, "flattening"),
            (self.reloading, "a new configuration is about to be loaded"),
            (self.breach is not None, self.breach or ""),
            (self.paused, "paused"),
            (bool(self.hold), f"held: {self.hold}"),
            (self.foreign is not None, self.foreign or ""),
            (bool(self.troubles), next(iter(self.troubles.values()), "")),
            (not within(self.windows, now), "outside trading window"),
            (self.quiet(now), f"the last {self.quiet_minutes} minutes of the trading window"),
            (
                monotonic > self.lease_deadline + self.grace_seconds,
                "the platform has been out of reach for longer than the grace time",
            ),
        )
        return next((reason for holds, reason in reasons if holds), None)

    def quiet(self, now: datetime) -> bool:
        """Whether the window open at ``now`` ends too soon for a new entry."""
        least = timedelta(minutes=self.quiet_minutes)
        return not any(w.opens <= now < w.closes - least for w in self.windows)

    def way_out(self, now: datetime) -> str | None:
        """Why whatever is held must be closed now, or ``None``.

        Asked again at each tick, so that a crash, a refusal or a lost answer ends nothing early.
        """
        if self.flattening:
            return "asked to flatten"
        if self.breach is not None and self.breach_closes:
            return self.breach
        if self.end_policy == "flatten" and not within(self.windows, now):
            return "the trading window has ended"
        return None


def within(windows: Iterable[Window], now: datetime) -> bool:
    """Whether ``now`` lies in one of the half-open windows."""
    return any(window.opens <= now < window.closes for window in windows)
