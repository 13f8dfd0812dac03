"""From a signal to an order or a refusal, in the order the runner asks; one way for all drivers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from runner.backtest.account import Account, Purpose
from runner.decision_log import DecisionLog
from runner.desk import Intent
from runner.exchange.base import Book, Instrument, OrderKind
from runner.protocol import Side
from runner.sizing import entry_quantity


class Wish(NamedTuple):
    """What the strategy wants on a candle that opened at ``candle_at``.

    ``distance``: what a size by ATR risks, see ``Engine.risk_distance``; ``against``: what speaks
    against an entry and neither limits nor windows know.
    """

    symbol: str
    side: int
    reason: str
    candle_at: datetime
    distance: Decimal | None
    against: str | None = None


def enter(
    account: Account,
    sizing: dict[str, Any],
    wish: Wish,
    book: Book,
    now: datetime,
    log: DecisionLog,
) -> bool:
    """Send the entry, or write down why not; whether it was sent."""
    account.watch.look(now)
    side = Side.BUY if wish.side > 0 else Side.SELL
    price = book.asks[0][0] if side is Side.BUY else book.bids[0][0]
    quantity, cut, fault = _size(account, sizing, wish, book, now)
    intent = Intent(
        decision=f"{wish.symbol}@{wish.candle_at.isoformat()}",
        leg="entry",
        symbol=wish.symbol,
        side=side,
        kind=OrderKind.MARKET,
        quantity=quantity,
        purpose="entry",
        reason=wish.reason + cut,
    )
    refusal = (
        fault
        or wish.against
        or account.watch.standing.blocked(now, 0.0)
        or account.watch.objection(intent, now, book.worst_price(side, quantity))
    )
    if refusal is not None:
        log.refuse(refusal, cut)
        return False
    if cut:
        log.add_words(cut)
    account.send(intent, now, Purpose("entry", intent.reason, price, wish.candle_at))
    return True


def _size(
    account: Account, sizing: dict[str, Any], wish: Wish, book: Book, now: datetime
) -> tuple[Decimal, str, str | None]:
    """How much to enter with, what a limit cut it to, and why the venue would not take it."""
    if sizing["kind"] == "atr_risk" and not wish.distance:
        return Decimal(0), "", "the ATR that sizes the position is not known yet"
    side = Side.BUY if wish.side > 0 else Side.SELL
    price = book.asks[0][0] if side is Side.BUY else book.bids[0][0]
    instrument: Instrument = account.instruments[wish.symbol]
    quantity = entry_quantity(sizing, account.equity, price, instrument, wish.distance)
    most, cut = account.watch.room(wish.symbol, now, book.worst_price(side, quantity)), ""
    if most is not None and most[0] < quantity:
        quantity = instrument.round_quantity(most[0])
        cut = f", cut to {quantity:f} by the limit {most[1]}"
    return quantity, cut, instrument.fault(quantity, price, reduce_only=False)
