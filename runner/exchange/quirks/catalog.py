"""Which ccxt class trades which exchange; imports nothing, so that the bundler may read it."""

VENUES: dict[str, str] = {"practice": "binanceusdm"}
