"""The paper account's money: fills at three prices, fees, funding, margin and its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from runner.exchange.base import Execution, Instrument, OrderReport
from runner.exchange.paper_state import PaperState
from runner.exchange.paper_terms import Margin, Terms
from runner.ledger import FLAT, Lot, apply, signed
from runner.protocol import Flow, FlowKind, OrderStatus, Side

ZERO = Decimal(0)
Rules = Callable[[str], Instrument]
"""The venue's rules for a symbol; raises ``Operational`` for one it does not list."""


class Priced(NamedTuple):
    """A quantity that trades: at the model's price, at the touch, and as bad as it may be."""

    price: Decimal
    quantity: Decimal
    optimistic: Decimal
    pessimistic: Decimal


class PaperAccount:
    """Books on a ``PaperState``; decides nothing about prices."""

    def __init__(self, state: PaperState, rules: Rules, terms: Terms) -> None:
        self._state = state
        self._rules = rules
        self._terms = terms

    def held(self, symbol: str) -> Decimal:
        return self._state.lots.get(symbol, FLAT).quantity

    def reducible(self, order: OrderReport) -> Decimal:
        """How much of the position such an order could close."""
        held = self.held(order.symbol)
        against = held > 0 if order.side is Side.SELL else held < 0
        return abs(held) if against else ZERO

    @property
    def unrealised(self) -> Decimal:
        """Open profit at the mark, as far as one is known."""
        marks, lots = self._state.marks, self._state.lots
        return sum((lot.unrealised(marks[s]) for s, lot in lots.items() if s in marks), ZERO)

    @property
    def equity(self) -> Decimal:
        return self._state.balance + self.unrealised

    def fill(
        self, order: OrderReport, parts: list[Priced], liquidity: str, why: str, at: datetime
    ) -> OrderReport:
        """The order after these executions, each booked with its fee."""
        instrument = self._rules(order.symbol)
        rate, state = self._terms.fee_rate(instrument, liquidity), self._state
        paid, filled = (order.average or ZERO) * order.filled, order.filled
        spare = ZERO
        for part in parts:
            change, fee = signed(order.side, part.quantity), part.price * part.quantity * rate
            held = state.lots.get(order.symbol, FLAT)
            lot, realised = apply(held, change, part.price)
            spare += self._spare(held, change, realised - part.price * rate * _closed(held, change))
            state.balance += realised - fee
            state.lots[order.symbol] = lot
            if not lot.quantity:
                del state.lots[order.symbol]
            state.number += 1
            execution = Execution(
                trade_id=f"paper:{at:%Y%m%d%H%M%S}:{state.number}",
                venue_id=order.venue_id,
                symbol=order.symbol,
                side=order.side,
                price=part.price,
                quantity=part.quantity,
                fee=fee,
                fee_currency=instrument.quote,
                liquidity=liquidity,
                at=at,
                reason=why,
                optimistic=part.optimistic,
                pessimistic=part.pessimistic,
            )
            state.executions.append(execution)
            paid += part.price * part.quantity
            filled += part.quantity
        self._cover(instrument.quote, -spare, at)
        status = OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIAL
        return replace(order, filled=filled, average=paid / filled, status=status)

    def fault(self, order: OrderReport, price: Decimal) -> str | None:
        """Why the venue's rules refuse an order at about this price, or ``None``."""
        instrument = self._rules(order.symbol)
        fault = instrument.fault(order.quantity, price, reduce_only=order.reduce_only)
        if fault is not None:
            return fault
        if order.quantity % instrument.step:
            return f"quantity {order.quantity:f} is no multiple of the lot {instrument.step:f}"
        if order.price is not None and (order.price <= 0 or order.price % instrument.tick):
            return f"price {order.price:f} is no multiple of the tick {instrument.tick:f}"
        return None

    def lacks_margin(self, order: OrderReport, price: Decimal) -> bool:
        """Whether all that is held and rests would be worth more than the leverage allows."""
        state, worth = self._state, ZERO
        resting = [state.orders[name] for name in state.waits if name != order.client_id]
        for symbol in {order.symbol, *state.lots, *(o.symbol for o in resting)}:
            held, buying, selling = self.held(symbol), ZERO, ZERO
            for one in [o for o in resting if o.symbol == symbol]:
                buying, selling = _add(one, buying, selling)
            if symbol == order.symbol:
                buying, selling = _add(order, buying, selling)
            value = price if symbol == order.symbol else state.marks.get(symbol, ZERO)
            worth += max(abs(held + buying), abs(held - selling)) * value
        return worth > self.equity * self._terms.leverage

    def settle_funding(self, now: datetime) -> None:
        """Pay what fell due, each time once: longs to shorts where the rate is positive.

        Of times that passed unseen, as while no machine was there, the last rate known is paid.
        """
        for symbol, funding in self._state.funding.items():
            due = funding.next_at
            if due > now:
                continue
            while due <= now:
                self.pay_funding(symbol, funding.rate, due)
                due += timedelta(hours=funding.hours)
            self._state.funding[symbol] = replace(funding, next_at=due)

    def pay_funding(self, symbol: str, rate: Decimal, due: datetime) -> None:
        """On what is held now, at the mark there is now."""
        mark, held = self._state.marks.get(symbol), self.held(symbol)
        if not held or mark is None:
            return
        name, quote = f"paper:funding:{symbol}:{due:%Y%m%d%H%M}", self._rules(symbol).quote
        amount = -held * mark * rate
        self._state.flow(Flow(name, FlowKind.FUNDING, amount, quote, due, symbol))

    def doomed(self) -> list[str]:
        """Symbols whose positions the margin carries no longer."""
        state, terms = self._state, self._terms
        if not state.lots:
            return []
        open_lots = {s: lot for s, lot in state.lots.items() if s in state.marks}
        needed = {
            symbol: abs(lot.quantity) * state.marks[symbol] * terms.maintenance
            for symbol, lot in open_lots.items()
        }
        if terms.margin is Margin.CROSS:
            total = sum(needed.values(), ZERO)
            return list(open_lots) if open_lots and self.equity <= total else []
        return [
            symbol
            for symbol, lot in open_lots.items()
            if abs(lot.cost) / terms.leverage + lot.unrealised(state.marks[symbol])
            <= needed[symbol]
        ]

    def _spare(self, held: Lot, change: Decimal, result: Decimal) -> Decimal:
        """What closing leaves of the margin that was set aside for as much; below zero: beyond it.

        What only adds closes nothing.
        """
        closed = _closed(held, change)
        if not closed:
            return ZERO
        return abs(held.cost) * closed / abs(held.quantity) / self._terms.leverage + result

    def _cover(self, quote: str, beyond: Decimal, at: datetime) -> None:
        """A loss beyond the wallet is the venue's, as its insurance fund takes it.

        So is one ``beyond`` the margin of an isolated position, which costs nothing else.
        """
        state, name = self._state, f"paper:insurance:{self._state.number}"
        if self._terms.margin is Margin.ISOLATED and beyond > 0:
            state.flow(Flow(f"{name}:own", FlowKind.OTHER, beyond, quote, at))
        if state.balance < 0 and not state.lots:
            state.flow(Flow(name, FlowKind.OTHER, -state.balance, quote, at))


def _closed(held: Lot, change: Decimal) -> Decimal:
    """How much of a position such a change closes."""
    against = held.quantity * change < 0
    return min(abs(change), abs(held.quantity)) if against else ZERO


def _add(order: OrderReport, buying: Decimal, selling: Decimal) -> tuple[Decimal, Decimal]:
    """What could still be added to either side."""
    rest = ZERO if order.reduce_only else order.quantity - order.filled
    change = signed(order.side, rest)
    return (buying + change, selling) if change > 0 else (buying, selling - change)
