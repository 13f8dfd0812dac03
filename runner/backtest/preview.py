"""A run in short: few candles to draw, the trades on them, who agreed, and what blocked most.

Everything is counted from the decision log: it is what the engine concluded on each candle, and
nothing that was worked out a second time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from runner.backtest import warnings
from runner.backtest.request import Refused
from runner.backtest.result import Result
from runner.backtest.trades import Open, Trade
from runner.decision_log import DecisionLog, State, funnel
from runner.engine import Engine
from runner.history.columns import Columns
from runner.protocol import Side, to_plain
from runner.step import Reason
from runner.strategy.spec import TIMEFRAMES

CANDLES = 160
"""Drawn at most; where there are more, neighbours become one."""
TRADES = 200
"""Listed at most, the newest; where there are more, their marks are counted by the candle."""
_GAPS = 20
_ASKED = frozenset({Reason.OTHER_SIDE, Reason.FILTERED, Reason.BLOCKED, Reason.ENTERS})
"""Candles without a position on which the signals asked for a side."""


def told(result: Result) -> dict[str, Any]:
    """What a preview shows of a run on one symbol, JSON-safe. Raises ``Refused``."""
    request = result.request
    symbol, (first, last) = request.symbols[0], request.period
    history, log = result.histories[0], result.logs[symbol]
    columns = history.columns.between(first, last)
    if not len(columns):
        raise Refused("history", symbol, "the venue has no candles of this period")
    span = TIMEFRAMES[request.rules["timeframe"]]
    wide = span * -(-((columns.times[-1] - columns.times[0]) // span + 1) // CANDLES)
    trades = [_closed(trade) for trade in result.trades[-TRADES:]]
    trades += [_open(it) for it in result.account.trades.open.values() if it.quantity]
    gaps = [gap for gap in history.gaps if gap[1] > first]
    return {
        "exchange": request.exchange,
        "symbol": symbol,
        "timeframe": request.rules["timeframe"],
        "since": first,
        "until": last,
        "span": wide,
        "candles": drawn(columns, wide),
        "decimals": columns.price_scale,
        "missing": sum(b - max(a, first) for a, b in gaps) // span,
        "gaps": [[max(a, first), b] for a, b in gaps[:_GAPS]],
        "trades": trades,
        "trades_total": len(result.trades),
        "crowd": _crowd(result, columns.times[0], wide),
        "won": sum(trade.closed.net > 0 for trade in result.trades),
        "net": f"{sum((trade.closed.net for trade in result.trades), Decimal(0)):f}",
        "balance": f"{request.balance:f}",
        "quote": request.quote,
        "silent": warnings.without_rates(request, result.histories),
        "funnel": funnel(log),
        **voices(log, Engine(request.rules)),
    }


def _crowd(result: Result, start: int, wide: int) -> list[list[Any]]:
    """Orders by drawn candle, side and kind, where there are too many trades to mark each."""
    if len(result.trades) <= TRADES:
        return []
    counts = Counter[tuple[int, str, str]]()
    for trade in result.trades:
        it = trade.closed
        back = Side.SELL if it.side is Side.BUY else Side.BUY
        ended = "won" if it.net > 0 else "lost"
        for moment, side, kind in ((it.opened_at, it.side, "entry"), (it.closed_at, back, ended)):
            at = start + (int(moment.timestamp()) - start) // wide * wide
            counts[at, side.value, kind] += 1
    return [[*key, number] for key, number in sorted(counts.items())]


def drawn(columns: Columns, wide: int) -> list[list[float]]:
    """Opening time, open, high, low, close of each ``wide`` seconds; gaps stay gaps."""
    found: dict[int, list[int]] = {}
    start = columns.times[0]
    rows = zip(
        columns.times, columns.opens, columns.highs, columns.lows, columns.closes, strict=True
    )
    for at, opened, high, low, closed in rows:
        begin = start + (at - start) // wide * wide
        had = found.get(begin)
        if had is None:
            found[begin] = [opened, high, low, closed]
        else:
            had[1:] = [max(had[1], high), min(had[2], low), closed]
    scale, unit = columns.price_scale, 10**columns.price_scale
    return [[at, *(round(it / unit, scale) for it in row)] for at, row in found.items()]


@dataclass
class _Voice:
    """One signal, filter, guard or gate. ``place`` counts those of its role, from 0."""

    kind: str
    role: str
    place: int
    directional: bool
    said: Counter[int | None]
    agreed: int = 0
    entries: int = 0
    blocked: int = 0
    alone: int = 0

    def agrees(self, state: State, at: int) -> bool:
        """Whether it says what an entry in the direction of the signals needs."""
        return state.values[at] == (state.direction if self.directional else 1)


def voices(log: DecisionLog, engine: Engine) -> dict[str, Any]:
    """How often each component spoke for and against, and how often it stopped an entry.

    ``agreed`` counts candles on which the signals together asked for a side and this one did not
    differ, ``entries`` those on which it stood with an entry. ``blocked`` counts each candle on
    which a condition stood against the signals, whichever of several was looked at first;
    ``alone`` those on which nothing else did.
    """
    found, seen = list[_Voice](), Counter[str]()
    for placed in engine.components:
        found.append(
            _Voice(placed.kind, placed.role, seen[placed.role], placed.directional, Counter())
        )
        seen[placed.role] += 1
    asked, entries, outside = 0, 0, Counter[str]()
    for code, count in Counter(log.codes).items():
        state = log.states[code]
        _count(found, state, count)
        asked += count * (state.code in _ASKED)
        entries += count * (state.code == Reason.ENTERS)
        if state.code == Reason.OTHER_SIDE:
            outside["direction"] += count
        elif state.code == Reason.BLOCKED:
            outside[state.blocked] += count
    blocked = [[it.role, it.place, it.kind, it.blocked, it.alone] for it in found if it.blocked]
    blocked += [["", 0, words, count, count] for words, count in outside.items()]
    return {
        "asked": asked,
        "entries": entries,
        "components": [_spoken(it) for it in found],
        "blocked": sorted(blocked, key=lambda it: (-it[3], -it[4], it[0], it[1], it[2])),
    }


def _count(found: list[_Voice], state: State, count: int) -> None:
    for at, voice in enumerate(found):
        voice.said[state.values[at]] += count
    if state.code not in _ASKED:
        return
    against = []
    for at, voice in enumerate(found):
        if voice.agrees(state, at):
            voice.agreed += count
            voice.entries += count * (state.code == Reason.ENTERS)
        elif voice.role != "signal":
            against.append(voice)
    for voice in against:
        # What the strategy does not trade at all was stopped by nobody else.
        if state.code != Reason.OTHER_SIDE:
            voice.blocked += count
            voice.alone += count * (len(against) == 1)


def _spoken(voice: _Voice) -> dict[str, Any]:
    """``up``, ``down``, ``none``: candles it said 1, -1 and 0 on; ``unknown``: it warmed up."""
    return {
        "kind": voice.kind,
        "role": voice.role,
        "place": voice.place,
        "directional": voice.directional,
        "up": voice.said[1],
        "down": voice.said[-1],
        "none": voice.said[0],
        "unknown": voice.said[None],
        "agreed": voice.agreed,
        "entries": voice.entries,
    }


def _closed(trade: Trade) -> list[Any]:
    it = trade.closed
    return [
        to_plain(it.opened_at),
        it.side.value,
        float(round(it.entry_notional / it.quantity, 8)),
        to_plain(it.closed_at),
        float(round(it.exit_notional / it.quantity, 8)),
        f"{it.net:f}",
        it.exit_reason,
    ]


def _open(it: Open) -> list[Any]:
    paid = it.bought if it.side is Side.BUY else it.sold
    price = float(round(paid / it.largest, 8))
    return [to_plain(it.opened_at), it.side.value, price, None, None, None, ""]
