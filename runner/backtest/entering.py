"""From a signal to an order or a refusal, in the order the runner asks; one way for all drivers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from runner.backtest.account import Account, Purpose
from runner.decision_log import DecisionLog
from runner.desk import Intent
from runner.exchange.base import Book, OrderKind
from runner.protocol import Side
from runner.sizing import size_entry


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
    quantity, cut, fault = size_entry(
        sizing,
        account.equity,
        side,
        book,
        account.instruments[wish.symbol],
        wish.distance,
        lambda worst: account.watch.room(wish.symbol, now, worst),
    )
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
