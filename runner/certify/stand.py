"""The runner's own market, broker, journal and desk at one venue, without a strategy."""

from __future__ import annotations

import asyncio
import importlib.util
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from runner.bench import Bench
from runner.certify.verdict import Unexpected
from runner.clock import Clock
from runner.desk import Desk, Intent
from runner.entries import Standing
from runner.errors import Operational, Temporary, UnknownOutcome
from runner.exchange.base import OrderKind, OrderReport
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.listener import listener_of
from runner.exchange.quirks.catalog import VENUES
from runner.journal import Journal
from runner.memory import Memory
from runner.outbox import Outbox
from runner.protocol import Configuration, Credentials, Mode, Order, OrderStatus, Side
from runner.store import Store

BOT = "certification"
"""The same in every run, so that a run knows the orders that an earlier one left."""

UNSURE = (OrderStatus.PLANNED, OrderStatus.SENT, OrderStatus.UNKNOWN)
AT_WORK = (OrderStatus.OPEN, OrderStatus.PARTIAL)
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Place:
    """Where a certification takes place, and with what."""

    exchange: str
    symbol: str
    directory: Path
    credentials: Credentials = field(repr=False)
    endpoint: str | None = None
    source_address: str | None = None

    @property
    def quote(self) -> str:
        return self.symbol.rpartition(":")[2]

    def configuration(self, run: str) -> Configuration:
        return Configuration(
            bot=BOT,
            bot_name="Certification",
            run=run,
            mode=Mode.TESTNET,
            exchange=self.exchange,
            market_type="linear",
            symbols=(self.symbol,),
            strategy="",
            strategy_version=0,
            rules={},
            quote=self.quote,
            endpoint=self.endpoint,
            streams=True,
        )


class Stand:
    """Open from one restart to the next; what is on the disk outlives it. No request is made yet.

    ``tell``: hears in one line what a step is doing. ``traded``: whether an order may exist.
    """

    def __init__(self, place: Place, tell: Callable[[str], None]) -> None:
        self.place, self.tell, self.traded = place, tell, False
        self.clock = Clock()
        self._run = uuid.uuid4().hex
        self._began: datetime = self.clock.now() - timedelta(minutes=1)
        self.patience = timedelta(seconds=10)
        self._open()

    @property
    def symbol(self) -> str:
        return self.place.symbol

    def _open(self) -> None:
        configuration = self.place.configuration(self._run)
        if importlib.util.find_spec(f"ccxt.async_support.{VENUES[self.place.exchange]}") is None:
            raise Operational(f"this bundle was not built for {self.place.exchange}")
        self.store = Store(self.place.directory / "journal.sqlite")
        memory = Memory(self.store, configuration, 1, {}, self._began)
        outbox = Outbox(self.store, 1, 1)
        exchange, venue, endpoint = connect(
            configuration, self.place.credentials, self.place.source_address
        )
        self.market = CcxtMarket(exchange, venue, endpoint)
        self.listener = listener_of(configuration, exchange, venue, endpoint, "1m")
        self.broker = CcxtBroker(exchange, venue, configuration.quote)
        self.bench = Bench(
            bot=BOT,
            generation=1,
            configuration=configuration,
            market=self.market,
            broker=self.broker,
            journal=Journal(self.store, outbox),
            outbox=outbox,
            memory=memory,
            standing=Standing((), 0, 0),
            clock=self.clock,
        )
        self.desk = Desk(self.bench)

    async def close(self) -> None:
        await self.market.close()
        self.store.close()

    async def restart(self) -> None:
        """Forget all but the disk, as a process does that was killed."""
        await self.close()
        self._open()
        await self.market.open((self.symbol,))

    def intent(
        self,
        name: str,
        side: Side,
        quantity: Decimal,
        kind: OrderKind = OrderKind.MARKET,
        price: Decimal | None = None,
        *,
        reduce_only: bool = False,
    ) -> Intent:
        """``name`` is the order's: the same one twice is the same order."""
        return Intent(
            decision="certification",
            leg=name,
            symbol=self.symbol,
            side=side,
            kind=kind,
            quantity=quantity,
            purpose="certification",
            reason=f"certification: {name}",
            price=price,
            reduce_only=reduce_only,
        )

    async def send(self, intent: Intent) -> Order:
        """Submit, and take no answer for a failure: also where the order was found afterwards."""
        self.traded = True
        order = await self.desk.submit(intent)
        if order.status is OrderStatus.REJECTED:
            raise (Temporary if self.desk.passing else Operational)(order.reason)
        if order.status in UNSURE:
            why = order.reason
            order = await self.known(order)
            raise UnknownOutcome(f"{why}; asked for by its id: {told(order)}")
        return order

    async def known(self, order: Order) -> Order:
        """Wait until it is known what became of it, as long as the venue may take."""
        return await self._until(order, lambda one: one.status not in UNSURE)

    async def over(self, order: Order) -> Order:
        """Wait until it is at work no more. Raises ``Unexpected``."""
        found = await self._until(order, lambda one: one.status not in (*UNSURE, *AT_WORK))
        if found.status in (*UNSURE, *AT_WORK):
            raise Unexpected(f"the order should be over by now; {told(found)}")
        return found

    async def _until(self, order: Order, enough: Callable[[Order], bool]) -> Order:
        deadline = self.clock.monotonic() + self.patience.total_seconds()
        deadline += self.broker.unseen_after.total_seconds()
        while True:
            await self.desk.settle()
            order = self.desk.order(order.client_id) or order
            if enough(order) or self.clock.monotonic() > deadline:
                return order
            await self.clock.sleep(_LOOK_SECONDS)

    async def resting(self) -> list[OrderReport]:
        """What rests at the venue with the mark of a certification."""
        found = await self.broker.open_orders(self.symbol)
        return [one for one in found if self.desk.is_ours(one.client_id)]

    async def flatten(self) -> None:
        """Close what this run's fills add up to. Raises as the venue does, or ``Unexpected``."""
        for _ in range(3):
            await self.desk.settle()
            held = self.desk.books.quantity(self.symbol)
            if not held:
                break
            side = Side.SELL if held > 0 else Side.BUY
            name = f"way out {uuid.uuid4().hex[:8]}"
            order = await self.send(self.intent(name, side, abs(held), reduce_only=True))
            await self.over(order)
        await self.balanced(Decimal(0))

    async def balanced(self, expected: Decimal) -> None:
        """Wait until venue and fills both say what has to be held. Raises ``Unexpected``."""
        deadline = self.clock.monotonic() + self.patience.total_seconds()
        while True:
            await self.desk.settle()
            held, booked = self.desk.quantity(self.symbol), self.desk.books.quantity(self.symbol)
            if held == booked == expected:
                return
            if self.clock.monotonic() > deadline:
                raise Unexpected(
                    f"the position should be {expected:f}; the venue says {held:f}, "
                    f"the recorded fills {booked:f}"
                )
            await asyncio.sleep(_LOOK_SECONDS)


def told(order: Order) -> str:
    """An order in a few words."""
    if order.status in UNSURE:
        return "nobody knows what became of it"
    if order.status is OrderStatus.REJECTED:
        return order.reason or "the venue never received it"
    return f"it is {order.status}, {order.filled:f} of {order.quantity:f} filled"
