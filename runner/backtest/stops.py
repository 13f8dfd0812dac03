"""The stop behind a replayed position: asked for by the bot, at the venue a request later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from runner.backtest.account import Account, Purpose
from runner.desk import Intent
from runner.engine import Engine
from runner.exchange.base import OrderKind
from runner.protection import AGAIN_AFTER
from runner.protocol import Side
from runner.strategy.exits.base import tighter
from runner.strategy.spec import Holding


@dataclass
class Stop:
    """Where it rests, and where it is wanted.

    A runner's stop reaches the paper venue with the picture that is read for it: what the venue
    was told before, its tape above all, cannot fire it. ``looks``: so many pictures are read for
    other ends before. ``asked_at``: when it was last asked for or refused.
    """

    id: str = ""
    price: Decimal | None = None
    wanted: Decimal | None = None
    looks: int = 0
    asked_at: datetime | None = None

    def level(
        self, engine: Engine, account: Account, symbol: str, holding: Holding
    ) -> Decimal | None:
        """Where it belongs; it only moves in favour."""
        level = engine.stop_price(holding)
        if level is None:
            return self.price
        level = account.instruments[symbol].round_price(level, ROUND_HALF_EVEN)
        return tighter(level, self.price, holding.side)

    def is_due(self, account: Account, level: Decimal, now: datetime) -> bool:
        """Whether it rests elsewhere or was refused; a runner asks no more often, either."""
        if self.wanted is not None:
            return False
        if self.asked_at is None:
            return True
        rests = account.is_live(self.id) and level == self.price
        return not rests and now - self.asked_at >= AGAIN_AFTER

    def ask(self, level: Decimal, now: datetime, looks: int = 0) -> None:
        """Want it at a level; the venue hears of it with a later picture."""
        self.wanted, self.asked_at, self.looks = level, now, looks

    def meet(self, account: Account, symbol: str, now: datetime, decided_at: datetime) -> None:
        """A picture that the venue was shown: what is wanted arrives with it, if it is for it."""
        level, held = self.wanted, account.held(symbol)
        if level is None:
            return
        if self.looks:
            self.looks, self.asked_at = self.looks - 1, now
            return
        self.wanted = None
        if not held:
            return
        words = f"the stop at {level:f} fired"
        intent = Intent(
            decision="",
            leg="stop",
            symbol=symbol,
            side=Side.SELL if held > 0 else Side.BUY,
            kind=OrderKind.STOP_MARKET,
            quantity=abs(held),
            purpose="stop",
            reason=words,
            price=level,
            reduce_only=True,
        )
        made = account.send(intent, now, Purpose("stop", words, level, decided_at))
        if not account.is_live(made):
            self.asked_at = now
            return
        if self.id:  # The one before goes once the new one rests, and stays where it does not.
            account.venue.cancel(self.id, now)
        self.id, self.price = made, level

    def end(self, account: Account, now: datetime) -> None:
        """Nothing is held any more."""
        if self.id:
            account.venue.cancel(self.id, now)
        self.id, self.price, self.wanted, self.asked_at = "", None, None, None
