"""Whether the limits accept an intent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from runner.protocol import Breach, Limits, Side

if TYPE_CHECKING:
    from runner.desk import Intent

ZERO = Decimal(0)


@dataclass(frozen=True)
class Stake:
    """What a symbol holds (signed) and what its resting entries could still add to either side.

    ``mark`` is the venue's mark price; ``price`` where a market order would trade, if known.
    """

    quantity: Decimal = ZERO
    buying: Decimal = ZERO
    selling: Decimal = ZERO
    mark: Decimal = ZERO
    price: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.quantity or self.buying or self.selling)

    @property
    def held(self) -> Decimal:
        """Value of the position."""
        return abs(self.quantity) * self.mark

    @property
    def reach(self) -> Decimal:
        """Value it may come to, whichever of the resting entries are filled."""
        return max(abs(self.quantity + self.buying), abs(self.quantity - self.selling)) * self.mark


@dataclass(frozen=True)
class Exposure:
    """Where the account stands when an intent is considered; amounts in quote currency.

    ``day_result``: since the UTC day began, a loss negative; ``drawdown``: below the best moment of
    the run; both with open profit and without deposits and withdrawals (``runner.capital``).
    ``refused_in_a_row``: newest orders the venue refused; ``lost_ago``: age of the last losing
    trade's end.
    """

    equity: Decimal
    day_result: Decimal
    drawdown: Decimal
    stakes: Mapping[str, Stake]
    orders_last_minute: int = 0
    refused_in_a_row: int = 0
    lost_ago: timedelta | None = None

    @property
    def held(self) -> Decimal:
        return sum((stake.held for stake in self.stakes.values()), ZERO)

    @property
    def reach(self) -> Decimal:
        return sum((stake.reach for stake in self.stakes.values()), ZERO)

    def after(self, intent: Intent) -> Exposure:
        """The same with the intent resting at the venue."""
        stake = self.stakes.get(intent.symbol, Stake())
        if intent.side is Side.BUY:
            stake = replace(stake, buying=stake.buying + intent.quantity)
        else:
            stake = replace(stake, selling=stake.selling + intent.quantity)
        return replace(self, stakes={**self.stakes, intent.symbol: stake})


def needs_marks(limits: Limits) -> bool:
    """Whether an intent cannot be judged without the marks of all symbols at stake."""
    asked = (
        limits.max_position_notional,
        limits.max_order_notional,
        limits.max_leverage,
        limits.price_collar_percent,
        limits.balance_reserve,
    )
    return any(limit is not None for limit in asked)


def judge(intent: Intent, limits: Limits, exposure: Exposure) -> Breach | None:
    """What an intent would breach, or ``None``.

    Every intent that could open or enlarge a position is judged, as if all that rests were filled.
    What reduces is never refused, neither by the price collar: in a torn market a bad exit is
    better than none.
    """
    if intent.reduce_only:
        return None
    after = exposure.after(intent)
    for check in _OF_THE_INTENT:
        found = check(intent, limits, exposure, after)
        if found is not None:
            return found
    return next(_of_the_account(limits, exposure), None)


def judge_account(limits: Limits, exposure: Exposure) -> list[Breach]:
    """What the account breaches as it stands, whether or not anybody wants to enter."""
    return list(_of_the_account(limits, exposure))


def _of_the_account(limits: Limits, exposure: Exposure) -> Iterator[Breach]:
    def past(name: str, value: Decimal, bound: Decimal, text: str) -> Breach:
        return Breach(name, value, bound, limits.on_breach, text)

    lost, bound = -exposure.day_result, limits.max_daily_loss
    if bound is not None and lost >= bound:
        text = f"daily loss {lost:.2f} reached {bound:f}; no entries today"
        yield past("max_daily_loss", lost, bound, text)
    fallen, bound = exposure.drawdown, limits.max_drawdown
    if bound is not None and fallen >= bound:
        yield past("max_drawdown", fallen, bound, f"drawdown {fallen:.2f} reached {bound:f}")
    bound = limits.max_leverage
    if bound is not None and exposure.held > max(exposure.equity, ZERO) * bound:
        times = exposure.held / exposure.equity if exposure.equity > 0 else exposure.held
        text = f"positions of {exposure.held:.2f} exceed {bound:f} times the equity"
        yield past("max_leverage", times, bound, text)
    streak, most = exposure.refused_in_a_row, limits.max_error_streak
    if most is not None and streak >= most:
        text = f"{streak} orders in a row were refused"
        yield past("max_error_streak", Decimal(streak), Decimal(most), text)


def _symbol(intent: Intent, limits: Limits, _now: Exposure, _after: Exposure) -> Breach | None:
    allowed = limits.allowed_symbols
    if allowed is None or intent.symbol in allowed:
        return None
    text = f"{intent.symbol} is none of the allowed symbols"
    return _breach("allowed_symbols", ZERO, Decimal(len(allowed)), text, intent, limits)


def _order(intent: Intent, limits: Limits, _now: Exposure, after: Exposure) -> Breach | None:
    stake = after.stakes[intent.symbol]
    price = max(stake.mark, intent.price or stake.price or stake.mark)
    value, bound = intent.quantity * price, limits.max_order_notional
    if bound is None or value <= bound:
        return None
    text = f"order value {value:.2f} would exceed {bound:f}"
    return _breach("max_order_notional", value, bound, text, intent, limits)


def _position(intent: Intent, limits: Limits, _now: Exposure, after: Exposure) -> Breach | None:
    value, bound = after.stakes[intent.symbol].reach, limits.max_position_notional
    if bound is None or value <= bound:
        return None
    text = f"position value {value:.2f} would exceed {bound:f}"
    return _breach("max_position_notional", value, bound, text, intent, limits)


def _count(intent: Intent, limits: Limits, now: Exposure, after: Exposure) -> Breach | None:
    used = sum(not stake.is_empty for stake in now.stakes.values())
    count = sum(not stake.is_empty for stake in after.stakes.values())
    if limits.max_open_positions is None or count <= limits.max_open_positions:
        return None
    bound = Decimal(limits.max_open_positions)
    text = f"{used} of {bound} positions open"
    return _breach("max_open_positions", Decimal(count), bound, text, intent, limits)


def _pace(intent: Intent, limits: Limits, now: Exposure, _after: Exposure) -> Breach | None:
    most = limits.max_orders_per_minute
    if most is None or now.orders_last_minute < most:
        return None
    value, text = Decimal(now.orders_last_minute), f"{most} orders per minute reached"
    return _breach("max_orders_per_minute", value, Decimal(most), text, intent, limits)


def _collar(intent: Intent, limits: Limits, _now: Exposure, after: Exposure) -> Breach | None:
    """A limit order that waits on the cheap side of the mark costs nothing by being far away."""
    bound, stake = limits.price_collar_percent, after.stakes[intent.symbol]
    if bound is None:
        return None
    price = intent.price or stake.price
    if price is None or not stake.mark:
        text = f"no price of {intent.symbol} for this quantity to compare with its mark"
        return _breach("price_collar_percent", ZERO, bound, text, intent, limits)
    worse = price - stake.mark if intent.side is Side.BUY else stake.mark - price
    percent = worse / stake.mark * 100
    if percent <= bound:
        return None
    text = f"{price:f} is {percent:.2f} % worse than the mark {stake.mark:f}; {bound:f} % allowed"
    return _breach("price_collar_percent", percent, bound, text, intent, limits)


def _leverage(intent: Intent, limits: Limits, _now: Exposure, after: Exposure) -> Breach | None:
    bound = limits.max_leverage
    if bound is None or after.reach <= max(after.equity, ZERO) * bound:
        return None
    times = after.reach / after.equity if after.equity > 0 else after.reach
    text = f"positions of {after.reach:.2f} would exceed {bound:f} times the equity"
    return _breach("max_leverage", times, bound, text, intent, limits)


def _reserve(intent: Intent, limits: Limits, _now: Exposure, after: Exposure) -> Breach | None:
    """What is not reserved may be used once, or as often as the leverage limit says."""
    bound = limits.balance_reserve
    if bound is None:
        return None
    room = max(after.equity - bound, ZERO) * (limits.max_leverage or 1)
    if after.reach <= room:
        return None
    text = f"positions of {after.reach:.2f} would touch the reserve of {bound:f}"
    return _breach("balance_reserve", after.reach, room, text, intent, limits)


def _cooldown(intent: Intent, limits: Limits, now: Exposure, _after: Exposure) -> Breach | None:
    span, ago = limits.cooldown_seconds, now.lost_ago
    if span is None or ago is None or ago >= timedelta(seconds=span):
        return None
    text = f"cooling down for {span} seconds after a losing trade"
    passed = Decimal(int(ago.total_seconds()))
    return _breach("cooldown_seconds", passed, Decimal(span), text, intent, limits)


_Check = Callable[["Intent", Limits, Exposure, Exposure], Breach | None]
_OF_THE_INTENT: tuple[_Check, ...] = (
    _symbol,
    _order,
    _position,
    _count,
    _pace,
    _collar,
    _leverage,
    _reserve,
    _cooldown,
)


def _breach(
    name: str, value: Decimal, bound: Decimal, text: str, intent: Intent, limits: Limits
) -> Breach:
    return Breach(name, value, bound, limits.on_breach, text, intent.symbol)
