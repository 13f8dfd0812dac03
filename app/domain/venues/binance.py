"""Binance: its keys, and what becomes of a position."""

from app.domain.venues.venue import pair, venue_from
from runner import capabilities

BINANCE = venue_from(
    capabilities.BINANCE,
    pair(
        r"[A-Za-z0-9]{64}",
        "64 letters and digits",
        r"[A-Za-z0-9]{64}",
        "64 letters and digits",
    ),
    (
        "The stop rests at Binance as a reduce-only algo order, fires on the last price and closes "
        "the position at market. No dead man's switch is armed, as Binance has none."
    ),
)
