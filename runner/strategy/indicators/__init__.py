"""Incremental indicators in plain floats, by TA-Lib's definitions."""

from runner.strategy.indicators.averages import Ema, WilderMean
from runner.strategy.indicators.channels import Donchian
from runner.strategy.indicators.momentum import Rsi
from runner.strategy.indicators.volatility import Atr

__all__ = ["Atr", "Donchian", "Ema", "Rsi", "WilderMean"]
