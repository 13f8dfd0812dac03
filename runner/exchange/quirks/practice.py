"""The practice market: Binance USD-M's protocol at an endpoint of its own."""

from __future__ import annotations

import os
from typing import Any

from yarl import URL

from runner.capabilities.practice import PRACTICE, PRACTICE_TWIN
from runner.errors import Operational
from runner.exchange.base import Rights
from runner.exchange.quirks.binance import Binance
from runner.exchange.quirks.venue import redirect
from runner.protocol import PRACTICE_LIVE


class Practice(Binance):
    facts = PRACTICE
    address_path = "/practice/v1/whoami"

    def prepare(self, api: Any) -> None:
        """The endpoint is given; there is no other host to switch to."""

    async def rights(self, api: Any) -> Rights:
        config = await api.fapiPrivateGetAccountConfig()
        return Rights(
            trade=bool(config["canTrade"]),
            withdraw=bool(config["canWithdraw"]),
            bound_addresses=None,
            account=await self._number(api),
        )


class PracticeLive(Practice):
    """Live mode on the practice market, so that tests can walk the whole live path.

    It exists only where ``PLUTARC_PRACTICE_LIVE`` holds the address of a practice market on this
    very machine: then the platform lists it, as the demo never does. A bot is born in it on paper.
    """

    facts = PRACTICE_TWIN

    def origins(self) -> tuple[str, ...]:
        given = os.environ.get(PRACTICE_LIVE, "").rstrip("/")
        if not given:
            raise Operational(
                f"exchange {self.exchange!r} is for tests; set {PRACTICE_LIVE} in them"
            )
        if URL(given).host not in ("127.0.0.1", "::1", "localhost"):
            raise Operational(f"{PRACTICE_LIVE} must be an address of this machine, not {given}")
        return (given,)

    def prepare(self, api: Any) -> None:
        redirect(api, self.origins()[0])
