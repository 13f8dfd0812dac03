"""Orders and fills on disk: the intent is written before the order is sent.

An order is planned, then sent, and both are on the disk before its request leaves: the first step
is written without waiting for the disk, the second waits for both. What a killed process leaves
as planned was therefore certainly never sent, and needs no venue to say so; what is sent may have
arrived or not, and is asked for. A loss of power can take a planned order with it, never one whose
request had left.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

from runner.outbox import Outbox
from runner.protocol import EventKind, Fill, Order, OrderStatus, Side, dumps, loads
from runner.store import Store

LIVE = (
    OrderStatus.PLANNED,
    OrderStatus.SENT,
    OrderStatus.OPEN,
    OrderStatus.PARTIAL,
    OrderStatus.UNKNOWN,
)
"""Statuses of orders whose end is not known yet."""

_UNKNOWN = (OrderStatus.PLANNED, OrderStatus.SENT, OrderStatus.UNKNOWN)


def prefix_of(bot: str) -> str:
    """What every client order id of this bot begins with, on every machine it will ever have."""
    return f"pl{hashlib.sha256(bot.encode()).hexdigest()[:10]}"


def client_order_id(bot: str, run: str, decision: str, leg: str, generation: int) -> str:
    """Deterministic: one decision can never become two orders.

    32 letters and digits, the longest and plainest id that every venue takes.
    """
    return _named(bot, run, decision, leg, str(generation))


def synthetic_id(bot: str, run: str, symbol: str, *evidence: object) -> str:
    """Names what the venue must have done and does not show: the same evidence, the same id."""
    return _named(bot, run, symbol, "reconciled", *map(str, evidence))


def _named(bot: str, *parts: str) -> str:
    return prefix_of(bot) + hashlib.sha256("|".join(parts).encode()).hexdigest()[:20]


class Journal:
    """Every change is one transaction together with the event that tells of it."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """For several changes that are told together or not at all."""
        return self._store.transaction()

    def plan(self, order: Order, at: datetime) -> bool:
        """Write an intent; ``False`` if this very order was planned before.

        The next change waits for the disk, this one does not.
        """
        with self._store.transaction(flush=False) as connection:
            if not _insert(connection, order):
                return False
            self._outbox.append(EventKind.ORDER, order, at)
        return True

    def take_over(self, orders: tuple[Order, ...]) -> None:
        """Know the orders that a lost machine left in the air; the platform knows them already.

        One that was told as planned may have been sent before that could be told.
        """
        with self._store.transaction() as connection:
            for order in orders:
                planned = order.status is OrderStatus.PLANNED
                _insert(connection, replace(order, status=OrderStatus.SENT) if planned else order)

    def update(
        self, order: Order, at: datetime, *, fill_venue_id: str | None = None, **changes: Any
    ) -> Order:
        """Record a change of an order; nothing is told when nothing changed."""
        changed = replace(order, **changes)
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE orders SET status = ?, body = ?, "
                "fill_venue_id = coalesce(?, fill_venue_id) WHERE client_id = ?",
                (changed.status.value, dumps(changed), fill_venue_id or None, order.client_id),
            )
            if changed != order:
                self._outbox.append(EventKind.ORDER, changed, at)
        return changed

    def tell_again(self, since: datetime, at: datetime) -> None:
        """Tell what became of each order since then, and its fills, to a platform that forgot."""
        orders = "SELECT body FROM orders WHERE decided_at >= ? ORDER BY decided_at"
        fills = (
            "SELECT fills.body FROM fills JOIN orders USING (client_id) "
            "WHERE orders.decided_at >= ? ORDER BY fills.rowid"
        )
        with self._store.transaction() as connection:
            for (body,) in connection.execute(orders, (since.isoformat(),)).fetchall():
                self._outbox.append(EventKind.ORDER, loads(Order, body), at)
            for (body,) in connection.execute(fills, (since.isoformat(),)).fetchall():
                fill = loads(Fill, body)
                self._outbox.append(EventKind.FILL, fill, fill.at)

    def order(self, client_id: str) -> Order | None:
        return self._one("SELECT body FROM orders WHERE client_id = ?", client_id)

    def order_of_venue_id(self, venue_id: str) -> Order | None:
        return self._one("SELECT body FROM orders WHERE fill_venue_id = ?", venue_id)

    def live_orders(self) -> list[Order]:
        """Orders the venue may still act on, oldest first."""
        marks = ",".join("?" * len(LIVE))
        rows = self._store.connection.execute(
            f"SELECT body FROM orders WHERE status IN ({marks}) ORDER BY decided_at",  # noqa: S608 - only placeholders
            [status.value for status in LIVE],
        )
        return [loads(Order, body) for (body,) in rows]

    def orders_since(self, moment: datetime) -> int:
        row = self._store.connection.execute(
            "SELECT count(*) FROM orders WHERE decided_at >= ?", (moment.isoformat(),)
        ).fetchone()
        return int(row[0])

    def refused_in_a_row(self, since: datetime | None, most: int) -> int:
        """How many of the newest orders the venue refused; what is not known yet is passed over."""
        rows = self._store.connection.execute(
            "SELECT status FROM orders WHERE decided_at > ? ORDER BY decided_at DESC LIMIT ?",
            ("" if since is None else since.isoformat(), most),
        )
        known = [row[0] for row in rows if row[0] not in _UNKNOWN]
        taken = (n for n, status in enumerate(known) if status != OrderStatus.REJECTED)
        return next(taken, len(known))

    def fills_since(self, symbol: str, since: datetime) -> list[Fill]:
        """Executions of the orders on a symbol that were decided since then."""
        rows = self._store.connection.execute(
            "SELECT fills.body FROM fills JOIN orders USING (client_id) "
            "WHERE orders.symbol = ? AND orders.decided_at >= ?",
            (symbol, since.isoformat()),
        )
        return [loads(Fill, body) for (body,) in rows]

    def add_fill(self, fill: Fill) -> bool:
        """Record an execution once, whatever how often the venue repeats it."""
        with self._store.transaction() as connection:
            inserted = connection.execute(
                "INSERT OR IGNORE INTO fills VALUES (?, ?, ?, ?)",
                (fill.trade_id, fill.client_id, fill.at.isoformat(), dumps(fill)),
            )
            if inserted.rowcount == 0:
                return False
            self._outbox.append(EventKind.FILL, fill, fill.at)
        return True

    def knows_fill(self, trade_id: str) -> bool:
        row = self._store.connection.execute(
            "SELECT 1 FROM fills WHERE trade_id = ?", (trade_id,)
        ).fetchone()
        return row is not None

    def fill_venue_id(self, client_id: str) -> str | None:
        """The id that the trades of an order carry, where it is known."""
        row = self._store.connection.execute(
            "SELECT fill_venue_id FROM orders WHERE client_id = ?", (client_id,)
        ).fetchone()
        return None if row is None else row[0]

    def fills_of(self, client_id: str) -> list[Fill]:
        return self._fills("client_id = ? ORDER BY at", client_id)

    def fills_on(self, symbol: str) -> list[Fill]:
        """All fills of a symbol on this disk, oldest first."""
        return self._fills("json_extract(body, '$.symbol') = ? ORDER BY at, rowid", symbol)

    def newest_fill(self, symbol: str, side: Side) -> Fill | None:
        """The last execution of that side on a symbol."""
        row = self._store.connection.execute(
            "SELECT fills.body FROM fills JOIN orders USING (client_id) "
            "WHERE orders.symbol = ? AND json_extract(fills.body, '$.side') = ? "
            "ORDER BY fills.at DESC LIMIT 1",
            (symbol, side.value),
        ).fetchone()
        return None if row is None else loads(Fill, row[0])

    def orders_on(self, symbol: str, limit: int) -> list[Order]:
        """The newest orders of a symbol."""
        rows = self._store.connection.execute(
            "SELECT body FROM orders WHERE symbol = ? ORDER BY decided_at DESC LIMIT ?",
            (symbol, limit),
        )
        return [loads(Order, body) for (body,) in rows]

    def _fills(self, condition: str, key: str) -> list[Fill]:
        rows = self._store.connection.execute(
            f"SELECT body FROM fills WHERE {condition}",  # noqa: S608 - conditions of this module
            (key,),
        )
        return [loads(Fill, body) for (body,) in rows]

    def _one(self, query: str, key: str) -> Order | None:
        row = self._store.connection.execute(query, (key,)).fetchone()
        return None if row is None else loads(Order, row[0])


def _insert(connection: sqlite3.Connection, order: Order) -> bool:
    """Whether the order was new."""
    inserted = connection.execute(
        "INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?, NULL, ?, ?)",
        (
            order.client_id,
            order.symbol,
            order.status.value,
            order.purpose,
            order.decided_at.isoformat(),
            dumps(order),
        ),
    )
    return inserted.rowcount == 1
