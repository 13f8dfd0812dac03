"""Signals, filters, guards and gates, one module per group; each reads closed candles in order."""

from runner.strategy.components import mean_reversion, structure, trend, volatility

MODULES = (trend, mean_reversion, structure, volatility)
"""Where the registry finds the components, in the order a person sees them."""
