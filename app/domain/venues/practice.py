"""The practice market: its keys, and what becomes of a position."""

from app.domain.venues.venue import pair, venue_from
from runner import capabilities

PRACTICE = venue_from(
    capabilities.PRACTICE,
    pair(
        r"practice-[0-9a-f]{16,64}",
        "practice-0f1e2d3c4b5a69788796a5b4",
        r"[\x21-\x7e]{16,200}",
        "64 letters and digits",
    ),
    ("The stop rests at the practice market, fires on the last price and closes the position."),
)
