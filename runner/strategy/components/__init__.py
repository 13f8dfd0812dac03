"""Signals, filters, guards and gates, one module per group; each reads closed candles in order."""

from runner.strategy.components import (
    bands,
    external,
    funding,
    guards,
    mean_reversion,
    momentum,
    patterns,
    structure,
    times,
    trend,
    trend_smooth,
    trend_systems,
    volatility,
    volume,
    vwap,
)

MODULES = (
    trend,
    trend_smooth,
    trend_systems,
    mean_reversion,
    bands,
    momentum,
    volatility,
    volume,
    vwap,
    structure,
    patterns,
    funding,
    times,
    guards,
    external,
)
"""Where the registry finds the components, in the order a person sees them."""
