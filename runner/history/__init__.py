"""Candles of the past: fetched through the exchange adapter, kept in columnar files."""
