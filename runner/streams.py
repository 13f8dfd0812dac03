"""Streams as wake-ups: they say when to ask the venue, and the answers alone are believed.

Requests go on as without them. Where a request shows what a stream should have told, or nothing
comes any more, the stream is taken for broken and listened to anew, later and later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from runner.clock import Clock
from runner.errors import Operational, RunnerError, Temporary
from runner.exchange.listener import Ears, Listener
from runner.protocol import Candle, Hearing

log = logging.getLogger("runner")

TOLD_WITHIN = 5.0
"""Seconds a stream may be behind, or ahead of, what a request shows."""
QUIET_SECONDS = 60.0
"""After so long without a word, a request tells whether there was anything to say."""
MOST_PER_MINUTE = 30
"""Looks at the account that streams may add to those that are due anyway."""
LEAST_GAP = 0.2
LOOK_SECONDS = 1.0
STEADY_SECONDS = 60.0
"""Who stood so long begins with short pauses again."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_REFUSED_PAUSE = 300.0


class Candles(Protocol):
    async def __call__(self, symbol: str, timeframe: str, limit: int) -> list[Candle]: ...


class Streams(Ears):
    """One venue's streams. ``missed``: something may have been, as it began anew."""

    def __init__(self, clock: Clock, listener: Listener | None = None) -> None:
        self._clock = clock
        self._listener = listener
        self._task: asyncio.Task[None] | None = None
        self._pending = self.missed = False
        self._woken: deque[float] = deque()
        self._last_wake = self._stood_at = -LEAST_GAP
        self._account_at = self._heard_at = -TOLD_WITHIN
        self._owed: dict[str, float] = {}
        self._newest: dict[str, tuple[datetime, float]] = {}
        self._failures = 0
        self.use = Hearing.REQUESTS
        self.why = "not connected yet" if listener else "streams are switched off or not offered"

    # -- what the loop asks and tells -----------------------------------------------------------

    def start(self, candles: Candles, timeframe: str) -> None:
        """Begin to listen, once."""
        if self._listener is not None and self._task is None:
            self._task = asyncio.create_task(self._run(candles, timeframe))

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def take(self) -> bool:
        """Whether the account should be read now, because something was heard of it."""
        if not self._pending or not self._affordable():
            return False
        self._pending = False
        self._woken.append(self._clock.monotonic())
        return True

    def take_missed(self) -> bool:
        """Whether all has to be compared, as a stream was away; once each time."""
        missed, self.missed = self.missed, False
        return missed

    def fill_read(self) -> None:
        """A request showed a fill: the stream has told of it by now, or will within a moment."""
        now = self._clock.monotonic()
        private = self._listener is not None and self._listener.private
        if private and self._stands() and now - self._account_at > TOLD_WITHIN:
            self._owed.setdefault("a fill", now + TOLD_WITHIN)

    def candle_read(self, symbol: str, opened_at: datetime) -> None:
        """A request showed a candle that is closed: the stream has told of it, or soon will."""
        heard = self._newest.get(symbol)
        if self._stands() and (heard is None or heard[0] < opened_at):
            due = self._clock.monotonic() + TOLD_WITHIN
            self._owed.setdefault(f"a candle of {symbol}", due)

    # -- what the listener tells ----------------------------------------------------------------

    def standing(self) -> None:
        self._stood_at = self._heard_at = self._clock.monotonic()
        self.missed = self._failures > 0
        self.use, self.why = Hearing.STREAMS, ""
        log.info("listening to the venue's streams")
        self.account()

    def candle(self, symbol: str, opened_at: datetime, volume: float) -> None:
        self._heard_at = self._clock.monotonic()
        before = self._newest.get(symbol)
        if before is not None and opened_at < before[0]:
            return  # late, and known already
        self._newest[symbol] = (opened_at, volume)
        if before is None or opened_at > before[0]:
            self._owed.pop(f"a candle of {symbol}", None)
        if before is not None and opened_at > before[0]:
            self._wake()  # a newer one has begun: the one before is closed

    def account(self) -> None:
        self._account_at = self._heard_at = self._clock.monotonic()
        self._owed.pop("a fill", None)
        self._pending = True
        if self._affordable():
            self._wake()

    # -- inside ---------------------------------------------------------------------------------

    def _stands(self) -> bool:
        return self.use is Hearing.STREAMS

    def _affordable(self) -> bool:
        """Whether one more look stays within what streams may cost; else the next due one does."""
        now = self._clock.monotonic()
        while self._woken and now - self._woken[0] >= 60:
            self._woken.popleft()
        return len(self._woken) < MOST_PER_MINUTE

    def _wake(self) -> None:
        """At once, but for a burst only once."""
        now = self._clock.monotonic()
        rest = self._last_wake + LEAST_GAP - now
        if rest <= 0:
            self._last_wake = now
            self._clock.wake()
        elif self._last_wake <= now:
            self._last_wake = now + rest
            asyncio.get_running_loop().call_later(rest, self._clock.wake)

    async def _run(self, candles: Candles, timeframe: str) -> None:
        while True:
            try:
                await self._listened(candles, timeframe)
            except RunnerError as error:
                pause = self._broken(error)
            except Exception as error:
                log.exception("listening failed")
                pause = self._broken(Temporary(f"an unexpected {type(error).__name__}"))
            await asyncio.sleep(pause)

    async def _listened(self, candles: Candles, timeframe: str) -> None:
        """Listen and look after it, until one of the two ends."""
        assert self._listener is not None
        self._newest.clear()
        self._owed.clear()
        work = (self._listener.listen(self), self._look(candles, timeframe))
        tasks = [asyncio.create_task(one) for one in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, candles: Candles, timeframe: str) -> None:
        """Once a second: what is owed, and whether a silence is one. Raises ``Temporary``."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = self._clock.monotonic()
            if not self._stands():
                continue
            late = [what for what, due in self._owed.items() if now > due]
            if late:
                raise Temporary(f"the streams did not tell of {late[0]}")
            if now - self._heard_at > QUIET_SECONDS:
                await self._compare(candles, timeframe)

    async def _compare(self, candles: Candles, timeframe: str) -> None:
        """A market in which nothing trades is quiet; a stream that keeps it back is broken."""
        quiet_since = self._heard_at
        if not self._newest:
            raise Temporary("the streams never said anything")
        for symbol in list(self._newest):
            found = await candles(symbol, timeframe, 2)
            await asyncio.sleep(LOOK_SECONDS)  # what was asked for may be on its way here as well
            asked = [(one.opened_at, float(one.volume)) for one in found[-1:]]
            if self._heard_at == quiet_since and asked and asked[0] != self._newest[symbol]:
                raise Temporary(f"the streams say nothing of {symbol}, requests do")
        self._heard_at = self._clock.monotonic()

    def _broken(self, error: RunnerError) -> float:
        """Note it; the pause before the next try."""
        now = self._clock.monotonic()
        stood = self._stands() and now - self._stood_at >= STEADY_SECONDS
        self._failures = 1 if stood else self._failures + 1
        self.use, self.why = Hearing.REQUESTS, str(error)
        log.warning("streams: %s; requests go on, and listening is tried again", error)
        return pause_after(self._failures, error, self._clock.now())


def pause_after(
    failures: int, error: RunnerError, now: datetime, luck: Callable[[], float] = random.random
) -> float:
    """Seconds: doubled each time up to a minute, never the same for two bots, never into a ban."""
    if isinstance(error, Operational):
        return _REFUSED_PAUSE * (1 + luck())
    pause = min(_FIRST_PAUSE * 2 ** min(failures - 1, 10), _LONGEST_PAUSE)
    until = error.retry_at if isinstance(error, Temporary) else None
    held = max((until - now) / timedelta(seconds=1), 0.0) if until is not None else 0.0
    return float(held + pause * (0.5 + luck() / 2))
