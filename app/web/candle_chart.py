"""Candles with marks as SVG, drawn on the server: no script, and right at every width.

The plot stretches to its box, text and marks do not: prices and times stand in drawings of their
own beside it, and a mark is placed by percent. Whoever shows a chart shows a table of its marks
too; the title says the rest in words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from math import floor, log10

from markupsafe import Markup, escape

from app.web.formatting import plain

MOST = 160
"""Candles drawn; where there are more, neighbours become one: 2 px each on a phone."""
_SIDE = 1000
_ROOM = 0.09
"""Of the height, above the highest and below the lowest candle: marks stand there."""
_LINES = 5
_TIMES = 4
_BODY, _LEAST = 0.72, 3


@dataclass(frozen=True)
class Candle:
    """Prices between ``at``, seconds since the epoch, and the next candle."""

    at: int
    open: float
    high: float
    low: float
    close: float


@dataclass(frozen=True)
class Mark:
    """An entry or an exit. ``text`` says it in words: "Long entry at 100.5".

    ``side`` is that of the order, ``buy`` or ``sell``. ``gain`` is what an exit came to, ``None``
    for an entry. ``since`` is where the position of an exit began, moment and price; a line is
    drawn from there.
    """

    at: int
    price: float
    side: str
    text: str
    gain: bool | None = None
    since: tuple[int, float] | None = None


def candle_chart(
    candles: Sequence[Candle], marks: Iterable[Mark], *, span: int, title: str, places: int = 2
) -> Markup:
    """The whole drawing; ``candles`` oldest first, not empty.

    Args:
        candles: at least one.
        marks: those outside the candles' time are not drawn.
        span: seconds of one candle.
        title: what it shows, in words: what a screen reader reads.
        places: decimals of a price, at most.
    """
    frame = _Frame.around(candles, span)
    seen = [mark for mark in marks if frame.first <= mark.at <= frame.last]
    lines, times = frame.prices(), frame.moments()
    grid = [f"M0 {frame.y(it):.0f}H{_SIDE}" for it in lines]
    grid += [f"M{frame.x(it):.0f} 0V{_SIDE}" for it in times]
    field = [_path("candles-grid", grid), _bars(frame, rising=True), _bars(frame, rising=False)]
    field += [_leg(frame, mark) for mark in seen]
    signs = [_sign(frame, mark) for mark in seen]
    # Everything but title, texts and labels, which are escaped, is numbers and words of this file.
    return Markup(  # noqa: S704 -- see above
        '<div class="candles"><svg class="candles-plot" role="img" width="100%" height="100%">'
        f"<title>{escape(title)}</title>"
        f'<svg viewBox="0 0 {_SIDE} {_SIDE}" preserveAspectRatio="none" width="100%" height="100%"'
        f' aria-hidden="true">{"".join(field)}</svg>{"".join(signs)}</svg>'
        f'<svg class="candles-prices" aria-hidden="true">{_price_labels(frame, lines, places)}'
        "</svg>"
        f'<svg class="candles-times" aria-hidden="true">{_time_labels(frame, times)}</svg></div>'
    )


def width(candles: Sequence[Candle], span: int, most: int = MOST) -> int:
    """Seconds of a drawn candle: the least multiple of ``span`` that leaves at most ``most``."""
    return span * -(-((candles[-1].at - candles[0].at) // span + 1) // most)


def merged(candles: Sequence[Candle], wide: int) -> list[Candle]:
    """Neighbours within ``wide`` seconds as one; gaps stay."""
    first = candles[0].at
    found: dict[int, Candle] = {}
    for it in candles:
        at = first + (it.at - first) // wide * wide
        had = found.get(at)
        if had is None:
            found[at] = Candle(at, it.open, it.high, it.low, it.close)
        else:
            high, low = max(had.high, it.high), min(had.low, it.low)
            found[at] = Candle(at, had.open, high, low, it.close)
    return list(found.values())


@dataclass(frozen=True)
class _Frame:
    """Where moments and prices lie in the plot; x and y from 0 to ``_SIDE``."""

    candles: list[Candle]
    first: int
    last: int
    low: float
    high: float
    wide: float

    @classmethod
    def around(cls, candles: Sequence[Candle], span: int) -> "_Frame":
        """Holds all of them, with room for marks above and below."""
        wide = width(candles, span)
        drawn = merged(candles, wide)
        first, last = drawn[0].at, drawn[-1].at + wide
        low, high = min(it.low for it in drawn), max(it.high for it in drawn)
        room = (high - low) * _ROOM or high * 0.01 or 1.0
        return cls(drawn, first, last, low - room, high + room, _SIDE * wide / (last - first))

    def x(self, at: float) -> float:
        return _SIDE * (at - self.first) / (self.last - self.first)

    def y(self, price: float) -> float:
        inside = min(max(price, self.low), self.high)
        return _SIDE * (self.high - inside) / (self.high - self.low)

    def middle(self, at: int) -> float:
        """The x of the candle that holds a moment."""
        return min(self.x(self.candle_at(at).at) + self.wide / 2, _SIDE)

    def candle_at(self, at: int) -> Candle:
        """The one that holds a moment."""
        return max((it for it in self.candles if it.at <= at), key=lambda it: it.at)

    def prices(self) -> list[float]:
        """Round prices for the lines across."""
        rough = (self.high - self.low) / _LINES
        unit = 10.0 ** floor(log10(rough))
        step = next(unit * many for many in (1, 2, 5, 10) if unit * many >= rough)
        start = floor(self.low / step) + 1
        found = [number * step for number in range(start, start + 2 * _LINES)]
        # A label needs half its height above and below it.
        return [it for it in found if 30 < self.y(it) < _SIDE - 30 and it < self.high]

    def moments(self) -> list[int]:
        """Evenly spread moments for the lines upward, on candles."""
        wide = (self.last - self.first) / _TIMES
        return [self.candle_at(int(self.first + wide * (it + 0.5))).at for it in range(_TIMES)]


def _bars(frame: _Frame, *, rising: bool) -> str:
    tone = "up" if rising else "down"
    chosen = [it for it in frame.candles if (it.close >= it.open) is rising]
    wicks, bodies = [], []
    for it in chosen:
        middle, half = frame.x(it.at) + frame.wide / 2, frame.wide * _BODY / 2
        top, base = frame.y(max(it.open, it.close)), frame.y(min(it.open, it.close))
        tall = max(base - top, _LEAST)
        wicks.append(f"M{middle:.1f} {frame.y(it.high):.0f}V{frame.y(it.low):.0f}")
        bodies.append(f"M{middle - half:.1f} {top:.0f}h{2 * half:.1f}v{tall:.0f}h-{2 * half:.1f}z")
    return _path(f"candles-wick candles-{tone}", wicks) + _path(
        f"candles-body candles-{tone}", bodies
    )


def _leg(frame: _Frame, mark: Mark) -> str:
    """The line from where a position began to where it ended."""
    if mark.since is None:
        return ""
    at, price = max(mark.since[0], frame.first), mark.since[1]
    line = (
        f"M{frame.x(at):.1f} {frame.y(price):.0f}L{frame.x(mark.at):.1f} {frame.y(mark.price):.0f}"
    )
    return _path(f"candles-leg {_tone(mark)}", (line,))


def _sign(frame: _Frame, mark: Mark) -> str:
    """A triangle enters, a square leaves; a buy stands below its candle, a sell above."""
    candle, buys = frame.candle_at(mark.at), mark.side == "buy"
    at = frame.middle(mark.at)
    y = frame.y(candle.low if buys else candle.high)
    if mark.gain is None:
        shape = "M0 3 5 12H-5z" if buys else "M0-3 5-12H-5z"
    else:
        shape = "M-3.5 4h7v7h-7z" if buys else "M-3.5-11h7v7h-7z"
    return (
        f'<svg class="candles-mark {_tone(mark)}" x="{at / 10:.2f}%" y="{y / 10:.2f}%">'
        f'<title>{escape(mark.text)}</title><path d="{shape}"/></svg>'
    )


def _tone(mark: Mark) -> str:
    return "tone-entry" if mark.gain is None else "tone-good" if mark.gain else "tone-bad"


def _path(look: str, pieces: Iterable[str]) -> str:
    line = "".join(pieces)
    return f'<path class="{look}" d="{line}"/>' if line else ""


def _price_labels(frame: _Frame, lines: list[float], places: int) -> str:
    """With the decimals that tell one line from the next, ``places`` at most."""
    step = min((b - a for a, b in pairwise(lines)), default=1.0)
    places = min(places, max(-floor(log10(step) + 1e-9), 0))
    return "".join(
        f'<text x="6" y="{frame.y(it) / 10:.2f}%" dy="0.35em">{plain(it, places)}</text>'
        for it in lines
    )


def _time_labels(frame: _Frame, times: list[int]) -> str:
    long = frame.last - frame.first > _TIMES * 86_400
    # Days without a leading zero; hours keep theirs, or midnight would be nothing at all.
    form = "%-d %b" if long else "%-d %b %H:%M" if frame.last - frame.first > 86_400 else "%H:%M"
    return "".join(
        f'<text x="{frame.x(it) / 10:.2f}%" y="1.1em" text-anchor="middle">'
        f"{datetime.fromtimestamp(it, UTC).strftime(form)}</text>"
        for it in times
    )
