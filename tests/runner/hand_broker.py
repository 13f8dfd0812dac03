"""A venue in memory on which stops and limits rest, with every fault a stop can meet at hand."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from runner.errors import Operational, Temporary, UnknownOutcome
from runner.exchange.base import Account, Execution, OrderKind, OrderReport, VenuePosition
from runner.ledger import Lot, apply, signed
from runner.protocol import Check, OrderStatus, Side

RESTING = (OrderStatus.OPEN, OrderStatus.PARTIAL)


class HandBroker:
    """``away``: nothing is answered. ``refuses``: stops are. ``loses``: the answer to the next
    order ("answer"), or the order with it ("order"). ``one_stop``: no second one beside the first.
    ``hides``: the list of open orders does not show them.
    """

    protects = True
    trims = True
    unseen_after = timedelta(seconds=15)

    def __init__(self, market, clock):
        self.market, self.clock = market, clock
        self.orders, self.trades, self.lot = {}, [], Lot()
        self.away = self.refuses = self.one_stop = self.hides = False
        self.loses = None
        self.placed = []

    # -- what the test asks -----------------------------------------------------------------

    @property
    def held(self):
        return self.lot.quantity

    def stops(self):
        return [
            order
            for order in self.orders.values()
            if order.kind is OrderKind.STOP_MARKET and order.status in RESTING
        ]

    def is_covered(self):
        closing = Side.SELL if self.held > 0 else Side.BUY
        return any(
            order.side is closing and order.quantity >= abs(self.held) for order in self.stops()
        )

    def vanish(self):
        for order in self.stops():
            self._keep(replace(order, status=OrderStatus.CANCELLED))

    def reduce(self, quantity):
        """A part of the position leaves without the bot, as by a partial exit."""
        change = -quantity if self.held > 0 else quantity
        self.lot, _ = apply(self.lot, change, self.price(Side.SELL))

    def move(self, price):
        """The market goes there, and whatever stop it passes fires."""
        self.market.set([(price, 1000)], [(price + Decimal("0.1"), 1000)])
        for order in self.stops():
            beyond = price <= order.price if order.side is Side.SELL else price >= order.price
            if beyond:
                self._fill(order)

    # -- the broker -------------------------------------------------------------------------

    def snapshot(self):
        return {}

    async def check(self, _):
        return [Check("key", True, "good")]

    async def rights(self):
        """There is no key."""

    async def account(self):
        self._answer()
        return Account(Decimal(10_000), Decimal(0))

    async def positions(self):
        self._answer()
        if not self.held:
            return []
        return [VenuePosition(self.market.symbol, self.held, self.lot.entry_price)]

    async def place(self, request):
        self._answer()
        loses, self.loses = self.loses, None
        if loses == "order":
            raise UnknownOutcome("the line went dead")
        stop = request.kind is OrderKind.STOP_MARKET
        if stop and (self.refuses or (self.one_stop and self.stops())):
            raise Operational(f"the venue takes no stop now ({self.refuses})")
        if stop and self._is_passed(request):
            raise Operational("it would trigger at once")
        report = OrderReport(
            client_id=request.client_id,
            venue_id=f"v{len(self.orders) + 1}",
            symbol=request.symbol,
            side=request.side,
            kind=request.kind,
            quantity=request.quantity,
            status=OrderStatus.OPEN,
            filled=Decimal(0),
            average=None,
            price=request.price,
            reduce_only=request.reduce_only,
            fill_venue_id=f"v{len(self.orders) + 1}",
        )
        assert request.client_id not in self.orders
        self.placed.append(request)
        rests = stop or request.kind is OrderKind.LIMIT
        report = self._keep(report) if rests else self._fill(report)
        if loses == "answer":
            raise UnknownOutcome("the line went dead")
        return report

    async def cancel(self, request):
        self._answer()
        order = self.orders.get(request.client_id)
        if order is None or order.status not in RESTING:
            return None
        return self._keep(replace(order, status=OrderStatus.CANCELLED))

    async def find(self, request):
        self._answer()
        return self.orders.get(request.client_id)

    async def find_by_venue_id(self, _, venue_id):
        self._answer()
        return next((o for o in self.orders.values() if o.venue_id == venue_id), None)

    async def open_orders(self, _):
        self._answer()
        return [] if self.hides else [o for o in self.orders.values() if o.status in RESTING]

    async def flows(self, _since):
        return []

    async def executions(self, _, since):
        self._answer()
        return [trade for trade in self.trades if trade.at >= since]

    def price(self, side):
        levels = self.market.now.asks if side is Side.BUY else self.market.now.bids
        return levels[0][0]

    def _is_passed(self, request):
        price = self.price(request.side)
        return price <= request.price if request.side is Side.SELL else price >= request.price

    def _answer(self):
        if self.away:
            raise Temporary("the venue is away")

    def _keep(self, report):
        self.orders[report.client_id] = report
        return report

    def _fill(self, order):
        quantity = order.quantity
        if order.reduce_only:
            against = self.held * signed(order.side, Decimal(1)) < 0
            quantity = min(quantity, abs(self.held)) if against else Decimal(0)
        if not quantity:
            return self._keep(replace(order, status=OrderStatus.CANCELLED))
        price = self.price(order.side)
        self.lot, _ = apply(self.lot, signed(order.side, quantity), price)
        self.trades.append(
            Execution(
                trade_id=f"t{len(self.trades) + 1}",
                venue_id=order.venue_id,
                symbol=order.symbol,
                side=order.side,
                price=price,
                quantity=quantity,
                fee=Decimal(0),
                fee_currency="USDT",
                liquidity="taker",
                at=self.clock.now(),
            )
        )
        filled = replace(order, status=OrderStatus.FILLED, filled=quantity, average=price)
        return self._keep(filled)
