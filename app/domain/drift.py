"""How far a bot on paper strays from a backtest on the same candles, and what of it is due to what.

Trades are matched by the candle that decided their entry. All amounts in quote currency; the parts
add up to the difference exactly. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from runner.protocol import Side

ZERO = Decimal(0)
BPS = Decimal(10_000)
EXIT_LAG = timedelta(seconds=5)
"""Beside one candle, so much may lie between two exits that count as the same."""
LISTED = 100
FINE = Decimal("1e-8")


@dataclass(frozen=True)
class Deal:
    """A closed trade of either side; ``decided_at`` is the candle whose close decided it.

    Prices are averages over all fills, ``funding`` is positive when received.
    """

    symbol: str
    decided_at: datetime
    side: Side
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    fees: Decimal
    funding: Decimal
    net: Decimal
    closed_at: datetime
    id: str = ""

    @property
    def sign(self) -> int:
        """1 long, -1 short."""
        return 1 if self.side is Side.BUY else -1


@dataclass
class Parts:
    """What a difference is made of: paper less backtest, negative where paper earned less.

    ``entry`` and ``exit`` are prices of fills at the same decision; ``timing``: an exit on another
    candle; ``size``: other quantities; ``missing``, ``extra``: trades only one of the two made.
    """

    entry: Decimal = ZERO
    exit: Decimal = ZERO
    timing: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    size: Decimal = ZERO
    missing: Decimal = ZERO
    extra: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """All of it."""
        return sum(vars(self).values(), ZERO)

    def add(self, other: "Parts") -> None:
        """Sum up."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True)
class Pair:
    """One entry that both made."""

    paper: Deal
    backtest: Deal
    parts: Parts
    same_exit: bool

    @property
    def entry_bps(self) -> Decimal:
        """How much worse paper came in, in hundredths of a percent; negative is better."""
        return _worse(self.paper.entry_price, self.backtest.entry_price, self.paper.sign)

    @property
    def exit_bps(self) -> Decimal | None:
        """How much worse paper went out, where both left on the same candle."""
        if not self.same_exit:
            return None
        return _worse(self.paper.exit_price, self.backtest.exit_price, -self.paper.sign)


@dataclass
class Drift:
    """All of a stretch. ``open``: pairs of which one is not closed yet; they are left out."""

    pairs: list[Pair] = field(default_factory=list)
    missing: list[Deal] = field(default_factory=list)
    extra: list[Deal] = field(default_factory=list)
    open: int = 0
    parts: Parts = field(default_factory=Parts)
    paper_net: Decimal = ZERO
    backtest_net: Decimal = ZERO

    @property
    def difference(self) -> Decimal:
        """What paper earned more than the backtest."""
        return self.paper_net - self.backtest_net


def compare(
    paper: Sequence[Deal],
    backtest: Sequence[Deal],
    span: timedelta,
    unfinished: Iterable[tuple[str, datetime]] = (),
) -> Drift:
    """Match and measure. ``unfinished``: entries (symbol, candle) of trades that are still open."""
    still, found = set(unfinished), Drift()
    theirs = {(it.symbol, it.decided_at): it for it in backtest}
    for mine in paper:
        key = mine.symbol, mine.decided_at
        other = theirs.get(key)
        if other is not None and other.side is mine.side:
            del theirs[key]
            found.pairs.append(_pair(mine, other, span))
        elif key in still:
            found.open += 1
        else:
            found.extra.append(mine)
    for key, other in theirs.items():
        if key in still:
            found.open += 1
        else:
            found.missing.append(other)
    _sum_up(found)
    return found


def _sum_up(found: Drift) -> None:
    for pair in found.pairs:
        found.parts.add(pair.parts)
    found.parts.extra = sum((it.net for it in found.extra), ZERO)
    found.parts.missing = -sum((it.net for it in found.missing), ZERO)
    ours = [pair.paper for pair in found.pairs] + found.extra
    theirs = [pair.backtest for pair in found.pairs] + found.missing
    found.paper_net = sum((it.net for it in ours), ZERO)
    found.backtest_net = sum((it.net for it in theirs), ZERO)


def _pair(paper: Deal, backtest: Deal, span: timedelta) -> Pair:
    """The parts of one pair; what is left after prices, fees and funding is the size."""
    same = abs(paper.closed_at - backtest.closed_at) <= span + EXIT_LAG
    scale = paper.quantity / backtest.quantity
    moved = paper.sign * paper.quantity
    entry = _fine(-moved * (paper.entry_price - backtest.entry_price))
    out = _fine(moved * (paper.exit_price - backtest.exit_price))
    fees = _fine(scale * backtest.fees - paper.fees)
    funding = _fine(paper.funding - scale * backtest.funding)
    rest = paper.net - backtest.net - entry - out - fees - funding
    parts = Parts(
        entry=entry,
        exit=out if same else ZERO,
        timing=ZERO if same else out,
        fees=fees,
        funding=funding,
        size=rest,
    )
    return Pair(paper, backtest, parts, same)


def _fine(amount: Decimal) -> Decimal:
    """Cut, so that averages that never end leave the sum of the parts exact."""
    return amount.quantize(FINE)


def _worse(price: Decimal, expected: Decimal, sign: int) -> Decimal:
    return sign * (price - expected) / expected * BPS


def _mean(numbers: list[Decimal]) -> Decimal | None:
    return sum(numbers, ZERO) / len(numbers) if numbers else None


def plain(found: Drift, balance: Decimal) -> dict[str, Any]:
    """As it is stored: sums and the first pairs, JSON-safe. ``balance``: what it began with."""
    exits = [bps for pair in found.pairs if (bps := pair.exit_bps) is not None]
    return {
        "matched": len(found.pairs),
        "missing": len(found.missing),
        "extra": len(found.extra),
        "open": found.open,
        "balance": f"{balance:f}",
        "paper_net": f"{found.paper_net:f}",
        "backtest_net": f"{found.backtest_net:f}",
        "parts": {name: f"{value:f}" for name, value in vars(found.parts).items()},
        "entry_bps": _told(_mean([pair.entry_bps for pair in found.pairs])),
        "exit_bps": _told(_mean(exits)),
        "same_exits": len(exits),
        "rows": _rows(found)[:LISTED],
    }


def _rows(found: Drift) -> list[dict[str, Any]]:
    """Each entry of either, the newest first."""
    rows = [_row(pair.paper, pair.backtest, pair) for pair in found.pairs]
    rows += [_row(deal, None, None) for deal in found.extra]
    rows += [_row(None, deal, None) for deal in found.missing]
    return sorted(rows, key=lambda it: (it["at"], it["symbol"]), reverse=True)


def _row(paper: Deal | None, backtest: Deal | None, pair: Pair | None) -> dict[str, Any]:
    known = paper or backtest
    assert known is not None
    return {
        "at": known.decided_at.isoformat(),
        "symbol": known.symbol,
        "side": known.side.value,
        "trade": paper.id if paper else "",
        "paper": f"{paper.net:f}" if paper else None,
        "backtest": f"{backtest.net:f}" if backtest else None,
        "entry_bps": _told(pair.entry_bps) if pair else None,
        "exit_bps": _told(pair.exit_bps) if pair else None,
        "fees": f"{pair.parts.fees:f}" if pair else None,
        "funding": f"{pair.parts.funding:f}" if pair else None,
        "same_exit": pair.same_exit if pair else None,
    }


def _told(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:.4f}"
