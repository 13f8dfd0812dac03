"""Events of the user data stream, spelt as the venue documents them.

https://developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams, pages
Event-Order-Update, Event-Balance-and-Position-Update, Event-Algo-Order-Update and
Event-User-Data-Stream-Expired.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from app.practice.account import Account
from app.practice.instruments import TAKER_FEE
from app.practice.market import Market
from app.practice.notes import ConditionalNote, MoneyNote, Note, OrderNote
from app.practice.orders import ZERO, Conditional, Income, Order, Side
from app.practice.shapes import money, plain, price_of, qty_of
from app.practice.store import Store
from app.practice.streams.listen_keys import ListenKey

Json = dict[str, Any]


class UserEvents:
    """Turns what was noted of an account into events; keeps what was realized per symbol."""

    def __init__(self, store: Store, markets: Mapping[str, Market]) -> None:
        self._store = store
        self._markets = markets
        self._realized: dict[tuple[str, str], Decimal] = {}

    def of(self, account: Account, notes: Iterable[Note], ms: int) -> Iterator[Json]:
        """In the order they happened; what became of wallet and positions comes last."""
        reasons: dict[str, list[MoneyNote]] = {}
        for note in notes:
            if isinstance(note, OrderNote):
                self._realize(note)
                yield order_update(note, account, ms)
            elif isinstance(note, ConditionalNote):
                yield conditional_update(note, ms)
            else:
                reasons.setdefault(note.reason, []).append(note)
        for reason, parts in reasons.items():
            yield self._account_update(account, reason, parts, ms)

    def _realize(self, note: OrderNote) -> None:
        """Only of symbols already asked for: others are summed from the store when they are."""
        key = (note.order.account, note.order.symbol)
        if note.fill is not None and key in self._realized:
            self._realized[key] += note.fill.realized

    def _accumulated(self, account: str, symbol: str) -> Decimal:
        key = (account, symbol)
        if key not in self._realized:
            rows = self._store.incomes(account, symbol=symbol, kind=Income.REALIZED_PNL, limit=-1)
            self._realized[key] = sum((one.amount for one in rows), ZERO)
        return self._realized[key]

    def _account_update(
        self, account: Account, reason: str, parts: list[MoneyNote], ms: int
    ) -> Json:
        symbols = dict.fromkeys(note.symbol for note in parts if note.symbol)
        if reason == "FUNDING_FEE":  # a crossed position is left out
            symbols = {one: None for one in symbols if account.setting(one).isolated}
        change = sum((note.change for note in parts), ZERO)
        wallet = {
            "a": "USDT",
            "wb": money(account.wallet),
            "cw": money(account.cross_wallet()),
            "bc": money(change) if change else "0",
        }
        positions = [self._position(account, one, ms) for one in symbols]
        update = {"m": reason, "B": [wallet], "P": positions}
        return {"e": "ACCOUNT_UPDATE", "T": ms, "E": ms, "a": update}

    def _position(self, account: Account, symbol: str, ms: int) -> Json:
        position, isolated = account.position(symbol), account.setting(symbol).isolated
        fees = 2 * TAKER_FEE * position.entry
        even = position.entry + (fees if position.qty > 0 else -fees)
        return {
            "s": symbol,
            "pa": qty_of(symbol, position.qty),
            "ep": plain(round(position.entry, 8)),
            "bep": plain(round(even, 8)),
            "cr": money(self._accumulated(account.id, symbol)),
            "up": money(position.unrealized(self._markets[symbol].mark(ms))),
            "mt": "isolated" if isolated else "cross",
            "iw": money(position.isolated),
            "ps": "BOTH",
        }

    def forget(self, account: str) -> None:
        """Nobody listens to it any more."""
        self._realized = {key: sum_ for key, sum_ in self._realized.items() if key[0] != account}


def _notional(account: Account, symbol: str, side: Side) -> str:
    resting = (one for one in account.resting(symbol) if one.side is side)
    return plain(sum((one.remaining * one.price for one in resting), ZERO))


def order_update(note: OrderNote, account: Account, ms: int) -> Json:
    order, fill = note.order, note.fill
    body: Json = {
        "s": order.symbol,
        "c": order.client_id,
        "S": order.side.value,
        "o": "LIQUIDATION" if note.what == "CALCULATED" else order.type,
        "f": order.tif,
        "q": qty_of(order.symbol, order.qty),
        "p": price_of(order.symbol, order.price),
        "ap": plain(round(order.average, 8)),
        "sp": "0",
        "x": note.what,
        "X": order.status.value,
        "i": order.id,
        "l": qty_of(order.symbol, fill.qty if fill else ZERO),
        "z": qty_of(order.symbol, order.executed),
        "L": price_of(order.symbol, fill.price) if fill else "0",
        "T": order.updated,
        "t": fill.id if fill else 0,
        "b": _notional(account, order.symbol, Side.BUY),
        "a": _notional(account, order.symbol, Side.SELL),
        "m": bool(fill and fill.maker),
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order.orig_type,
        "ps": "BOTH",
        "cp": order.close_position,
        "rp": money(fill.realized) if fill else "0",
        **_always(),
        "er": _expiry(order) if note.what == "EXPIRED" else "0",
    }
    if fill is not None and fill.fee:
        body |= {"N": "USDT", "n": money(fill.fee)}
    return {"e": "ORDER_TRADE_UPDATE", "E": ms, "T": order.updated, "o": body}


def _always() -> Json:
    """What these orders never have."""
    return {"pP": False, "si": 0, "ss": 0, "V": "NONE", "pm": "NONE", "gtd": 0}


def _expiry(order: Order) -> str:
    """Why it ended by itself: no more to take, or nothing left to reduce."""
    if order.type == "MARKET":
        return "9"
    return "2" if order.tif in ("IOC", "FOK") else "4"


def conditional_update(note: ConditionalNote, ms: int) -> Json:
    one: Conditional = note.conditional
    body = {
        "caid": one.client_id,
        "aid": one.id,
        "at": "CONDITIONAL",
        "o": one.type,
        "s": one.symbol,
        "S": one.side.value,
        "ps": "BOTH",
        "f": one.tif,
        "q": qty_of(one.symbol, one.qty),
        "X": note.status,
        "ai": str(one.order_id) if one.order_id else "",
        "tp": price_of(one.symbol, one.trigger),
        "p": price_of(one.symbol, one.price),
        "V": "NONE",
        "wt": one.working,
        "pm": "NONE",
        "cp": one.close_position,
        "pP": False,
        "R": one.reduce_only,
        "tt": one.triggered,
        "gtd": 0,
    }
    return {"e": "ALGO_UPDATE", "T": one.updated, "E": ms, "o": body}


def expired(key: ListenKey, ms: int) -> Json:
    return {"e": "listenKeyExpired", "E": str(ms), "listenKey": key.text}
