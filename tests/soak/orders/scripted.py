"""A real runner whose strategy is chance: it decides at random, all the rest is the product's.

Claim, journal, desk, broker, ccxt, custodian, stops, loop, outbox and sync are those of a machine;
in place of judging candles a trader takes the next step of a script. Nothing here waits for a
second that a strategy would wait for: the loop turns at once, and ccxt's own throttle is off.
"""

import asyncio
import ctypes
import os
import random
import signal
import uuid
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal

from runner import __version__, boot, life, loop
from runner.desk import Intent
from runner.environment import Environment
from runner.exchange import ccxt, transport
from runner.exchange.base import TOP, OrderKind
from runner.memory import Entry
from runner.protocol import OrderStatus, Side
from runner.trader import Trader
from tests.runner.workshop import arm

_PR_SET_PDEATHSIG = 1
TICK_SECONDS = 0.02
DOUBT_SECONDS = 0.5
FARTHEST = 0.035
"""How far from the best price a limit rests; the market takes none farther than five percent."""
_OTHER = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
_ENDED = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED)


class ScriptedTrader(Trader):
    """Each call of ``on_candles`` is one step; ``dies`` names the kill point of a last order."""

    chance = random.Random(0)
    dies = None

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._limits = []
        self._steps = 0

    @property
    def is_warm(self):
        return True

    async def warm_up(self):
        """Decides without candles."""

    async def on_candles(self):
        self._steps += 1
        if self.dies is not None and self._steps == self.dies[1]:
            arm(self.dies[0], self._bench)
        if self._desk.behind or self._desk.unsure(self.symbol):
            await self._bench.clock.sleep(DOUBT_SECONDS)
            return
        self._own_up()
        if self._desk.quantity(self.symbol):
            await self._manage()
        else:
            await self._look_for_an_entry()

    def _own_up(self):
        """A resting entry that was filled after all is a position like any other."""
        held = self._desk.quantity(self.symbol)
        if not held or self.custodian.entry is not None:
            return
        orders = [self._desk.order(name) for name in self._limits]
        filled = [order for order in orders if order.filled and not order.reduce_only]
        if filled:
            price = self._desk.positions[self.symbol].entry_price
            now = self._bench.clock.now()
            self.custodian.keep(Entry(filled[-1].client_id, 1 if held > 0 else -1, price, now))

    # -- flat ---------------------------------------------------------------------------------

    async def _look_for_an_entry(self):
        resting = [o for o in self._desk.live(self.symbol) if not o.reduce_only]
        if resting and (self._blocked() or self.chance.random() < 0.8):
            await self._take_back(resting)
        elif self._blocked():
            await self._bench.clock.sleep(DOUBT_SECONDS / 5)
        elif self.chance.random() < 0.35:
            await self._rest_some()
        else:
            await self._enter_at_market()

    async def _rest_some(self):
        """Some limits too far away to trade; most are taken back before anyone looks."""
        book = await self._bench.market.book(self.symbol, TOP)
        side = self.chance.choice(list(Side))
        orders = []
        for number in range(self.chance.randint(2, 5)):
            away = Decimal(str(round(self.chance.uniform(0.02, FARTHEST), 4)))
            price = book.middle * (1 - away if side is Side.BUY else 1 + away)
            intent = self._intent(self._moment(), f"rest{number}", side, OrderKind.LIMIT, price)
            orders.append(await self._desk.submit(intent))
        self._limits = [order.client_id for order in orders]
        if self.chance.random() < 0.7:
            await self._take_back(orders)

    async def _enter_at_market(self):
        side = self.chance.choice(list(Side))
        book = await self._bench.market.book(self.symbol, TOP)
        intent = self._intent(self._moment(), "entry", side, OrderKind.MARKET, book.middle)
        name = self._desk.order_id(intent.decision, intent.leg)
        direction = 1 if side is Side.BUY else -1
        self.custodian.keep(Entry(name, direction, book.middle, self._bench.clock.now()))
        order = await self._desk.submit(intent)
        if self.chance.random() < 0.05:
            await self._desk.submit(intent)  # the same decision once more is the same order
        await self.custodian.finish(order)

    # -- in a position ------------------------------------------------------------------------

    async def _manage(self):
        resting = [o for o in self._desk.live(self.symbol) if o.kind == OrderKind.LIMIT]
        if resting:
            await self._take_back(resting)
            return
        draw = self.chance.random()
        if self.custodian.entry is None or draw < 0.15:
            await self._bench.clock.sleep(self.chance.random() / 4)
        elif draw < 0.45:
            await self._reduce(OrderKind.MARKET)
        elif draw < 0.6:
            await self._reduce(OrderKind.LIMIT)
        else:
            await self.custodian.leave("exit", "the script says so")

    async def _reduce(self, kind):
        """A part of it at the market, or a limit for a part, near enough to be met."""
        held = self._desk.quantity(self.symbol)
        instrument = self._bench.market.instrument(self.symbol)
        part = instrument.round_quantity(abs(held) * Decimal(self.chance.randint(2, 8)) / 10)
        if part < instrument.min_quantity:
            return
        price, side = None, Side.SELL if held > 0 else Side.BUY
        if kind is OrderKind.LIMIT:
            book = await self._bench.market.book(self.symbol, TOP)
            price = book.asks[0][0] if side is Side.SELL else book.bids[0][0]
            price = instrument.round_price(price, ROUND_HALF_EVEN)
        await self.custodian.finish(
            await self._desk.submit(
                Intent(
                    decision=self._moment(),
                    leg="part",
                    symbol=self.symbol,
                    side=side,
                    kind=kind,
                    quantity=part,
                    purpose="exit",
                    reason="the script says so",
                    price=price,
                    reduce_only=True,
                )
            )
        )

    # -- both ---------------------------------------------------------------------------------

    async def _take_back(self, orders):
        for order in orders:
            if self._desk.order(order.client_id).status not in _ENDED:
                await self._desk.cancel(order)

    def _moment(self):
        return f"{self.symbol}@{self._bench.clock.now().isoformat()}"

    def _intent(self, decision, leg, side, kind, price):
        """An entry of about one to three times the least the market takes."""
        instrument = self._bench.market.instrument(self.symbol)
        least = max(instrument.min_notional * Decimal("1.3") / price, instrument.min_quantity)
        steps = (least / instrument.step).to_integral_value(ROUND_UP)
        quantity = steps * self.chance.randint(1, 3) * instrument.step
        limit = instrument.round_price(price, ROUND_HALF_EVEN) if kind is OrderKind.LIMIT else None
        return Intent(
            decision=decision,
            leg=leg,
            symbol=self.symbol,
            side=side,
            kind=kind,
            quantity=quantity,
            purpose="entry",
            reason="the script says so",
            price=limit,
        )


def unthrottled(*arguments):
    """What the runner connects to, without ccxt's wait before each request."""
    exchange, venue, endpoint = _CONNECT(*arguments)
    exchange.enableRateLimit = False
    return exchange, venue, endpoint


_CONNECT = life.connect


def live(variables, log, seed, dies):
    """The whole life of one process, forked from one that has imported all this."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(told, 1)
    os.dup2(told, 2)
    # Siblings of one fork would all pass for the same process.
    agent = f"plutarc-runner/{__version__} (boot {uuid.uuid4().hex[:12]})"
    transport.AGENT = ccxt.AGENT = agent
    ScriptedTrader.chance, ScriptedTrader.dies = random.Random(seed), dies
    life.connect = unthrottled
    loop.Trader, loop.TICK_SECONDS = ScriptedTrader, TICK_SECONDS
    os._exit(asyncio.run(boot.run(Environment.read(variables))))
