"""Judges again what a bot has judged, on the candles it saw, and says where the two differ.

The engine is fed as the bot's was: warmed up anew where a process began or candles were missing,
with the position the bot held. What the platform does not keep is not compared and is named:
funding and open interest, and prices between two candles, which trailing exits follow.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

from runner.backtest.lane import moment
from runner.backtest.position import Position, moving
from runner.backtest.request import Request
from runner.backtest.seen import Held, Judged, Seen
from runner.bars import bar_of
from runner.engine import Engine
from runner.protocol import to_plain
from runner.step import ACTIONS, NOTHING, Step
from runner.strategy import warmup
from runner.strategy.registry import COMPONENTS
from runner.strategy.spec import Holding
from runner.trader import SHOWN_AT_START

MOST_LISTED = 20
_TOLD_EVERY = 2_000
Tell = Callable[[str, int, int], None]


def compared(request: Request, found: list[Seen], tell: Tell) -> dict[str, Any]:
    """How many conclusions are equal, and the first that are not.

    ``compared`` are ``equal`` and ``differing``; ``held_back`` of the equal ones are entries that
    the strategy wanted and a limit, a window or a pause stopped. ``unfit`` were candles that nobody
    could judge, ``unread`` are those whose warm-up was not kept, ``rewritten`` those that the venue
    told otherwise afterwards.
    """
    total, done = sum(len(one.judged) for one in found), 0
    counts: Counter[str] = Counter()
    differences: list[dict[str, Any]] = []
    left_out: set[str] = set()
    for one in found:
        again = _Again(request.rules, one)
        left_out |= again.left_out
        for judged in one.judged:
            verdict, step = again.judge(judged)
            counts[verdict] += 1
            done += 1
            if done % _TOLD_EVERY == 0:
                tell("parity", done, total)
            if verdict == DIFFERS and step is not None:
                differences.append(again.told(judged, step))
        counts["rewritten"] += again.rewritten
    tell("parity", total, total)
    differences.sort(key=lambda it: (it["at"], it["symbol"]))
    equal = counts[EQUAL] + counts[HELD_BACK]
    return {
        "judged": total,
        "compared": equal + counts[DIFFERS],
        "equal": equal,
        "differing": counts[DIFFERS],
        "held_back": counts[HELD_BACK],
        "unfit": counts[UNFIT],
        "unread": counts[UNREAD],
        "rewritten": counts["rewritten"],
        "left_out": sorted(left_out),
        "differences": differences[:MOST_LISTED],
    }


EQUAL, HELD_BACK, DIFFERS = "equal", "held_back", "differs"
UNFIT, UNREAD = "unfit", "unread"


class _Again:
    """An engine beside the one the bot had, on one symbol."""

    def __init__(self, rules: dict[str, Any], seen: Seen) -> None:
        self._rules = rules
        self._seen = seen
        self._engine = Engine(rules)
        self._span = self._engine.candle_seconds
        self._times = [int(candle.opened_at.timestamp()) for candle in seen.candles]
        self._opened = [one.opened for one in seen.held]
        self._need = warmup(rules)
        self._read = 0
        self._before: Judged | None = None
        self._rewritten_at = -inf
        self.rewritten = 0
        self._holds: tuple[Held, Position] | None = None
        components, exits = self._engine.components, self._engine.exits
        self._comparable = [COMPONENTS[it.kind].group != "funding" for it in components]
        self._fixed = [not moves for moves in moving(self._engine)]
        kept = (*self._comparable, *self._fixed)
        kinds = (*(it.kind for it in components), *(it.kind for it in exits))
        self.left_out = {kind for kind, whole in zip(kinds, kept, strict=True) if not whole}

    def judge(self, judged: Judged) -> tuple[str, Step | None]:
        """What comes of one candle; the step where there is one."""
        place = bisect_left(self._times, judged.at)
        if not judged.values or self._times[place : place + 1] != [judged.at]:
            self._before = None
            return (UNFIT if not judged.values else UNREAD), None
        if self._begins_anew(judged):
            self._warm(place)
        self._before = judged
        self._read += 1
        if self._seen.candles[place].close != judged.close:
            self._rewritten_at, self.rewritten = judged.at, self.rewritten + 1
        holding = self._holding(judged, place)
        step = self._engine.on_bar(bar_of(self._seen.candles[place]), holding)
        verdict = self._verdict(judged, step, held=holding is not None)
        if verdict == DIFFERS and self._read < self._need:
            return UNREAD, step
        return verdict, step

    def told(self, judged: Judged, step: Step) -> dict[str, Any]:
        """A difference as it is shown.

        ``rewritten``: this candle, or one that its indicators still know, is kept otherwise than
        the bot judged it, as the venue told it anew afterwards.
        """
        return {
            "symbol": self._seen.symbol,
            "at": judged.at,
            "action": ACTIONS[step.action],
            "reason": step.reason(),
            "verdicts": to_plain(step.verdicts()),
            "rewritten": judged.at - self._rewritten_at <= self._need * self._span,
        }

    def _begins_anew(self, judged: Judged) -> bool:
        """Whether another process judged this candle, or the same after a gap."""
        before = self._before
        if before is None or judged.at != before.at + self._span:
            return True
        starts, closed = self._seen.starts, before.at + self._span
        place = bisect_left(starts, closed)
        return place < len(starts) and starts[place] <= judged.at + self._span

    def _warm(self, place: int) -> None:
        """As a bot does that begins: with the candles right before, as many as it asks for."""
        most, first = max(self._need, SHOWN_AT_START) + 1, place
        while first and place - first < most:
            if self._times[first - 1] != self._times[first] - self._span:
                break
            first -= 1
        self._engine = Engine(self._rules)
        self._engine.warm(self._seen.candles[first:place])
        self._read = place - first

    def _holding(self, judged: Judged, place: int) -> Holding | None:
        """The position the bot held as this candle closed, as far as fills tell of it."""
        if judged.fired is None:
            return None
        held = self._held(judged.at + self._span)
        if held is None or (held.closed is not None and held.closed < judged.at):
            return None
        if self._holds is None or self._holds[0] is not held:
            opened = moment(held.decided + self._span)
            position = Position(held.side, held.entry_price, held.decided, opened)
            self._holds = held, position
        position = self._holds[1]
        candle = self._seen.candles[place]
        position.note(candle.high if held.side > 0 else candle.low)
        age = (judged.at - held.decided) // self._span
        return position.holding(max(age, 0), self._engine, anchored=True)

    def _held(self, at: float) -> Held | None:
        """The newest position that was open when a candle closed, or closed a moment before."""
        place = bisect_right(self._opened, at + self._span)
        return self._seen.held[place - 1] if place else None

    def _verdict(self, judged: Judged, step: Step, *, held: bool) -> str:
        if not self._same(judged.values, step.values, self._comparable):
            return DIFFERS
        if judged.fired is not None:
            fired = step.fired if held else None
            return EQUAL if fired is None or self._left(judged, fired) else DIFFERS
        known = all(
            kept or a == b
            for kept, a, b in zip(self._comparable, judged.values, step.values, strict=True)
        )
        wanted = ACTIONS[step.action]
        if not known or judged.action == wanted:
            return EQUAL
        return HELD_BACK if judged.action == ACTIONS[NOTHING] else DIFFERS

    def _left(self, judged: Judged, fired: list[int]) -> bool:
        """Whether the exits that candles can tell of said the same, and the bot followed."""
        assert judged.fired is not None
        followed = (judged.action == "exit") == (1 in judged.fired)
        return followed and self._same(judged.fired, fired, self._fixed)

    @staticmethod
    def _same(one: Any, other: Any, kept: list[bool]) -> bool:
        if len(one) != len(other):
            return False
        return all(a == b for a, b, keep in zip(one, other, kept, strict=True) if keep)


def period(request: Request, found: list[Seen]) -> Request:
    """The request for the stretch that was judged, with what was kept to warm up on."""
    span = Engine(request.rules).candle_seconds
    firsts = [one.judged[0].at for one in found if one.judged]
    lasts = [one.judged[-1].at for one in found if one.judged]
    first, last = min(firsts), max(lasts) + span
    begins = [int(one.candles[0].opened_at.timestamp()) for one in found if one.candles]
    warm = (first - min(begins, default=first)) // span
    return replace(
        request,
        since=moment(first),
        until=moment(last),
        warm=max(warm, 0),
    )
