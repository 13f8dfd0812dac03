"""One symbol's stop at the venue: placed, seen resting there, moved in favour, and told of.

The new stop is placed and seen in the venue's list before the old one is cancelled. Both only
reduce, so that two of them firing leave the position flat and not turned. What stands behind a
position is told at each change and from time to time; nothing about it is ever left unsaid: either
the venue listed a stop that covers the position lately, or it is told to be missing.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from runner.bench import Bench
from runner.desk import Desk, Intent
from runner.engine import Engine
from runner.errors import Operational
from runner.exchange.base import OrderKind, OrderReport
from runner.memory import Entry
from runner.protocol import Order, OrderStatus, Protection, ProtectionState, Side
from runner.strategy.spec import Holding
from runner.telling import FLAT, Teller

LOOK_EVERY = timedelta(seconds=5)
TRUSTED_FOR = timedelta(seconds=20)
"""How long a listing proves that the stop rests."""
SETTLING = timedelta(seconds=5)
"""How long a venue's lists may lag behind what it did."""
AGAIN_AFTER = timedelta(seconds=5)
"""How long nothing is asked for again that the venue has refused."""
# A stop that covers and only sits too far away, or covers too much, is in no hurry.
_MOVE_AGAIN_AFTER = timedelta(seconds=60)
_MOVE_EVERY = timedelta(seconds=5)
_UNSURE = (OrderStatus.PLANNED, OrderStatus.SENT, OrderStatus.UNKNOWN)
_OVER = (OrderStatus.FILLED, OrderStatus.CANCELLED)
RESTS_HERE = "on paper the stop rests on the bot's own machine"
NO_LEVEL = "the strategy has no stop loss and the bot no disaster stop"
IN_DOUBT = "it is not known what is held, so no stop can be counted on"
UNANSWERED = "the venue does not answer, so nobody knows whether the stop still rests"


