"""Drives an account through candles alone, by the declared candle model.

Within a candle the market opens, goes to the extreme against the position, then to the one in its
favour, then to the close. What moved through a level on the way trades there; what opened beyond it
trades at the opening. An order sent at a close meets the next candle's opening.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from runner.backtest.account import Account, Purpose
from runner.backtest.entering import Wish, enter
from runner.backtest.lane import Lane, moment
from runner.backtest.pictures import Pictures
from runner.backtest.position import Position, levels
from runner.backtest.request import Request
from runner.exchange.base import Book
from runner.protocol import Side
from runner.step import EXIT, NOTHING, ExitCall, Step
from runner.strategy.spec import Holding

_OPENS, _LOOKS, _DECIDES, _SETTLES = range(4)
UNFIT = "the candles since the last gap are too few"
Progress = Callable[[int], None]
"""Told how far the simulation has come, seconds since the epoch."""


@dataclass
class _Walk:
    """Where a lane stands. ``pending``: an order of its waits for the next opening.

    ``decided_at``, ``side``: of the newest entry. ``paid``: up to when funding was paid.
    """

    lane: Lane
    pictures: Pictures
    stage: int = _DECIDES
    pending: bool = False
    decided_at: int = 0
    side: int = 0
    paid: int = 0


class CandleRun:
    """All lanes of one account, each thing in the order of time."""

    def __init__(self, request: Request, account: Account, lanes: list[Lane]) -> None:
        self._request = request
        self._account = account
        account.doubt = request.model.spread_percent / 200
        self._walks = [
            _Walk(lane, Pictures(request.model, account.instruments[lane.symbol])) for lane in lanes
        ]
        windows = request.windows if request.end_policy == "flatten" else None
        self._ends = sorted(int(window.closes.timestamp()) for window in windows or ())
        self._stages = (self._open, self._look, self._decide, self._settle)

    def run(self, progress: Progress) -> None:
        """To the end of the candles."""
        due = [
            (at, k) for k, walk in enumerate(self._walks) if (at := self._seek(walk)) is not None
        ]
        heapq.heapify(due)
        while due:
            at, k = due[0]
            progress(at)
            walk = self._walks[k]
            self._stages[walk.stage](walk)
            following = self._seek(walk)
            if following is None:
                heapq.heappop(due)
            else:
                heapq.heapreplace(due, (following, k))

    def _seek(self, walk: _Walk) -> int | None:
        """When a lane needs the account next, seconds; the quiet candles until then are passed."""
        lane = walk.lane
        if lane.place >= lane.count:
            return None
        if walk.pending:
            walk.stage = _OPENS
            return lane.opens_at(lane.place)
        if lane.position is None:
            walk.stage = _DECIDES
            return lane.opens_at(lane.place) + lane.span if lane.idle() else None
        if lane.ride(self._until(lane)):
            walk.stage = _LOOKS
            return lane.opens_at(lane.place)
        walk.stage = _SETTLES
        return None if lane.step is None else lane.opens_at(lane.place - 1) + lane.span

    def _until(self, lane: Lane) -> int:
        """Up to when an open position needs nothing but its exits."""
        now = lane.opens_at(lane.place)
        if self._account.watch.always:
            return now
        until = lane.payments.next_after(now)
        place = bisect_right(self._ends, now)
        return min([until, *self._ends[place : place + 1]])

    # -- what happens ---------------------------------------------------------------------------

    def _open(self, walk: _Walk) -> None:
        """What was sent meets the first picture of the candle."""
        lane, now = walk.lane, moment(walk.lane.opens_at(walk.lane.place))
        walk.pending = False
        price = lane.price(lane.columns.opens, lane.place)
        side = walk.side if lane.position is None else -lane.position.side
        self._feed(walk, walk.pictures.around(price, _taker(side)), price, now)

    def _look(self, walk: _Walk) -> None:
        """Something may fire within the candle; then it closes."""
        lane = walk.lane
        self._within(walk)
        if lane.position is not None:
            self._follow(walk)
        place = lane.place
        step = lane.close()
        self._after(walk, place, step)

    def _decide(self, walk: _Walk) -> None:
        lane, place = walk.lane, walk.lane.place
        lane.place += 1
        assert lane.step is not None
        self._after(walk, place, lane.step)

    def _settle(self, walk: _Walk) -> None:
        lane = walk.lane
        assert lane.step is not None
        self._after(walk, lane.place - 1, lane.step)

    def _after(self, walk: _Walk, place: int, step: Step) -> None:
        """A candle has closed: follow what the strategy wants, then what account and hour want."""
        lane, action = walk.lane, step.action
        if action == NOTHING and lane.position is None:
            return
        now = lane.closes_at(place)
        self._mark(walk, now)
        if action == EXIT:
            call = step.exit()
            assert call is not None
            self._leave(walk, call, lane.price(lane.columns.closes, place), now)
            walk.pending = True
        elif action != NOTHING:
            self._enter(walk, place, step, now)
        if lane.position is None:
            return
        why = self._account.watch.look(now)
        if why is not None and not walk.pending:
            self._leave(walk, ExitCall("flatten", why), lane.price(lane.columns.closes, place), now)
            walk.pending = True
        elif not walk.pending:
            self._follow(walk)

    def _enter(self, walk: _Walk, place: int, step: Step, now: datetime) -> None:
        lane = walk.lane
        walk.decided_at, walk.side = lane.opens_at(place), step.action
        close = lane.price(lane.columns.closes, place)
        book = walk.pictures.around(close, _taker(walk.side))
        wish = Wish(
            lane.symbol,
            step.action,
            step.reason(),
            moment(walk.decided_at),
            lane.engine.risk_distance,
            UNFIT if place < lane.ready_at else None,
        )
        sizing = self._request.rules["sizing"]
        walk.pending = enter(self._account, sizing, wish, book, now, lane.log)

    def _leave(self, walk: _Walk, call: ExitCall, expected: Decimal, now: datetime) -> None:
        lane = walk.lane
        assert lane.position is not None
        purpose = Purpose(call.kind, call.reason, expected, moment(lane.position.decided_at))
        self._account.leave(lane.symbol, call.share, now, purpose)
        lane.position.steps = max(lane.position.steps, call.steps)

    def _feed(self, walk: _Walk, book: Book, price: Decimal, now: datetime) -> None:
        """Show a picture to the venue, and take note of what is held then."""
        lane, account = walk.lane, self._account
        account.on_mark(lane.symbol, price, now)
        account.on_book(lane.symbol, book, now, fresh=True)
        cost = account.entry_price(lane.symbol)
        if cost is None:
            lane.position = None
            return
        if lane.position is None:
            side = 1 if account.held(lane.symbol) > 0 else -1
            lane.position = Position(side, cost, walk.decided_at, now)
            walk.paid = int(now.timestamp())
        lane.position.entry_price = cost
        self._follow(walk)

    def _follow(self, walk: _Walk) -> None:
        """Where the position must be looked at next."""
        walk.lane.watch(self._account.liquidation_price(walk.lane.symbol))

    def _within(self, walk: _Walk) -> None:
        """The way of the market through a candle, and what fires on it."""
        lane = walk.lane
        place, columns = lane.place, lane.columns
        opened = moment(lane.opens_at(place))
        assert lane.position is not None
        worse, better = columns.lows, columns.highs
        if lane.position.side < 0:
            worse, better = better, worse
        way = (columns.opens, worse, better, columns.closes)
        before: Decimal | None = None
        for number, column in enumerate(way):
            price = lane.price(column, place)
            now = opened + timedelta(seconds=lane.span * number / len(way))
            self._reach(walk, before, price, now)
            if lane.position is None:
                return
            lane.position.note(price)
            before = price

    def _reach(self, walk: _Walk, before: Decimal | None, price: Decimal, now: datetime) -> None:
        """The market comes from one price to another: fire what lies between."""
        lane = walk.lane
        for _ in range(_MOST_IN_A_ROW):
            if lane.position is None:
                return
            holding = lane.holding(lane.place)
            assert holding is not None
            doom = self._account.liquidation_price(lane.symbol)
            met = _met(walk, holding, doom, before, price)
            if met is None:
                return
            if doom is not None and met == doom:
                book = walk.pictures.around(doom, _taker(-holding.side))
                self._feed(walk, book, doom, now)
                return
            call = lane.engine.on_price(holding, met)
            if call is None:
                return
            self._leave(walk, call, met, now)
            self._feed(walk, walk.pictures.leaving(met, holding.side), met, now)

    def _mark(self, acting: _Walk, now: datetime) -> None:
        """Let the account know what every symbol at stake is worth now, and pay its funding."""
        last = int(now.timestamp()) - acting.lane.span
        for walk in self._walks:
            lane = walk.lane
            if walk is acting or lane.position is not None:
                place = bisect_right(lane.columns.times, last) - 1
                price = lane.price(lane.columns.closes, max(place, 0))
                if lane.position is not None:
                    self._pay(walk, price, last + lane.span)
                self._account.on_mark(lane.symbol, price, now)

    def _pay(self, walk: _Walk, price: Decimal, until: int) -> None:
        for at, rate in walk.lane.payments.due(walk.paid, until):
            self._account.pay_funding(walk.lane.symbol, price, rate, moment(at))
            walk.paid = at


_MOST_IN_A_ROW = 50


def _taker(side: int) -> Side:
    """Who opens a position of this side, or leaves one of the other."""
    return Side.BUY if side > 0 else Side.SELL


def _met(
    walk: _Walk, holding: Holding, doom: Decimal | None, before: Decimal | None, price: Decimal
) -> Decimal | None:
    """The price at which something fires first between two prices, as who leaves would get it.

    ``doom`` is the middle price that liquidates. Where the market begins, nothing lies before.
    """
    side, closing = holding.side, walk.pictures.closing
    there, start = closing(price, side), closing(price if before is None else before, side)
    near = levels(walk.lane.engine, holding)
    doomed = doom is not None and (price - doom) * side <= 0
    stopped = near.worse is not None and (there - near.worse) * side <= 0
    if stopped:
        assert near.worse is not None
        if not doomed or doom is None or (near.worse - closing(doom, side)) * side >= 0:
            return min(near.worse, start) if side > 0 else max(near.worse, start)
    if doomed:
        return doom
    if near.better is not None and (there - near.better) * side >= 0:
        return max(near.better, start) if side > 0 else min(near.better, start)
    return None
