"""How a preview is shown: the drawing, who agreed, what blocked most, the trades."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from app.domain.strategy_changes import DIRECTIONS
from app.domain.venues import known
from app.web.candle_chart import Candle, Mark, candle_chart
from app.web.formatting import count, plain, symbol, words
from runner.strategy import COMPONENTS

ROLES = {
    "signal": "signal",
    "filter": "filter",
    "guard": "entry guard",
    "gate": "risk gate",
}
_OPENED, _SIDE, _ENTRY, _CLOSED, _EXIT, _NET, _REASON = range(7)


@dataclass(frozen=True)
class Voice:
    """How often a component spoke, in percent of the candles it could judge.

    ``agreed``: candles on which it stood with a side that the signals together asked for, of
    ``asked``. ``entries``: entries it stood with, of as many as there were.
    """

    title: str
    role: str
    directional: bool
    up: float
    down: float
    none: float
    agreed: int
    asked: int
    entries: int


@dataclass(frozen=True)
class Block:
    """What stopped entries: how often, and how often it did so alone."""

    title: str
    role: str
    blocked: int
    alone: int


@dataclass(frozen=True)
class Row:
    """One trade of the table; without an end it is still open."""

    opened_at: datetime
    side: str
    entry: float
    closed_at: datetime | None
    exit: float | None
    net: Decimal | None
    reason: str


@dataclass(frozen=True)
class Look:
    """All that is shown of what the runner said."""

    told: dict[str, Any]
    market: str
    period: str
    chart: Markup
    voices: list[Voice]
    blocks: list[Block]
    rows: list[Row]
    places: int

    @property
    def net_percent(self) -> Decimal:
        """The result of all closed trades, in percent of the balance they began with."""
        return Decimal(self.told["net"]) / Decimal(self.told["balance"]) * 100


def look(told: dict[str, Any], direction: str) -> Look:
    """``direction`` is that of the rules it was worked out of."""
    venue = known(told["exchange"]).title
    market = f"{symbol(told['symbol'])} at {venue}, {told['timeframe']} candles"
    first, last = (datetime.fromtimestamp(told[key], UTC) for key in ("since", "until"))
    period = f"{first:%d %b %Y %H:%M} to {last:%d %b %Y %H:%M} UTC"
    rows = [_row(it) for it in told["trades"]]
    names = _names(told["components"])
    return Look(
        told=told,
        market=market,
        period=period,
        chart=_chart(told, rows, f"{market}, {period}"),
        voices=[_voice(it, names, told) for it in told["components"]],
        blocks=[_block(it, names, direction) for it in told["blocked"]],
        rows=rows[::-1],
        places=told["decimals"],
    )


def _names(components: list[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """Titles by role and place; a second of its kind has a number."""
    seen, found = Counter[tuple[str, str]](), {}
    for it in components:
        seen[it["role"], it["kind"]] += 1
        number = seen[it["role"], it["kind"]]
        title = COMPONENTS[it["kind"]].title + (f" ({number})" if number > 1 else "")
        found[it["role"], it["place"]] = title
    return found


def _voice(it: dict[str, Any], names: dict[tuple[str, int], str], told: dict[str, Any]) -> Voice:
    known = it["up"] + it["down"] + it["none"] or 1
    up, down, none = (100 * it[key] / known for key in ("up", "down", "none"))
    title = names[it["role"], it["place"]]
    spoken = (title, ROLES[it["role"]], it["directional"], up, down, none)
    return Voice(*spoken, it["agreed"], told["asked"], it["entries"])


def _block(it: list[Any], names: dict[tuple[str, int], str], direction: str) -> Block:
    role, place, kind, blocked, alone = it
    if role:
        return Block(names[role, place], ROLES[role], blocked, alone)
    title = DIRECTIONS[direction] if kind == "direction" else words(kind).capitalize()
    return Block(title, "direction" if kind == "direction" else "limit", blocked, alone)


def _row(it: list[Any]) -> Row:
    closed, net = it[_CLOSED], it[_NET]
    return Row(
        datetime.fromisoformat(it[_OPENED]),
        it[_SIDE],
        it[_ENTRY],
        datetime.fromisoformat(closed) if closed else None,
        it[_EXIT],
        Decimal(net) if net is not None else None,
        it[_REASON],
    )


def _chart(told: dict[str, Any], rows: list[Row], where: str) -> Markup:
    marks = _crowd(told) if told["crowd"] else _marks(rows, told["decimals"])
    entries = count(told["entries"], "entry", "entries")
    title = f"{where}: {entries}, {count(told['trades_total'], 'closed trade')}; listed below."
    candles = [Candle(*it) for it in told["candles"]]
    places = min(told["decimals"], 6)
    return candle_chart(candles, marks, span=told["span"], title=title, places=places)


def _marks(rows: list[Row], places: int) -> list[Mark]:
    found = []
    for it in rows:
        name, at = "Long" if it.side == "buy" else "Short", int(it.opened_at.timestamp())
        entry = f"{name} entry at {plain(it.entry, places)}"
        found.append(Mark(at, it.entry, it.side, entry))
        if it.closed_at is not None and it.exit is not None and it.net is not None:
            text = f"{name} exit at {plain(it.exit, places)}: {plain(it.net, 2, sign=True)}"
            back, gain = "sell" if it.side == "buy" else "buy", it.net > 0
            end = int(it.closed_at.timestamp())
            found.append(Mark(end, it.exit, back, text, gain, (at, it.entry)))
    return found


def _crowd(told: dict[str, Any]) -> list[Mark]:
    """One mark for all orders of a candle, a side and a kind."""
    found = []
    for at, side, kind, number in told["crowd"]:
        if kind == "entry":
            name = "long entry" if side == "buy" else "short entry"
            text, gain = count(number, name, f"{name[:-1]}ies"), None
        else:
            name = "long exit" if side == "sell" else "short exit"
            text, gain = f"{count(number, name)} that {kind}", kind == "won"
        found.append(Mark(at, 0.0, side, text, gain))
    return found
