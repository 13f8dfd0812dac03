"""Venues: what the runner asks of one, the ccxt adapter, and the paper broker."""
