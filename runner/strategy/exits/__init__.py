"""Exit rules: each says whether to leave; price levels are watched on every tick."""

from runner.strategy.exits import candles, stops, targets, trailing

MODULES = (stops, targets, trailing, candles)
"""Where the registry finds the exits, in the order a person sees them."""
