"""Phemex: its keys, and what becomes of a position."""

from app.domain.venues.venue import pair, venue_from
from runner import capabilities

PHEMEX = venue_from(
    capabilities.PHEMEX,
    pair(
        r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}",
        "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        r"[\x21-\x7e]{20,200}",
        "80 or more letters, digits and signs",
    ),
    (
        "The stop rests at Phemex as a conditional order that only closes, fires on the last price "
        "and closes the position at market; other orders give way if the margin is short. Phemex "
        "has no dead man's switch."
    ),
)
