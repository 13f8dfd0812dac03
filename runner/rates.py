"""Funding rate and open interest: what a strategy may read beside its candles."""

from __future__ import annotations

import contextlib
from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.errors import Operational, Temporary
from runner.strategy.registry import COMPONENTS, SECTIONS, enabled

if TYPE_CHECKING:
    from runner.exchange.base import Market


class Rates(NamedTuple):
    """``funding``: a share per interval. ``open_interest``: in base units. NaN where unknown."""

    funding: float = nan
    open_interest: float = nan


UNKNOWN = Rates()


def wanted(rules: dict[str, Any]) -> bool:
    """Whether anything that is switched on reads them."""
    entries = (entry for section in SECTIONS for entry in enabled(rules, section))
    return any(COMPONENTS[entry["kind"]].group == "funding" for entry in entries)


class RateReader:
    """Asks the market once for each candle; what it does not tell then stays unknown.

    Components say so in their words and pass nothing, so a failure here stops no other part of a
    strategy. Only the newest candle is given a reading: what was true at an older one's close is
    not known any more.
    """

    def __init__(self, market: Market, symbol: str, rules: dict[str, Any]) -> None:
        self._market = market
        self._symbol = symbol
        self._wanted = self._due = wanted(rules)
        self._rates = UNKNOWN

    async def look(self) -> None:
        """Ask, unless that was done since the last candle was judged."""
        if not self._due:
            return
        self._due = False
        with contextlib.suppress(Temporary, Operational):
            funding = await self._market.funding(self._symbol)
            self._rates = self._rates._replace(funding=float(funding.rate))
        with contextlib.suppress(Temporary, Operational):
            interest = await self._market.open_interest(self._symbol)
            self._rates = self._rates._replace(open_interest=float(interest))

    def take(self) -> Rates:
        """For the newest candle; the next one wants another reading."""
        rates, self._rates, self._due = self._rates, UNKNOWN, self._wanted
        return rates