class Protector:
    """``keep`` raises as the venue does, and tells what stands all the same."""

    def __init__(self, symbol: str, bench: Bench, desk: Desk, engine: Engine) -> None:
        self._symbol = symbol
        self._bench = bench
        self._desk = desk
        self._engine = engine
        self._seen: dict[str, OrderReport] = {}
        self._seen_at: datetime | None = None
        self._refused: tuple[datetime, str] | None = None
        self._placed_at: datetime | None = None
        self._fired_at: datetime | None = None
        self._doubted_at: datetime | None = None
        self._teller = Teller(symbol, bench)

    @property
    def now_told(self) -> Protection | None:
        """What was last told of this symbol."""
        return self._teller.last

    def level(self, holding: Holding) -> Decimal | None:
        """The strategy's stop, else the bot's disaster stop. It only moves in favour."""
        level = self._engine.stop_price(holding)
        share = self._bench.configuration.disaster_stop_percent
        if level is None and share is not None:
            level = holding.entry_price * (1 - holding.side * share / 100)
        if level is None:
            return None
        # What the venue lists no more may still be held, and its stop matters more than its tick.
        with contextlib.suppress(Operational):
            level = self._bench.market.instrument(self._symbol).round_price(level, ROUND_HALF_EVEN)
        resting = [r.price for r in self._seen.values() if r.price is not None]
        return max([level, *resting], key=lambda price: price * holding.side)

    async def keep(
        self, holding: Holding | None, entry: Entry | None, *, at_once: bool = False
    ) -> None:
        """Bring the stop in line with the position. ``at_once``: ask the venue anyway."""
        try:
            if holding is None or entry is None:
                self.forget()
            elif self.level(holding) is not None:
                await self._arrange(holding, entry, at_once=at_once)
        finally:
            self._teller.tell(self._state(holding, entry), entry)

    def forget(self, entry: Entry | None = None) -> None:
        """The position is gone; the next one may be entered before ``keep`` is asked again."""
        self._seen, self._refused = {}, None
        if entry is not None:
            self._teller.close(entry)

    async def _arrange(self, holding: Holding, entry: Entry, *, at_once: bool) -> None:
        live = {order.client_id for order in self._stops()}
        self._seen = {name: report for name, report in self._seen.items() if name in live}
        if at_once or not self._seen or self._is_look_due():
            await self._look()
        level = self.level(holding)
        assert level is not None
        if self._fitting(level) is None and not self._must_wait(entry):
            await self._place(level, holding, entry)
        keep = self._fitting(level)
        if keep is not None:
            self._refused = None
            await self._cancel_all_but(keep.client_id)

    def _is_look_due(self) -> bool:
        now = self._bench.clock.now()
        return self._seen_at is None or now - self._seen_at >= LOOK_EVERY

    async def _look(self) -> None:
        """Read the venue's own list; only what stands there counts as seen."""
        seen = {}
        for report in await self._bench.broker.open_orders(self._symbol):
            stop = report.kind is OrderKind.STOP_MARKET and report.reduce_only
            if not stop or not self._desk.is_ours(report.client_id):
                continue
            known = self._desk.order(report.client_id)
            if known is not None and known.status in _OVER:
                continue  # the list lags behind what the order itself told
            if known is None:
                self._desk.adopt(report, self._bench.clock.now())
            elif (known.status, known.filled) != (report.status, report.filled):
                self._desk.apply(known, report)
            seen[report.client_id] = report
        self._seen, self._seen_at = seen, self._bench.clock.now()

    async def _place(self, level: Decimal, holding: Holding, entry: Entry) -> None:
        order = await self._submit(level, holding, entry)
        for_good = order.status is OrderStatus.REJECTED and not self._desk.passing
        if for_good and self._seen and self._best(holding) is None:
            # What rests closes too little or nothing, and no second one is taken beside it.
            await self._cancel_all_but("")
            order = await self._submit(level, holding, entry)
            text = f"{self._symbol}: no second stop was taken, so the old one went first"
            self._bench.notice("warning", "stop_replaced_bare", text)
        if order.status is OrderStatus.REJECTED:
            self._refused = (self._bench.clock.now(), order.reason)
        else:
            self._refused = None
            await self._look()

    async def _submit(self, level: Decimal, holding: Holding, entry: Entry) -> Order:
        self._placed_at = self._bench.clock.now()
        order = await self._desk.submit(
            Intent(
                decision=entry.client_id,
                leg=next_leg(self._desk, entry, "stop"),
                symbol=self._symbol,
                side=Side.SELL if holding.side > 0 else Side.BUY,
                kind=OrderKind.STOP_MARKET,
                quantity=self._quantity(),
                purpose="protect",
                reason="stop loss at the venue, for when the runner cannot act",
                price=level,
                reduce_only=True,
            )
        )
        entry.stop_id = order.client_id
        self._bench.memory.save()
        return order

    async def _cancel_all_but(self, kept: str) -> None:
        for client_id in [name for name in self._seen if name != kept]:
            order = self._desk.order(client_id)
            if order is not None and (await self._desk.cancel(order)).status in _OVER:
                del self._seen[client_id]

    def _quantity(self) -> Decimal:
        return abs(self._desk.quantity(self._symbol))

    def _fitting(self, level: Decimal) -> OrderReport | None:
        """A stop seen resting at just this level for just this quantity; the newest."""
        fitting = [
            report
            for report in self._seen.values()
            if report.price == level and report.quantity - report.filled == self._quantity()
        ]
        return fitting[-1] if fitting else None

    def _best(self, holding: Holding) -> OrderReport | None:
        """The nearest stop seen resting that covers all that is held."""
        closing = Side.SELL if holding.side > 0 else Side.BUY
        covering = [
            report
            for report in self._seen.values()
            if report.side is closing and report.price is not None and self._covers(report)
        ]
        return max(covering, key=lambda r: (r.price or Decimal(0)) * holding.side, default=None)

    def _covers(self, report: OrderReport) -> bool:
        """Whether it would close all that is held; at some venues one for more closes nothing."""
        over = report.quantity - report.filled - self._quantity()
        return over >= 0 if self._bench.broker.trims else over == 0

    def _must_wait(self, entry: Entry) -> bool:
        """Whether an earlier attempt must show its outcome first, or its refusal is too fresh."""
        now = self._bench.clock.now()
        if any(o.client_id not in self._seen for o in self._stops()) or self._has_fired(entry, now):
            return True
        covered = any(self._covers(report) for report in self._seen.values())
        if self._refused is not None:
            pause = _MOVE_AGAIN_AFTER if covered else AGAIN_AFTER
            return now - self._refused[0] < pause
        return covered and self._placed_at is not None and now - self._placed_at < _MOVE_EVERY

    def _stops(self) -> list[Order]:
        live = self._desk.live(self._symbol)
        return [o for o in live if o.kind == OrderKind.STOP_MARKET and o.reduce_only]

    def _has_fired(self, entry: Entry, now: datetime) -> bool:
        """Whether a stop traded just now: the position it closed may still be listed."""
        stop = self._desk.order(entry.stop_id) if entry.stop_id else None
        if stop is None or not (stop.status is OrderStatus.FILLED or stop.filled):
            self._fired_at = None
            return False
        self._fired_at = self._fired_at or now
        return now - self._fired_at < SETTLING

    # -- what is told ---------------------------------------------------------------------------

    def _state(self, holding: Holding | None, entry: Entry | None) -> Protection | None:
        """What stands now; ``None`` while that cannot be said and need not be yet."""
        now = self._bench.clock.now()
        if holding is None or entry is None:
            return self._without_position(entry, now)
        self._doubted_at = None
        level, quantity = self.level(holding), self._quantity()
        if not self._bench.broker.protects or level is None:
            why = NO_LEVEL if level is None else RESTS_HERE
            return Protection(self._symbol, ProtectionState.NONE, price=level, why=why)
        best = self._best(holding)
        if best is not None and self._seen_at is not None and now - self._seen_at <= TRUSTED_FOR:
            return Protection(
                self._symbol,
                ProtectionState.VERIFIED,
                stop_id=best.client_id,
                price=best.price,
                quantity=best.quantity - best.filled,
                verified_at=self._seen_at,
            )
        if self._has_fired(entry, now) or self._is_listed_late(now):
            return None
        missing, why = ProtectionState.MISSING, self._why(best)
        return Protection(self._symbol, missing, price=level, quantity=quantity, why=why)

    def _is_listed_late(self, now: datetime) -> bool:
        """Whether the venue took a stop just now and its list does not show it yet."""
        unseen = [order for order in self._stops() if order.client_id not in self._seen]
        return bool(unseen) and all(
            order.status is OrderStatus.OPEN and now - order.decided_at < SETTLING
            for order in unseen
        )

    def _without_position(self, entry: Entry | None, now: datetime) -> Protection | None:
        stray = bool(self._quantity()) and not self._bench.standing.foreign
        if entry is None and not (stray or self._desk.in_doubt(self._symbol) or self._desk.blind):
            self._doubted_at = None
            return Protection(self._symbol, ProtectionState.NONE, why=FLAT)
        if not self._bench.broker.protects or (entry is None and not stray):
            return None
        self._doubted_at = self._doubted_at or now
        if now - self._doubted_at < SETTLING:
            return None
        return Protection(self._symbol, ProtectionState.MISSING, why=IN_DOUBT)

    def _why(self, best: OrderReport | None) -> str:
        if best is not None or self._seen_at is None:
            return UNANSWERED
        if self._refused is not None:
            return f"the venue refused the stop: {self._refused[1]}"[:200]
        if self._seen:
            return "the stop at the venue is not for what is held"
        if any(order.status in _UNSURE for order in self._stops()):
            return "it is not known yet whether the venue took the stop"
        return "no stop rests at the venue"


def next_leg(desk: Desk, entry: Entry, leg: str) -> str:
    """The attempt after the last one; names found in the journal survive a kill.

    They follow one another, so a venue that refuses for hours costs no look at each of them.
    """

    def is_made(number: int) -> bool:
        return desk.order(desk.order_id(entry.client_id, f"{leg}{number}")) is not None

    made, free = 0, 1
    while is_made(free):
        made, free = free, 2 * free
    while free - made > 1:
        middle = (made + free) // 2
        made, free = (middle, free) if is_made(middle) else (made, middle)
    return f"{leg}{free}"
