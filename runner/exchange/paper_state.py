"""What the paper venue remembers between orders, and across sleep and kill."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from runner.exchange.base import Execution, Funding, OrderReport
from runner.ledger import Lot
from runner.protocol import Flow, OrderStatus, ProtocolError, Side, from_plain

VERSION = 2
LIVE = (OrderStatus.OPEN, OrderStatus.PARTIAL)
_KEEP_FINISHED = 10
_KEEP_FLOWS = 50


@dataclass(frozen=True)
class Wait:
    """What an order at the venue waits for.

    ``due``: it meets the first picture of the book that is no older; ``None`` once it rests.
    ``since``: when it began to rest; earlier prints mean nothing to it. ``ahead``: how much of the
    displayed size was there before it; ``None`` while its price is out of sight.
    """

    due: datetime | None
    since: datetime
    ahead: Decimal | None = None
    triggered: bool = False
    post_only: bool = False


@dataclass(frozen=True)
class Taken:
    """What this account took of a level that still shows what it showed then."""

    side: Side
    price: Decimal
    shown: Decimal
    quantity: Decimal


@dataclass
class PaperState:
    """Everything the paper venue remembers; JSON-safe through ``to_plain``.

    By symbol: ``seen``, the newest print that was used; ``booked``, when the book was last read;
    ``last`` and ``marks``, the newest prices; ``taken``; ``funding``, what is paid next.
    ``marked``: whose mark the venue told; of the others it is the middle of the book.
    """

    balance: Decimal
    lots: dict[str, Lot] = field(default_factory=dict)
    orders: dict[str, OrderReport] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    seen: dict[str, datetime] = field(default_factory=dict)
    number: int = 0
    version: int = VERSION
    waits: dict[str, Wait] = field(default_factory=dict)
    booked: dict[str, datetime] = field(default_factory=dict)
    last: dict[str, Decimal] = field(default_factory=dict)
    marks: dict[str, Decimal] = field(default_factory=dict)
    marked: list[str] = field(default_factory=list)
    taken: dict[str, list[Taken]] = field(default_factory=dict)
    funding: dict[str, Funding] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)

    def keep(self, report: OrderReport, wait: Wait | None) -> None:
        """Remember an order; let go of all but the last finished ones and their fills.

        The state travels in every checkpoint, and the runner reads fills right after the order.
        """
        name = report.client_id
        if wait is not None and report.status in LIVE:
            self.waits[name] = wait
            self.orders[name] = report
            return
        self.waits.pop(name, None)
        self.orders.pop(name, None)  # it ends now, however long ago it came
        self.orders[name] = report
        finished = [i for i in self.orders if i not in self.waits]
        if len(finished) > _KEEP_FINISHED:
            self._forget(finished[:-_KEEP_FINISHED])

    def _forget(self, names: list[str]) -> None:
        """Let go of orders that have ended, and of their fills."""
        for name in names:
            del self.orders[name]
            self.refusals.pop(name, None)
        known = {order.venue_id for order in self.orders.values()}
        self.executions = [e for e in self.executions if e.venue_id in known]

    def flow(self, flow: Flow) -> None:
        """Book money that came or went without a trade."""
        self.balance += flow.amount
        self.flows = [*self.flows, flow][-_KEEP_FLOWS:]

    def live(self, symbol: str) -> list[OrderReport]:
        return [order for order, _ in self.waiting(symbol)]

    def waiting(self, symbol: str) -> list[tuple[OrderReport, Wait]]:
        """The live orders of a symbol as they came, each with its wait: who is live has one."""
        found = ((self.orders[name], wait) for name, wait in self.waits.items())
        return [(order, wait) for order, wait in found if order.symbol == symbol]

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> PaperState:
        """Of this version or the one before. Raises ``ProtocolError`` for a damaged state."""
        version = plain.get("version", 1)
        if version not in (1, VERSION):
            raise ProtocolError(f"a paper account of version {version} is not understood here")
        state = cls(
            balance=_number(plain["balance"]),
            lots=_by_name(Lot, plain["lots"]),
            orders=_by_name(OrderReport, plain["orders"]),
            executions=[from_plain(Execution, e) for e in plain["executions"]],
            seen=_moments(plain["seen"]),
            number=plain["number"],
            waits=_by_name(Wait, plain.get("waits", {})),
            booked=_moments(plain.get("booked", {})),
            last={s: _number(price) for s, price in plain.get("last", {}).items()},
            marks={s: _number(price) for s, price in plain.get("marks", {}).items()},
            marked=list(plain.get("marked", [])),
            taken={
                symbol: [from_plain(Taken, one) for one in levels]
                for symbol, levels in plain.get("taken", {}).items()
            },
            funding=_by_name(Funding, plain.get("funding", {})),
            flows=[from_plain(Flow, flow) for flow in plain.get("flows", [])],
            refusals=dict(plain.get("refusals", {})),
        )
        state._give_old_orders_a_place()
        return state

    def _give_old_orders_a_place(self) -> None:
        """What rested before queues were kept goes to the back of its price."""
        kept, self.waits = self.waits, {}
        for name, order in self.orders.items():
            if order.status not in LIVE:
                continue
            wait, since = kept.get(name), self.seen.get(order.symbol)
            if wait is None:
                if since is None:
                    raise ProtocolError(f"order {name} rests since nobody knows when")
                wait = Wait(None, since)
            self.waits[name] = wait


@dataclass(frozen=True)
class _Number:
    value: Decimal


@dataclass(frozen=True)
class _Moment:
    value: datetime


T = TypeVar("T")


def _number(plain: Any) -> Decimal:
    return from_plain(_Number, {"value": plain}).value


def _moments(plain: dict[str, Any]) -> dict[str, datetime]:
    return {name: from_plain(_Moment, {"value": at}).value for name, at in plain.items()}


def _by_name(kind: type[T], plain: dict[str, Any]) -> dict[str, T]:
    return {name: from_plain(kind, one) for name, one in plain.items()}
