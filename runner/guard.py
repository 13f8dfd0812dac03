"""Keeps the limits: judges every intent before it is sent, and the account between entries."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from runner import flows
from runner.exchange.base import Account
from runner.halts import UNTIL_MIDNIGHT, Halt
from runner.memory import Entry
from runner.protocol import Breach, Checkpoint, EventKind, Limits, OnBreach, Side
from runner.risk import Exposure, Stake, judge, judge_account, needs_marks
from runner.sizing import room

if TYPE_CHECKING:
    from runner.bench import Bench
    from runner.desk import Desk, Intent

_MOST_COUNTED = 100
_OLDEST_LOOK = 60.0
_LOOK_FAST, _LOOK_SLOW = 5.0, 60.0


class Guard:
    """One bot's limits. ``look`` and ``watch`` may raise as the venue does; nothing else does.

    What is passed is told once: it stands in the memory, with the event that tells of it written in
    the same transaction, until it is over. While one stands there are no entries; those that rest
    are taken back, and where the policy says so what is held is closed. Where the policy is another
    one meanwhile, or the run, it is told anew.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._limits = bench.configuration.limits
        self._unlimited = replace(self._limits, on_breach=OnBreach.PAUSE) == Limits()
        self._account: Account | None = None
        self._looked_at = -math.inf
        self._marks: dict[str, Decimal] = {}
        self._prices: dict[str, Decimal | None] = {}
        self._drop_what_a_person_lifted()
        self._tell_anew()
        self._stand()

    @property
    def halts(self) -> tuple[Halt, ...]:
        """The limits that are passed now."""
        return self._bench.memory.guarded.halts

    def refusal(self, intent: Intent, desk: Desk) -> str | None:
        """Why an intent must not be sent, or ``None``. What reduces is never refused."""
        if intent.reduce_only:
            return None
        self._end_the_day()
        if self.halts:
            return self._bench.standing.breach
        if self._unlimited:
            return None
        exposure = self._exposure(desk, intent.symbol)
        unknown = self._unknown(intent.symbol, desk)
        if exposure is None or unknown is not None:
            return f"limit: {unknown}"
        breach = judge(intent, self._limits, exposure)
        return None if breach is None else f"limit: {breach.text}"

    def bind(self, limits: Limits) -> None:
        """Other limits count from now on; one that was passed and is another now is judged anew."""
        if limits == self._limits:
            return
        self._bench.configuration = replace(self._bench.configuration, limits=limits)
        self._limits = limits
        self._unlimited = replace(limits, on_breach=OnBreach.PAUSE) == Limits()
        self._looked_at = -math.inf
        self._drop_what_was_changed()
        self._tell_anew()

    def room(self, desk: Desk, symbol: str) -> tuple[Decimal, str] | None:
        """The most base units the limits leave for an entry, and which of them; see ``sizing``."""
        exposure = None if self._unlimited else self._exposure(desk, symbol)
        return None if exposure is None else room(self._limits, exposure, symbol)

    def expect(self, symbol: str, price: Decimal | None) -> None:
        """Where a market order is about to trade; it counts until the next look for the symbol."""
        self._prices[symbol] = price

    async def look(self, desk: Desk, symbol: str | None = None) -> Account:
        """Read what the account is worth, and judge it. ``symbol``: one that may be entered."""
        account = await flows.weigh(self._bench)
        names = set(self._at_stake(desk)) if self._limits.max_leverage is not None else set()
        if symbol is not None and needs_marks(self._limits):
            names = {*self._at_stake(desk), symbol}
            self._prices.pop(symbol, None)
        for name in sorted(names):
            self._marks[name] = await self._bench.market.mark(name)
        self._account, self._looked_at = account, self._bench.clock.monotonic()
        exposure = self._exposure(desk)
        if exposure is not None:
            self._halt(judge_account(self._limits, exposure))
        return account

    async def watch(self, desk: Desk) -> None:
        """Each tick: look when it is time, and keep nothing resting that could enter."""
        self._end_the_day()
        every = _LOOK_FAST if desk.positions else _LOOK_SLOW
        age = self._bench.clock.monotonic() - self._looked_at
        if self._watches() and age >= every:
            await self.look(desk)
        if self.halts:
            await desk.cancel_entries()

    def closed(self, symbol: str, entry: Entry) -> None:
        """A position is gone: remember it if the trade lost. Its exits are in the journal."""
        order = self._bench.journal.order(entry.client_id)
        since = entry.candle_at if order is None else order.decided_at
        result = Decimal(0)
        for fill in self._bench.journal.fills_since(symbol, since):
            result -= fill.fee
            if (fill.side is Side.SELL) == (entry.side > 0):
                result += entry.side * (fill.price - entry.entry_price) * fill.quantity
        if result < 0:
            self._bench.memory.guarded.lost_at = self._bench.clock.now()
            self._bench.memory.save()

    def resumed(self) -> None:
        """A person lets the bot enter again; what is still passed is found at the next look."""
        guarded = self._bench.memory.guarded
        guarded.refused_since = self._bench.clock.now()
        self._keep(tuple(h for h in self.halts if h.breach.limit == UNTIL_MIDNIGHT))

    def _watches(self) -> bool:
        asked = self._limits
        money = (asked.max_daily_loss, asked.max_drawdown, asked.max_leverage)
        return asked.max_error_streak is not None or any(limit is not None for limit in money)

    def _unknown(self, symbol: str, desk: Desk) -> str | None:
        """What the limits that are set ask for and nobody knows."""
        if self._account is None:
            return "what the account is worth was not looked at yet"
        if self._bench.clock.monotonic() - self._looked_at > _OLDEST_LOOK:
            return "what the account is worth was not looked at for too long"
        if desk.positions is None:
            return "what is held is not known"
        marks = {*self._at_stake(desk), symbol} - set(self._marks)
        if needs_marks(self._limits) and marks:
            return f"no mark price of {', '.join(sorted(marks))} is known"
        return None

    def _at_stake(self, desk: Desk) -> list[str]:
        resting = [order.symbol for order in desk.live() if not order.reduce_only]
        return [*(desk.positions or {}), *resting]

    def _exposure(self, desk: Desk, symbol: str | None = None) -> Exposure | None:
        """Where the account stands, from the last look, the venue's positions and the journal."""
        if self._account is None:
            return None
        bench, now = self._bench, self._bench.clock.now()
        equity = self._account.balance + self._account.unrealised
        memory = bench.memory
        stakes = {name: self._stake(desk, name) for name in self._at_stake(desk)}
        if symbol is not None:
            stakes[symbol] = self._stake(desk, symbol)
        return Exposure(
            equity=equity,
            day_result=memory.day_result(equity),
            drawdown=memory.drawdown(equity),
            stakes=stakes,
            orders_last_minute=bench.journal.orders_since(now - timedelta(minutes=1)),
            refused_in_a_row=bench.journal.refused_in_a_row(
                max(filter(None, (memory.began, memory.guarded.refused_since))), _MOST_COUNTED
            ),
            lost_ago=None if memory.guarded.lost_at is None else now - memory.guarded.lost_at,
        )

    def _stake(self, desk: Desk, symbol: str) -> Stake:
        resting = [order for order in desk.live(symbol) if not order.reduce_only]
        buying, selling = (
            sum((o.quantity - o.filled for o in resting if o.side is side), Decimal(0))
            for side in (Side.BUY, Side.SELL)
        )
        # Where no limit asks for marks there are none, and nothing is worked out from them.
        mark = self._marks.get(symbol, Decimal(0))
        return Stake(desk.quantity(symbol), buying, selling, mark, self._prices.get(symbol))

    def _halt(self, breaches: list[Breach]) -> None:
        standing = {halt.breach.limit for halt in self.halts}
        fresh = [breach for breach in breaches if breach.limit not in standing]
        if not fresh:
            return
        now = self._bench.clock.now()
        try:
            with self._bench.memory.whole(), self._bench.journal.transaction():
                halts = [Halt(breach, now) for breach in fresh]
                self._keep((*self.halts, *halts))
                self._tell(halts)
        finally:
            self._stand()  # what could not be written is found, and told, at the next look

    def _end_the_day(self) -> None:
        today = self._bench.clock.now().date()
        over = [
            halt
            for halt in self.halts
            if halt.breach.limit == UNTIL_MIDNIGHT and halt.at.date() != today
        ]
        if over:
            self._keep(tuple(halt for halt in self.halts if halt not in over))

    def _drop_what_a_person_lifted(self) -> None:
        """A bot that is not paused was resumed, unless the platform has yet to hear of the breach.

        A limit that was changed since is judged anew.
        """
        if not self.halts:
            return
        waiting = self._bench.outbox.pending(self._bench.outbox.count())
        heard = not any(event.kind is EventKind.BREACH for event in waiting)
        if heard and not self._bench.configuration.paused:
            self.resumed()
        self._drop_what_was_changed()

    def _drop_what_was_changed(self) -> None:
        kept = tuple(h for h in self.halts if h.breach.bound == self._bound(h.breach.limit))
        if kept != self.halts:
            self._keep(kept)

    def _tell_anew(self) -> None:
        """What stands stands under the policy of now, as if it had been that from the beginning.

        It is not lifted for that: a day that was lost is over, however its result looks now.
        """
        policy = self._limits.on_breach
        others = [h for h in self.halts if not h.told or h.breach.policy is not policy]
        if not others:
            return
        anew = [Halt(replace(h.breach, policy=policy), h.at) for h in others]
        try:
            with self._bench.memory.whole(), self._bench.journal.transaction():
                self._keep((*(h for h in self.halts if h not in others), *anew))
                self._tell(anew)
        finally:
            self._stand()

    def _tell(self, halts: list[Halt]) -> None:
        """To the platform, with the memory in which they stand."""
        for halt in halts:
            self._bench.outbox.append(EventKind.BREACH, halt.breach, halt.at)
        now, state = self._bench.clock.now(), Checkpoint(self._bench.memory.plain())
        self._bench.outbox.append(EventKind.CHECKPOINT, state, now)

    def _bound(self, limit: str) -> Decimal | None:
        value = getattr(self._limits, limit)
        return None if value is None else Decimal(value)

    def _keep(self, halts: tuple[Halt, ...]) -> None:
        self._bench.memory.guarded.halts = halts
        self._bench.memory.save()
        self._stand()

    def _stand(self) -> None:
        """Tell the standing what it has to say to whoever wants to enter."""
        standing = self._bench.standing
        closing = [h for h in self.halts if h.breach.policy is not OnBreach.PAUSE]
        first = next(iter((*closing, *self.halts)), None)
        standing.breach = None if first is None else f"limit: {first.breach.text}"
        standing.breach_closes = bool(closing)
