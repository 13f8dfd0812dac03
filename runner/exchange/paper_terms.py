"""What the paper venue assumes where no market can tell it; a result names these beside itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from runner.exchange.base import Instrument


class Trigger(StrEnum):
    """The price that fires a stop."""

    LAST = "last"
    MARK = "mark"


class Margin(StrEnum):
    """What stands behind a position: all the money there is, or its own initial margin.

    An isolated position costs that margin at most, with the fee of closing it; funding and the fee
    of opening are paid by the wallet. The venue's insurance fund pays what a gap takes beyond.
    """

    CROSS = "cross"
    ISOLATED = "isolated"


@dataclass(frozen=True)
class Fees:
    """What an account of some tier pays, as a share of the value; a rebate is negative."""

    taker: Decimal
    maker: Decimal


@dataclass(frozen=True)
class Terms:
    """The account's terms at the paper venue.

    ``leverage``: the most that all positions and resting entries may be worth, as a multiple of
    equity. ``maintenance``: the share of the value below which a position is liquidated.
    ``fees``: the tier, where it is not the one the venue lists for everybody. ``reject_rate``: the
    share of orders refused for no reason of theirs, the same ones for the same ``seed``.
    ``withdrawn``: the share of the shown size that the pessimistic price does without.
    """

    trigger: Trigger = Trigger.LAST
    margin: Margin = Margin.CROSS
    leverage: Decimal = Decimal(20)
    maintenance: Decimal = Decimal("0.005")
    fees: Fees | None = None
    reject_rate: Decimal = Decimal(0)
    seed: str = ""
    withdrawn: Decimal = Decimal("0.5")

    def fee_rate(self, instrument: Instrument, liquidity: str) -> Decimal:
        fees = self.fees or Fees(instrument.taker_fee, instrument.maker_fee)
        return fees.taker if liquidity == "taker" else fees.maker

    def rejects(self, client_id: str) -> bool:
        """Whether chance refuses this order; it decides alike however often it is asked."""
        if not self.reject_rate:
            return False
        drawn = hashlib.sha256(f"{self.seed}:{client_id}".encode()).digest()[:6]
        return Decimal(int.from_bytes(drawn)) < self.reject_rate * 2**48
