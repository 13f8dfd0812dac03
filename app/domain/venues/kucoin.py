"""KuCoin: its keys, and what becomes of a position."""

from app.domain.venues.venue import KeyField, pair, venue_from
from runner import capabilities

KUCOIN = venue_from(
    capabilities.KUCOIN,
    (
        *pair(
            r"[0-9a-f]{24}",
            "24 digits and letters from a to f",
            r"[0-9A-Za-z-]{32,64}",
            "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        ),
        KeyField(
            "passphrase",
            "Passphrase",
            "The one you chose when you made the key, not your password at the exchange.",
            r"[\x21-\x7e]{7,32}",
            "seven or more letters, digits and signs",
        ),
    ),
    (
        "The stop rests at KuCoin as a reduce-only stop order, fires on the last price and closes "
        "the position at market. No dead man's switch is armed, as KuCoin's futures have none."
    ),
)
