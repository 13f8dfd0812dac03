"""Incremental indicators in plain floats, one candle at a time, equal to TA-Lib's."""

from runner.strategy.indicators.averages import Ema, WilderMean
from runner.strategy.indicators.oscillators import Rsi
from runner.strategy.indicators.structure import Donchian
from runner.strategy.indicators.volatility import Atr

__all__ = ["Atr", "Donchian", "Ema", "Rsi", "WilderMean"]
