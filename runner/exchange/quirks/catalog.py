"""Which ccxt class trades which exchange; no HTTP client is loaded, as the bundler reads it too."""

from runner import capabilities

VENUES = {name: row.ccxt_id for name, row in capabilities.TABLE.items()}
UNLISTED = {name: row.ccxt_id for name, row in capabilities.UNLISTED.items()}
