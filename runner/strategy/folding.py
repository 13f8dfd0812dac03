"""Base candles become candles of a higher time frame, on the grid of UTC."""

from __future__ import annotations

from runner.strategy.spec import Bar


class Fold:
    """Collects the base candles of one higher time frame.

    A candle that began before the first base candle seen is left out, as nobody knows all of it.
    Where the base candle that would end one is missing, the next one closes it first.
    """

    def __init__(self, seconds: int, base: int) -> None:
        self._seconds = float(seconds)
        self._last = float(seconds - base)
        self._start: float | None = None
        self._begun = False
        self._open = self._high = self._low = self._close = self._volume = 0.0
        self._bar: Bar | None = None

    def add(self, bar: Bar) -> list[Bar]:
        """The higher candles that are closed now: none, one, or two after a gap."""
        closed = []
        place = bar.at % self._seconds
        start = bar.at - place
        if start != self._start:
            if self._begun:
                closed.append(self._made(self._bar))
            # Only the first one may have begun unseen; later ones merely lack what was not traded.
            self._begun = self._start is not None or place == 0.0
            self._start = start
            self._open, self._high, self._low, _, self._volume = bar[:5]
        else:
            self._high = max(self._high, bar.high)
            self._low = min(self._low, bar.low)
            self._volume += bar.volume
        self._bar = bar
        if place == self._last:
            if self._begun:
                closed.append(self._made(bar))
            self._begun = False
        return closed

    def _made(self, last: Bar | None) -> Bar:
        assert last is not None
        assert self._start is not None
        return Bar(
            self._open,
            self._high,
            self._low,
            last.close,
            self._volume,
            self._start,
            last.funding,
            last.open_interest,
        )
