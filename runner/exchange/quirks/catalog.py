"""Which ccxt class trades which exchange; imports nothing, so that the bundler may read it."""

VENUES: dict[str, str] = {
    "practice": "binanceusdm",
    "binance": "binanceusdm",
    "bybit": "bybit",
    "okx": "okx",
    "kucoin": "kucoinfutures",
}
UNLISTED: dict[str, str] = {"practice-live": "binanceusdm"}
"""Offered to nobody: the live path on the practice market, for tests (``quirks/practice.py``)."""
