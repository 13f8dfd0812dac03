"""OKX: its keys, and what becomes of a position."""

from app.domain.venues.venue import KeyField, pair, venue_from
from runner import capabilities

OKX = venue_from(
    capabilities.OKX,
    (
        *pair(
            r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}",
            "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            r"[0-9A-F]{32}",
            "32 digits and letters from A to F",
        ),
        KeyField(
            "passphrase",
            "Passphrase",
            "The one you chose when you made the key, not your password at the exchange.",
            r"[\x21-\x7e]{6,64}",
            "eight or more letters, digits and signs",
        ),
    ),
    (
        "The stop rests at OKX as a reduce-only algo order, fires on the last price and closes the "
        "position at market. OKX's dead man's switch is never armed, as it would cancel the stop."
    ),
)
