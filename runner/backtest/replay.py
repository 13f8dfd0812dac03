"""Drives an account through a recording: every picture the runner saw, at the moment it saw it.

Decisions are made when candles were seen to be closed, orders meet the picture of the book that was
read for them, levels are compared with each picture while a position is held.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from runner.backtest.account import Account, Purpose
from runner.backtest.entering import Wish, enter
from runner.backtest.lane import components_of
from runner.backtest.position import Position, anchored
from runner.backtest.stops import Stop
from runner.bars import bar_of
from runner.code.engine import HeardEngine, engine_on_history, listen
from runner.decision_log import DecisionLog
from runner.engine import Engine
from runner.exchange.base import Book, Funding, PublicTrade
from runner.history.asking import Answered, Asked, Asking, Began
from runner.history.recording import BOTH, DESK, VENUE, OpenInterest, Seen
from runner.protocol import Candle
from runner.rates import UNKNOWN, Rates
from runner.step import EXIT, ExitCall
from runner.strategy import warmup
from runner.strategy.spec import Holding
from runner.trader import SHOWN_AT_START, settled

LATE = "the candle was seen too late to act on"
BUSY = "what the last order left is not known yet"


@dataclass
class _Track:
    """One symbol: what was seen of its candles, and what is wished for or held.

    ``rates``: what the next candle is judged with. A runner reads them for one candle; who only
    records reads them now and then, and the last reading holds (``lasting``).
    """

    engine: Engine
    log: DecisionLog
    rows: dict[datetime, Candle] = field(default_factory=dict)
    waiting: list[Candle] = field(default_factory=list)
    judged: list[Candle] = field(default_factory=list)
    rates: Rates = UNKNOWN
    lasting: bool = False
    position: Position | None = None
    wish: Wish | None = None
    decided_at: datetime | None = None
    exit_id: str = ""
    stop: Stop = field(default_factory=Stop)

    @property
    def leaving(self) -> bool:
        """Whether an exit is under way."""
        return bool(self.exit_id)

    def note(self, seen: Seen) -> None:
        """Take a reading of what is known beside the candles."""
        what, self.lasting = seen.what, seen.who == BOTH
        if isinstance(what, Funding):
            self.rates = self.rates._replace(funding=float(what.rate))
        elif isinstance(what, OpenInterest):
            self.rates = self.rates._replace(open_interest=float(what.quantity))

    def take(self) -> Rates:
        """For the newest candle."""
        rates = self.rates
        if not self.lasting:
            self.rates = UNKNOWN
        return rates


class Replay:
    """All symbols of a recording on one account. ``asks``: the recording's, see its head."""

    def __init__(
        self, rules: dict[str, Any], account: Account, symbols: Iterable[str], *, asks: bool = False
    ) -> None:
        self._rules = rules
        self._account = account
        self.tracks: dict[str, _Track] = {}
        for symbol in symbols:
            engine = engine_on_history(rules, symbol, heard=asks)
            listen(engine, account.fills)
            self.tracks[symbol] = _Track(engine, DecisionLog(components_of(engine)))
        self._need = max(warmup(rules), SHOWN_AT_START) + 1
        self._apart = False
        """Whether who decides and who fills paper orders read the market each for themselves."""

    def see(self, seen: Seen) -> None:
        """The next answer of the recording."""
        track = self.tracks.get(seen.symbol)
        if track is None:
            return
        what = seen.what
        if isinstance(what, Began | Asked | Answered):
            self._class_at(track, seen.symbol, what, seen.at)
            return
        self._apart = seen.who != BOTH
        if isinstance(what, Funding | OpenInterest) and seen.who in (DESK, BOTH):
            track.note(seen)
        if isinstance(what, Book):
            self._picture(track, seen.symbol, what, seen)
        elif isinstance(what, list) and (seen.since or (what and isinstance(what[0], Candle))):
            if seen.who in (DESK, BOTH):
                rows = [row for row in what if isinstance(row, Candle)]
                self._candles(track, rows, seen.at, seen.since if seen.who == DESK else None)
        elif seen.who in (VENUE, BOTH):
            self._told(seen)
            self._follow(track, seen.symbol, seen.at)
        self._judge_waiting(track, seen.symbol, seen.at)

    def _told(self, seen: Seen) -> None:
        """What the venue fills by, beside its book."""
        what, venue = seen.what, self._account.venue
        if isinstance(what, Decimal):
            self._account.on_mark(seen.symbol, what, seen.at)
        elif isinstance(what, Funding):
            venue.on_funding(seen.symbol, what, seen.at)
        elif isinstance(what, list):
            prints = [one for one in what if isinstance(one, PublicTrade)]
            venue.on_trades(seen.symbol, prints, seen.at)

    def _picture(self, track: _Track, symbol: str, book: Book, seen: Seen) -> None:
        account = self._account
        if seen.who in (VENUE, BOTH):
            account.venue.on_book(symbol, book, seen.at)
            self._meet(track, symbol, seen.at)
            self._follow(track, symbol, seen.at)
        if seen.who == VENUE:
            return
        if track.wish is not None:
            wish, track.wish = track.wish, None
            track.decided_at = wish.candle_at
            enter(account, self._rules["sizing"], wish, book, seen.at, track.log)
            self._follow(track, symbol, seen.at)
        elif track.position is not None and not track.leaving:
            self._watch(track, symbol, book, seen.at)
        if seen.who == BOTH:
            self._meet(track, symbol, seen.at)

    def _watch(self, track: _Track, symbol: str, book: Book, now: datetime) -> None:
        """Between candles: compare the price one could leave at with the levels."""
        assert track.position is not None
        price = book.closing_price(self._account.held(symbol))
        why = self._account.watch.look(now)
        if why is not None:
            self._leave(track, symbol, ExitCall("flatten", why), price, now)
            return
        track.position.note(price)
        holding = self._holding(track, now)
        assert holding is not None
        call = track.engine.on_price(holding, price)
        level = track.stop.level(track.engine, self._account, symbol, holding)
        if call is None and level is not None and (price - level) * holding.side <= 0:
            call = ExitCall("stop", f"price {price:f} reached the stop {level:f}")
        if call is not None:
            self._leave(track, symbol, call, price, now)
        elif level is not None and track.stop.is_due(self._account, level, now):
            track.stop.ask(level, now)

    def _ask_for_stop(self, track: _Track, symbol: str, now: datetime) -> None:
        """A runner places the stop with the entry, and not at its next look.

        Between the two it looks at what the entry did: one picture more for the venue.
        """
        holding = self._holding(track, now)
        assert holding is not None
        level = track.stop.level(track.engine, self._account, symbol, holding)
        if level is not None:
            track.stop.ask(level, now, looks=1 if self._apart else 0)

    def _meet(self, track: _Track, symbol: str, now: datetime) -> None:
        track.stop.meet(self._account, symbol, now, track.decided_at or now)

    def _candles(
        self, track: _Track, rows: list[Candle], now: datetime, since: datetime | None
    ) -> None:
        """An answer of candles: judge those that are closed and were not judged.

        ``since``: where a runner's answer began. It knows nothing of a candle before it, and what
        an earlier answer told of one before its end is not what it closed as. Who only records
        asks for a few at a time, and all of them count.
        """
        engine, span = track.engine, timedelta(seconds=track.engine.candle_seconds)
        track.rows.update((row.opened_at, row) for row in rows)
        told = [track.rows[at] for at in sorted(track.rows) if since is None or at >= since]
        closed = settled(told, span, now)
        for old in sorted(track.rows)[: -self._need - 1]:
            del track.rows[old]
        if engine.last is None:
            engine.warm(closed)
            track.waiting.clear()
            return
        last = track.waiting[-1].opened_at if track.waiting else engine.last
        track.waiting += [candle for candle in closed if candle.opened_at > last]

    def _class_at(self, track: _Track, symbol: str, what: Asking, now: datetime) -> None:
        """A class is asked or heard as the runner's was; a candle is judged once it was heard."""
        engine = track.engine
        if not isinstance(engine, HeardEngine):
            return
        if isinstance(what, Began):
            engine.begin(what.state)
            return
        if not track.waiting or track.waiting[0].opened_at != what.candle:
            return
        candle = track.waiting[0]
        if isinstance(what, Asked):
            closed_at = candle.opened_at + timedelta(seconds=engine.candle_seconds)
            engine.ask(bar_of(candle), self._holding(track, closed_at))
            return
        engine.heed(what.silent)
        track.waiting.pop(0)
        self._judge(track, symbol, candle, now, newest=not track.waiting)

    def _judge_waiting(self, track: _Track, symbol: str, now: datetime) -> None:
        """One after the other, each once the order of the one before has met a picture."""
        if isinstance(track.engine, HeardEngine):
            return
        while track.waiting and not track.leaving:
            candle = track.waiting.pop(0)
            self._judge(track, symbol, candle, now, newest=not track.waiting)

    def _judge(
        self, track: _Track, symbol: str, candle: Candle, now: datetime, *, newest: bool
    ) -> None:
        span = timedelta(seconds=track.engine.candle_seconds)
        bar = bar_of(candle, *(track.take() if newest else UNKNOWN))
        step = track.engine.on_bar(bar, self._holding(track, candle.opened_at + span))
        track.judged.append(candle)
        track.log.add(int(candle.opened_at.timestamp()), step)
        if step.action == EXIT:
            call = step.exit()
            assert call is not None
            self._leave(track, symbol, call, candle.close, now)
        elif step.action:
            against = LATE if not newest else self._blocked(symbol, now)
            if against is not None:
                track.log.refuse(against)
                return
            distance = track.engine.risk_distance
            track.wish = Wish(symbol, step.action, step.reason(), candle.opened_at, distance)

    def _blocked(self, symbol: str, now: datetime) -> str | None:
        account = self._account
        if account.state.live(symbol) or account.held(symbol):
            return BUSY
        return account.watch.standing.blocked(now, 0.0)

    def _leave(
        self, track: _Track, symbol: str, call: ExitCall, price: Decimal, now: datetime
    ) -> None:
        assert track.position is not None
        if track.leaving:
            return
        decided_at = track.decided_at or now
        purpose = Purpose(call.kind, call.reason, price, decided_at)
        track.exit_id = self._account.leave(symbol, call.share, now, purpose) or ""
        track.position.steps = max(track.position.steps, call.steps)
        self._follow(track, symbol, now)

    def _holding(self, track: _Track, at: datetime) -> Holding | None:
        position, engine = track.position, track.engine
        if position is None:
            return None
        age = int(at.timestamp() - position.decided_at) // engine.candle_seconds - 1
        return position.holding(max(age, 0), engine, anchored=anchored(engine))

    def _follow(self, track: _Track, symbol: str, now: datetime) -> None:
        """Take note of what the venue did."""
        account = self._account
        account.collect(now)
        if track.exit_id and not account.is_live(track.exit_id):
            track.exit_id = ""
        cost = account.entry_price(symbol)
        if cost is None:
            track.position = None
            track.stop.end(account, now)
        elif track.position is None:
            side = 1 if account.held(symbol) > 0 else -1
            decided = track.decided_at or now
            opened = decided + timedelta(seconds=track.engine.candle_seconds)  # as a runner says
            track.position = Position(side, cost, int(decided.timestamp()), opened)
            self._ask_for_stop(track, symbol, now)
        else:
            track.position.entry_price = cost
