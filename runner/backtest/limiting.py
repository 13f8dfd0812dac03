"""The limits above a simulated account: the runner's own judgements, without its disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf

from runner.backtest.request import Request
from runner.capital import Capital
from runner.desk import Intent
from runner.entries import Standing
from runner.exchange.paper_venue import PaperVenue
from runner.halts import UNTIL_MIDNIGHT
from runner.ledger import FLAT
from runner.protocol import Breach, Limits, OnBreach, Window
from runner.risk import Exposure, Stake, judge, judge_account
from runner.sizing import room

ZERO = Decimal(0)
_RUN = "backtest"
_ALWAYS = Window(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Halted:
    """A limit that was passed, and when."""

    at: datetime
    breach: Breach


class Watch:
    """``halted``: every limit that was passed; ``standing``: what stands against an entry."""

    def __init__(self, request: Request, venue: PaperVenue) -> None:
        self._venue = venue
        self._limits = request.limits
        self._unlimited = request.limits == Limits(on_breach=request.limits.on_breach)
        self.standing = Standing(
            windows=(_ALWAYS,) if request.windows is None else request.windows,
            lease_deadline=inf,
            grace_seconds=0.0,
            preflight_passed=True,
            end_policy=request.end_policy,
            quiet_minutes=request.quiet_minutes,
        )
        self.halted: list[Halted] = []
        self._halts: list[Halted] = []
        self._capital = Capital()
        self._sent: list[datetime] = []
        self._lost_at: datetime | None = None
        self._refused_in_a_row = 0

    @property
    def always(self) -> bool:
        """Whether a limit asks for what the account is worth between entries."""
        asked = self._limits
        money = (asked.max_daily_loss, asked.max_drawdown, asked.max_leverage)
        return any(limit is not None for limit in money)

    def look(self, now: datetime) -> str | None:
        """Judge the account as it stands; why everything must be closed now, if so."""
        self._end_the_day(now)
        self._capital.weigh(now, _RUN, self._venue.account.equity)
        if not self._unlimited:
            standing = {halt.breach.limit for halt in self._halts}
            for breach in judge_account(self._limits, self._exposure(now, None, None)):
                if breach.limit not in standing:
                    halt = Halted(now, breach)
                    self._halts.append(halt)
                    self.halted.append(halt)
            self._stand()
        return self.standing.way_out(now)

    def objection(self, intent: Intent, now: datetime, worst: Decimal | None) -> str | None:
        """Why an entry must not be sent, as the runner's guard would say it."""
        self._end_the_day(now)
        if self.standing.breach is not None:
            return self.standing.breach
        if self._unlimited:
            return None
        breach = judge(intent, self._limits, self._exposure(now, intent.symbol, worst))
        return None if breach is None else f"limit: {breach.text}"

    def room(self, symbol: str, now: datetime, worst: Decimal | None) -> tuple[Decimal, str] | None:
        """The most base units the limits leave for an entry, and which of them; see ``sizing``."""
        if self._unlimited:
            return None
        return room(self._limits, self._exposure(now, symbol, worst), symbol)

    def sent(self, now: datetime) -> None:
        """An order left."""
        if self._limits.max_orders_per_minute is not None:
            self._sent.append(now)

    def refused(self) -> None:
        """The venue refused an order."""
        self._refused_in_a_row += 1

    def filled(self) -> None:
        """The venue filled one."""
        self._refused_in_a_row = 0

    def lost(self, at: datetime) -> None:
        """A trade was closed at a loss."""
        self._lost_at = at

    def _end_the_day(self, now: datetime) -> None:
        kept = [
            halt
            for halt in self._halts
            if halt.breach.limit != UNTIL_MIDNIGHT or halt.at.date() == now.date()
        ]
        if len(kept) != len(self._halts):
            self._halts = kept
            self._stand()

    def _stand(self) -> None:
        closing = [h for h in self._halts if h.breach.policy is not OnBreach.PAUSE]
        first = next(iter((*closing, *self._halts)), None)
        self.standing.breach = None if first is None else f"limit: {first.breach.text}"
        self.standing.breach_closes = bool(closing)

    def _exposure(self, now: datetime, symbol: str | None, worst: Decimal | None) -> Exposure:
        state, equity = self._venue.state, self._venue.account.equity
        names = [*state.lots, *([] if symbol is None else [symbol])]
        self._sent = [at for at in self._sent if now - at <= timedelta(minutes=1)]
        return Exposure(
            equity=equity,
            day_result=self._capital.day_result(equity),
            drawdown=self._capital.drawdown(equity),
            stakes={
                name: Stake(
                    state.lots.get(name, FLAT).quantity,
                    mark=state.marks.get(name, ZERO),
                    price=worst if name == symbol else None,
                )
                for name in dict.fromkeys(names)
            },
            orders_last_minute=len(self._sent),
            refused_in_a_row=self._refused_in_a_row,
            lost_ago=None if self._lost_at is None else now - self._lost_at,
        )
