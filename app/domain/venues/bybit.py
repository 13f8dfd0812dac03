"""Bybit: its keys, and what becomes of a position."""

from app.domain.venues.venue import pair, venue_from
from runner import capabilities

BYBIT = venue_from(
    capabilities.BYBIT,
    pair(
        r"[A-Za-z0-9]{16,64}",
        "18 letters and digits",
        r"[A-Za-z0-9]{32,128}",
        "36 letters and digits",
    ),
    (
        "The stop rests at Bybit as a reduce-only conditional order, fires on the last price and "
        "closes the position at market; other orders give way if the margin is short. Bybit's dead "
        "man's switch is never armed, as it would cancel the stop."
    ),
)
