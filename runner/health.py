"""What makes entries unfit while trading: a wrong clock, silent data, a full disk, our own faults.

Each is said to a person once, stands as the reason in every decision, and goes by itself when the
cause does. Exits and stops go on as far as each of them allows.
"""

from __future__ import annotations

import logging
import math
import sqlite3
from datetime import timedelta

from runner.bench import Bench
from runner.custodians import Custodians
from runner.preflight import MOST_SKEW_MS
from runner.store import Store

log = logging.getLogger("runner")

CLOCK_EVERY = 60.0
CLEAN_FOR = 60.0
"""Seconds without another fault of our own after which entries are allowed again."""
DISK = (
    "the machine's disk cannot be written: no entries, and no exit is sent, because none could be "
    "recorded first; stops at the venue stay where they are"
)


class Health:
    """Keeps ``standing.troubles``."""

    def __init__(self, bench: Bench, store: Store, custodians: Custodians) -> None:
        self._bench = bench
        self._store = store
        self._custodians = custodians
        self._clock_read = -math.inf
        self._faulty_at = -math.inf

    async def look(self) -> None:
        """Once each tick. May raise as the venue does."""
        now = self._bench.clock.monotonic()
        if "disk" in self._bench.standing.troubles and self._store.can_be_written():
            self._over("disk")
        if now - self._faulty_at >= CLEAN_FOR:
            self._over("fault")
        self._look_at_data()
        if self._bench.standing.preflight_passed and now - self._clock_read >= CLOCK_EVERY:
            self._clock_read = now
            await self._look_at_clock()

    def passed(self) -> None:
        """End what a former process rang for and did not live to end; what stands now stays.

        The preflight has just read the clock and every traded symbol's candles. What it rang for
        as it ended, the platform ends itself with a clean preflight.
        """
        self._look_at_data()
        for name in ("disk", "fault", "clock", "data"):
            self._settle(name)

    def disk_failed(self, error: sqlite3.Error) -> None:
        """A step could not be recorded."""
        log.warning("disk: %s", error)
        self._trouble("disk", "alarm", "the machine's disk cannot be written", DISK)

    def failed(self, error: Exception, step: str) -> None:
        """A step ended in a way nobody foresaw; the message may hold anything, so it stays here."""
        log.error("%s failed", step, exc_info=error)
        self._faulty_at = self._bench.clock.monotonic()
        reason = f"an unexpected {type(error).__name__} in {step}"
        text = f"{reason}: no entries until it stays away for a minute; exits and stops go on"
        self._trouble("fault", "alarm", reason, text)

    async def _look_at_clock(self) -> None:
        clock = self._bench.clock
        before = clock.now()
        venue = await self._bench.market.time()
        took = clock.now() - before
        if took > 2 * timedelta(milliseconds=MOST_SKEW_MS):
            return  # an answer that slow proves nothing about either clock
        skew = round((venue - before - took / 2) / timedelta(milliseconds=1))
        if abs(skew) <= MOST_SKEW_MS:
            self._over("clock")
            return
        reason = f"the machine's clock is {skew:+d} ms off the venue's"
        text = f"{reason}: no entries until it is right; set it by NTP"
        self._trouble("clock", "warning", reason, text)

    def _look_at_data(self) -> None:
        now = self._bench.clock.now()
        for custodian in self._custodians.all():
            name = f"data of {custodian.symbol}"
            silence = custodian.silence(now)
            if silence is None:
                self._over(name)
                continue
            text = f"{silence}: no entries until it moves again; stops at the venue stay"
            self._trouble(name, "warning", silence, text)

    def _trouble(self, name: str, level: str, reason: str, text: str) -> None:
        if name in self._bench.standing.troubles:
            return
        self._bench.standing.troubles[name] = reason
        self._bench.notice(level, _code(name), text)

    def _over(self, name: str) -> None:
        if self._bench.standing.troubles.pop(name, None) is not None:
            self._settle(name)

    def _settle(self, name: str) -> None:
        """Unless another symbol's data still keeps the same alarm ringing."""
        if all(_code(other) != _code(name) for other in self._bench.standing.troubles):
            self._bench.settled(_code(name))


def _code(name: str) -> str:
    return f"trouble_{name.split(maxsplit=1)[0]}"
