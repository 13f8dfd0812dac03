"""A paper venue fed by hand, second by second."""

import json
from datetime import timedelta
from decimal import Decimal

from runner.exchange.base import Book, Funding, OrderKind, OrderRequest, PublicTrade
from runner.exchange.paper_state import LIVE, PaperState
from runner.exchange.paper_venue import PaperVenue
from runner.protocol import Side, to_plain
from tests.runner.hand_market import BTC, START, SYMBOL

BIDS = [(99.9, 1), (99.5, 2), (99.0, 5)]
ASKS = [(100.1, 1), (100.5, 2), (101.0, 5)]


def number(value):
    return Decimal(str(value))


def book(bids=BIDS, asks=ASKS):
    return Book(*(tuple((number(p), number(q)) for p, q in side) for side in (bids, asks)))


class Hand:
    """``now`` moves a second with each thing that happens, so that no two are at once."""

    def __init__(self, balance=10_000, terms=None, bids=BIDS, asks=ASKS):
        self.now = START
        self.state = PaperState(Decimal(balance))
        self.terms = terms
        self.venue = PaperVenue(self.state, lambda _: BTC, terms)
        self.count = 0
        self.picture = None
        self.show(bids, asks)

    def tick(self, seconds=1):
        self.now += timedelta(seconds=seconds)
        return self.now

    def show(self, bids=BIDS, asks=ASKS):
        self.picture = book(bids, asks)
        self.venue.on_book(SYMBOL, self.picture, self.tick())

    def print(self, price, quantity, side=None):
        side = None if side is None else Side(side)
        trade = PublicTrade(self.tick(), number(price), number(quantity), side)
        self.venue.on_trades(SYMBOL, [trade], self.now)

    def mark(self, price):
        self.venue.on_mark(SYMBOL, number(price), self.tick())

    def fund(self, rate, hours):
        due = self.now + timedelta(hours=hours)
        self.venue.on_funding(SYMBOL, Funding(number(rate), due), self.tick())
        return due

    def send(self, side, quantity, price=None, *, stop=None, latency=0, **more):
        """A market order, a limit at ``price`` or a stop at ``stop``; meets the book of now."""
        if not latency:
            self.venue.on_book(SYMBOL, self.picture, self.now)
        self.count += 1
        kind = OrderKind.MARKET if price is None else OrderKind.LIMIT
        kind = kind if stop is None else OrderKind.STOP_MARKET
        level = price if stop is None else stop
        level = None if level is None else number(level)
        self.last = more.pop("client_id", f"id{self.count}")
        request = OrderRequest(self.last, SYMBOL, Side(side), kind, number(quantity), level, **more)
        return self.venue.place(request, self.now, timedelta(seconds=latency))

    @property
    def order(self):
        """The last one sent, as it stands."""
        return self.state.orders[self.last]

    @property
    def why_not(self):
        return self.state.refusals.get(self.last)

    def resting(self):
        return [o.client_id for o in self.state.orders.values() if o.status in LIVE]

    def fills(self):
        return [(str(e.price), str(e.quantity), e.liquidity) for e in self.state.executions]

    def held(self):
        return self.venue.account.held(SYMBOL)

    def plain(self):
        return json.loads(json.dumps(to_plain(self.state)))

    def die_and_return(self):
        """Killed and started anew: only what was saved is left, then the same book is read."""
        self.state = PaperState.restore(self.plain())
        self.venue = PaperVenue(self.state, lambda _: BTC, self.terms)
        self.venue.on_book(SYMBOL, self.picture, self.state.booked[SYMBOL])
