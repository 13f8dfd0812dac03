"""What an account earned, apart from what was paid in or out. Pure arithmetic, quote currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from runner.protocol import Flow, FlowKind

ZERO = Decimal(0)
TOLERANCE = Decimal("0.01")
"""Venues round each fill to their own last digit; what is less than this is no difference."""
_STRANGE_FOR = timedelta(seconds=60)
"""A venue may show a transfer in the wallet a while before it lists it, and a fill as well."""


@dataclass
class Capital:
    """Results are differences of ``net``: equity without any deposit or withdrawal ever seen.

    ``flows``: deposits less withdrawals so far. ``day_start`` and ``peak``: ``net`` at the first
    look on ``day`` (UTC), and its highest since the ``run`` began. ``wallet``: what fills and flows
    say the wallet holds, from the first look on. ``strange``: what it holds beside that, since
    ``strange_since``: a transfer or a fill that is not listed yet, nobody knows which. Until that
    is known, what speaks for the account counts, so that no limit is passed by mistake, and
    neither a day nor a peak begins. ``brought``: what an earlier run had made of the day
    ``brought_on``; that day's result begins with it.
    """

    flows: Decimal = ZERO
    day: str = ""
    day_start: Decimal = ZERO
    run: str = ""
    peak: Decimal = ZERO
    wallet: Decimal | None = None
    strange: Decimal = ZERO
    strange_since: datetime | None = None
    brought: Decimal = ZERO
    brought_on: str = ""

    def net(self, equity: Decimal) -> Decimal:
        return equity - self.flows - min(self.strange, ZERO)

    def day_result(self, equity: Decimal) -> Decimal:
        """Gain or loss of this UTC day, open profit and funding included."""
        return self.net(equity) - self.day_start if self.day else ZERO

    def drawdown(self, equity: Decimal) -> Decimal:
        """How far below its best moment of this run the account stands; never negative."""
        return max(self.peak - self.net(equity), ZERO) if self.run else ZERO

    def weigh(self, now: datetime, run: str, equity: Decimal) -> bool:
        """Take a look into account; whether something changed that must be remembered."""
        before = (self.day, self.run, self.peak)
        net, today = self.net(equity), now.date().isoformat()
        if self.day != today:
            # Without all that is strange: were it listed later, the day would begin with a result.
            self.day, self.day_start = today, equity - self.flows - self.strange
            self.day_start -= self.brought if self.brought_on == today else ZERO
        if self.strange_since is not None:
            return before != (self.day, self.run, self.peak)
        if self.run != run:
            self.run, self.peak = run, net
        self.peak = max(self.peak, net)
        return before != (self.day, self.run, self.peak)

    def for_another_run(self, today: date) -> Capital:
        """The day's result alone: the books begin anew, as nobody kept them meanwhile.

        Nothing is held between two runs, so the wallet is the equity.
        """
        if self.wallet is None or self.day != today.isoformat():
            return Capital(brought=self.brought, brought_on=self.brought_on)
        result = self.wallet - self.flows - self.day_start
        return Capital(brought=result, brought_on=self.day)

    def book(self, change: Decimal) -> None:
        """A fill or a flow moved the wallet."""
        if self.wallet is not None:
            self.wallet += change

    def flow(self, flow: Flow, quote: str) -> None:
        """Funding and what a venue gives or takes besides is a result; a transfer is none."""
        if flow.currency != quote:
            return
        self.book(flow.amount)
        if flow.kind in (FlowKind.DEPOSIT, FlowKind.WITHDRAWAL):
            self.flows += flow.amount

    def look(self, wallet: Decimal, now: datetime) -> None:
        """Compare the wallet with what should be in it; the first look says what was there."""
        if self.wallet is None:
            self.wallet = wallet
        difference = wallet - self.wallet
        if abs(difference) <= TOLERANCE:
            self.strange, self.strange_since = ZERO, None
            return
        self.strange = difference
        self.strange_since = self.strange_since or now

    def accept(self, now: datetime) -> Decimal | None:
        """What has been strange for too long to be listed late; a result from now on."""
        if self.strange_since is None or now - self.strange_since < _STRANGE_FOR:
            return None
        accepted = self.strange
        self.book(accepted)
        self.strange, self.strange_since = ZERO, None
        return accepted
