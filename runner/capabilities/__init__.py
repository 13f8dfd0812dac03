"""The capability table: one row an exchange, from which pages, checks and adapters are made."""

from dataclasses import dataclass
from datetime import date

from runner.capabilities.binance import BINANCE
from runner.capabilities.bybit import BYBIT
from runner.capabilities.kucoin import KUCOIN
from runner.capabilities.okx import OKX
from runner.capabilities.practice import PRACTICE, PRACTICE_TWIN
from runner.capabilities.table import Capabilities

__all__ = [
    "BINANCE",
    "BYBIT",
    "CLOSED",
    "KUCOIN",
    "OKX",
    "PRACTICE",
    "PRACTICE_TWIN",
    "TABLE",
    "UNLISTED",
    "Capabilities",
    "Closed",
]

TABLE: dict[str, Capabilities] = {
    row.exchange: row for row in (PRACTICE, BINANCE, BYBIT, OKX, KUCOIN)
}
"""By exchange, in the order of the forms."""
UNLISTED: dict[str, Capabilities] = {PRACTICE_TWIN.exchange: PRACTICE_TWIN}
"""Offered to nobody: the live path on the practice market, for tests."""


@dataclass(frozen=True)
class Closed:
    """An exchange that trades no more, and since when."""

    exchange: str
    title: str
    since: date


CLOSED = (Closed("bitmex", "BitMEX", date(2026, 9, 23)),)
