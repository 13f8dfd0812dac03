"""Trades one symbol: judges closed candles, enters, and hands the position to its custodian."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from runner.bench import Bench
from runner.code.coder import coder_of
from runner.code.engine import engine_of
from runner.custodian import Custodian
from runner.desk import Desk, Intent
from runner.exchange.base import DEPTH, TOP, Book, OrderKind
from runner.memory import Entry
from runner.occasion import DONE, Occasion, speaks
from runner.protection import next_leg
from runner.protocol import (
    Candle,
    Candles,
    Decision,
    EventKind,
    ExternalSignal,
    Side,
    SignalAction,
    SignalOutcome,
)
from runner.rates import UNKNOWN, RateReader
from runner.sizing import Size, size_entry
from runner.step import Conclusion, ExitCall, Reason
from runner.strategy import listens, warmup
from runner.strategy.components.external import ExternalDirection

SHOWN_AT_START = 300
_MOST_MISSED = 1500
# A venue may add the last trades of a candle a moment after its end. A newer candle proves the end;
# a market without trades shows none, so there time has to do.
_SETTLED_AFTER = timedelta(seconds=2)


class Trader:
    """Every method may raise ``Temporary`` or ``Operational``; the next tick tries again."""

    def __init__(self, symbol: str, bench: Bench, desk: Desk) -> None:
        self.symbol = symbol
        self._bench = bench
        self._desk = desk
        self._rules = bench.configuration.rules
        self._engine = engine_of(self._rules)
        self.coder = coder_of(symbol, bench, self._engine)
        self._rates = RateReader(bench.market, symbol, self._rules)
        self._span = timedelta(seconds=self._engine.candle_seconds)
        self.custodian = Custodian(symbol, bench, desk, self._engine)
        self._last: Candle | None = None
        self.listens = listens(self._rules)
        self._triggered = listens(self._rules, ("signals",))

    @property
    def is_warm(self) -> bool:
        return self._engine.last is not None

    async def warm_up(self) -> None:
        """Feed the engine enough history, and show the last of it to the platform."""
        need = max(warmup(self._rules), SHOWN_AT_START) + 1
        closed = await self._closed_candles(need)
        self._engine.warm(closed)
        self._last = closed[-1] if closed else None
        if self.coder is not None:
            self.coder.begin(closed)
        if not closed:
            return  # asked again with each tick: there is nothing to tell of
        shown = Candles(self.symbol, self._rules["timeframe"], tuple(closed[-SHOWN_AT_START:]))
        self._bench.outbox.append(EventKind.CANDLES, shown, self._bench.clock.now())

    async def on_candles(self) -> None:
        """Judge every candle that closed since the last look; act only on the newest."""
        last = self._engine.last
        if last is None:
            await self.warm_up()
            return
        if self.coder is not None:
            await self.coder.step()
        missing = int((self._bench.clock.now() - last) / self._span) - 1
        if missing < 1:
            return
        limit = min(missing + 2, _MOST_MISSED)
        await self._rates.look()  # before the candles, so that a decision on them follows at once
        fresh = [c for c in await self._closed_candles(limit) if c.opened_at > last]
        if fresh:
            self._bench.streams.candle_read(self.symbol, fresh[-1].opened_at)
        for candle in fresh:
            if self.coder is not None:
                held = self.custodian.holding(candle.opened_at + self._span)
                if not await self.coder.has_heard(candle, held):
                    return  # asked again at the next tick: nothing else waits for a class
            await self._judge(candle, newest=candle is fresh[-1])

    async def close(self) -> None:
        """The orderly end of a code strategy's class; others have none."""
        if self.coder is not None:
            await self.coder.close()

    async def _closed_candles(self, limit: int) -> list[Candle]:
        candles = await self._bench.market.candles(self.symbol, self._rules["timeframe"], limit)
        return settled(candles, self._span, self._bench.clock.now())

    async def _judge(self, candle: Candle, *, newest: bool) -> None:
        holding = self.custodian.holding(candle.opened_at + self._span)
        blocked = self._blocked() if newest else "the candle was seen too late to act on"
        rates = self._rates.take() if newest else UNKNOWN
        self._hear()
        self._last = candle
        conclusion = self._engine.on_candle(candle, holding, blocked, rates)
        await self._follow(Occasion(candle), conclusion)

    async def on_signal(self) -> None:
        """Decide at once what was asked for outside, on the candle that closed last."""
        waiting = self._bench.signals.newest(self.symbol)
        if waiting is None:
            return
        waiting.waits_for = self._not_yet() or ""
        if waiting.waits_for or self._last is None:
            return
        signal, now = waiting.signal, self._bench.clock.now()
        self._bench.signals.hear(signal)
        self._hear()
        if signal.action is SignalAction.CLOSE:
            await self._close(signal)
        elif not self._triggered:
            text = f"{signal.action} from now on; entries are decided with each candle"
            self._bench.signals.tell(signal, SignalOutcome.KEPT, text)
        else:
            holding = self.custodian.holding(now)
            conclusion = self._engine.judge_again(self._last, holding, self._blocked())
            await self._follow(Occasion(self._last, signal), conclusion)

    def _not_yet(self) -> str | None:
        """What a signal has to wait for, as it will be known or over in a moment."""
        entry = self.custodian.entry
        if self._engine.last is None:
            return "the candles are not read yet"
        if not self._bench.standing.preflight_passed:
            return "the preflight has not passed"
        if entry is not None and entry.exit_purpose:
            return "an exit is under way"
        if entry is None or not self._desk.quantity(self.symbol):
            return self._unsettled()
        return None

    async def _close(self, signal: ExternalSignal) -> None:
        entry = self.custodian.entry
        if entry is None:
            self._bench.signals.tell(signal, SignalOutcome.NOTHING, "nothing is held")
            return
        text = "a signal asked to close"
        with self._bench.journal.transaction():
            self.custodian.decide_exit(ExitCall(ExternalDirection.spec.kind, text))
            order = self._exit_id(entry)
            self._bench.signals.tell(signal, SignalOutcome.EXITED, text, order=order)
            self._bench.memory.save()
        self._bench.signals.settle(signal)
        await self.custodian.leave_as_decided()

    def _hear(self) -> None:
        """What was said outside counts for a while: say so before each decision."""
        if self.listens:
            heard = self._bench.signals.heard(self.symbol)
            self._engine.hear(heard, self._bench.clock.now())

    async def _follow(self, occasion: Occasion, conclusion: Conclusion) -> None:
        if conclusion.action.startswith("enter"):
            await self._enter(occasion, conclusion)
        elif conclusion.action == "exit":
            await self._exit(occasion, conclusion)
        else:
            reason, entry = conclusion.reason, self.custodian.entry
            if occasion.signal is not None and entry is not None:
                reason = f"{'long' if entry.side > 0 else 'short'} is held: {reason}"
            self._tell(occasion, conclusion, reason)

    def _exit_id(self, entry: Entry | None) -> str:
        """Of the order that is going to close the position."""
        if entry is None:
            return ""
        return self._desk.order_id(entry.client_id, next_leg(self._desk, entry, "exit"))

    async def _exit(self, occasion: Occasion, conclusion: Conclusion) -> None:
        assert conclusion.exit is not None
        # Together: no later candle need say it again, whatever comes between now and the order.
        with self._bench.journal.transaction():
            order = self._exit_id(self.custodian.entry)
            self._tell(occasion, conclusion, conclusion.reason, order)
            self.custodian.decide_exit(conclusion.exit)
            self._bench.memory.save()
        await self.custodian.leave_as_decided()

    async def _enter(self, occasion: Occasion, conclusion: Conclusion) -> None:
        side = Side.BUY if conclusion.direction > 0 else Side.SELL
        book = await self._bench.market.book(self.symbol, self._depth())
        price = book.asks[0][0] if side is Side.BUY else book.bids[0][0]
        account = await self._bench.guard.look(self._desk, self.symbol)
        quantity, cut, fault = self._size(book, side, account.balance + account.unrealised)
        intent = Intent(
            decision=f"{self.symbol}@{occasion.name}",
            leg="entry",
            symbol=self.symbol,
            side=side,
            kind=OrderKind.MARKET,
            quantity=quantity,
            purpose="entry",
            reason=conclusion.reason + cut,
        )
        # The venue was asked twice meanwhile: what stood against it may have come only now.
        refusal = fault or self._blocked() or self._bench.guard.refusal(intent, self._desk)
        if refusal is not None:
            words = f"{intent.reason}, but {refusal}"
            refused = replace(conclusion, action="none", code=Reason.BLOCKED, blocked=refusal)
            self._tell(occasion, refused, words)
            return
        entry_id = self._desk.order_id(intent.decision, intent.leg)
        # Before the order: should the process die now, the restart knows whose position it finds.
        with self._bench.journal.transaction():
            self._tell(occasion, conclusion, intent.reason, entry_id)
            opened_at = occasion.candle.opened_at
            self.custodian.keep(Entry(entry_id, conclusion.direction, price, opened_at))
        await self.custodian.finish(await self._desk.submit(intent))
        await self.custodian.protect()  # not at the next look: that is a second away

    def _depth(self) -> int:
        """How much of the book to read: a collar wants the price the whole order would reach."""
        return TOP if self._bench.configuration.limits.price_collar_percent is None else DEPTH

    def _size(self, book: Book, side: Side, equity: Decimal) -> Size:
        """Has the guard expect the price the order will reach."""
        guard = self._bench.guard

        def room(worst: Decimal | None) -> tuple[Decimal, str] | None:
            guard.expect(self.symbol, worst)
            return guard.room(self._desk, self.symbol)

        instrument = self._bench.market.instrument(self.symbol)
        distance = self._engine.risk_distance
        size = size_entry(self._rules["sizing"], equity, side, book, instrument, distance, room)
        guard.expect(self.symbol, book.worst_price(side, size.quantity))
        return size

    def _blocked(self) -> str | None:
        clock = self._bench.clock
        return self._unsettled() or self._bench.standing.blocked(clock.now(), clock.monotonic())

    def _unsettled(self) -> str | None:
        """What of the last orders stands against another entry."""
        if self._desk.unsure(self.symbol):
            return "an earlier order's outcome is unknown"
        if self._desk.blind or self._desk.behind or self.custodian.entry is not None:
            return "what the last order left is not known yet"
        if self._desk.quantity(self.symbol) or self._desk.difference(self.symbol):
            return "a position is held that nobody looks after yet"
        if any(order.reduce_only for order in self._desk.live(self.symbol)):
            return "the last position's stop is still being taken back"
        return None

    def _tell(
        self, occasion: Occasion, conclusion: Conclusion, reason: str, order: str = ""
    ) -> None:
        """What was decided; with an entry also that what was said outside has led to one."""
        signals, verdicts, action = self._bench.signals, conclusion.verdicts, conclusion.action
        enters = action.startswith("enter")
        used = signals.heard(self.symbol) if enters and speaks(conclusion) else None
        if used is not None:
            signals.spend(self.symbol)
        decision = Decision(
            symbol=self.symbol,
            candle=occasion.candle,
            action=action,
            reason=reason,
            verdicts=verdicts,
            code=int(conclusion.code),
            direction=conclusion.direction,
            blocker=conclusion.blocker,
            blocked=conclusion.blocked,
            signal="" if occasion.signal is None else occasion.signal.id,
        )
        answers = occasion.signal is not None or used is not None
        # Together: a signal that was answered is in the log of decisions as well. Without one the
        # decision is alone, and is kept in memory while the disk is full.
        with self._bench.journal.transaction() if answers else nullcontext():
            if occasion.signal is not None:
                signals.tell(occasion.signal, DONE[action], reason, verdicts, order)
            elif used is not None:
                signals.tell_of(used.id, SignalOutcome.ENTERED, reason, verdicts, order)
            self._bench.outbox.append(EventKind.DECISION, decision, self._bench.clock.now())


def settled(candles: list[Candle], span: timedelta, now: datetime) -> list[Candle]:
    """Those of an answer that came at ``now`` that will not change any more."""
    if candles and candles[-1].opened_at + span + _SETTLED_AFTER > now:
        return candles[:-1]
    return candles
