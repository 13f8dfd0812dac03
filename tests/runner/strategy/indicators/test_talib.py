"""Every indicator that TA-Lib has, against TA-Lib, candle by candle."""

import numpy as np
import pytest
import talib

from runner.strategy.indicators import averages, oscillators, rolling, trend, volatility, volume
from tests.runner.strategy.markets import MARKETS


def closes(indicator):
    return lambda bar: indicator.update(bar.close)


def ranges(indicator):
    return lambda bar: indicator.update(bar.high, bar.low, bar.close)


def highlow(indicator):
    return lambda bar: indicator.update(bar.high, bar.low)


def flows(indicator):
    return lambda bar: indicator.update(bar.high, bar.low, bar.close, bar.volume)


def after(step, indicator, *names):
    """The attributes of ``indicator`` once its step answered."""

    def read(bar):
        return None if step(bar) is None else tuple(getattr(indicator, name) for name in names)

    return read


def macd():
    own = averages.Macd(12, 26, 9)
    return lambda bar: None if (h := own.update(bar.close)) is None else (own.line, own.signal, h)


def bands():
    own = volatility.Bollinger(20, 2.0)
    return after(closes(own), own, "upper", "middle", "lower")


def stochastic():
    own = oscillators.Stochastic(14, 3, 3)
    return lambda bar: None if (d := ranges(own)(bar)) is None else (own.k, d)


def williams():
    own = oscillators.Position(14)

    def read(bar):
        place = ranges(own)(bar)
        if place is None:
            return None
        # Of a range without height TA-Lib says 0 here, though its stochastic says 0 as well.
        return 0.0 if own.flat else place - 100.0

    return read


def balance():
    own = volume.Obv()
    return lambda bar: own.update(bar.close, bar.volume)


def movement():
    own = trend.Dmi(14)
    return after(ranges(own), own, "plus", "minus")


def strength():
    own = trend.Dmi(14)
    step = ranges(own)
    return lambda bar: (step(bar), own.adx)[1]


def highest(bar_to_x, own):
    return lambda bar: own.update(bar_to_x(bar))


CASES = {
    "SMA": (lambda: closes(averages.Sma(20)), lambda a: talib.SMA(a.c, 20)),
    "EMA": (lambda: closes(averages.Ema(26)), lambda a: talib.EMA(a.c, 26)),
    "WMA": (lambda: closes(averages.Wma(16)), lambda a: talib.WMA(a.c, 16)),
    "KAMA": (lambda: closes(averages.Kama(10)), lambda a: talib.KAMA(a.c, 10)),
    "TRIX": (lambda: closes(averages.Trix(9)), lambda a: talib.TRIX(a.c, 9)),
    "MACD": (macd, lambda a: talib.MACD(a.c, 12, 26, 9)),
    "LINEARREG_SLOPE": (
        lambda: closes(averages.Line(25)),
        lambda a: talib.LINEARREG_SLOPE(a.c, 25),
    ),
    "STDDEV": (lambda: closes(rolling.Spread(20)), lambda a: talib.STDDEV(a.c, 20)),
    "BBANDS": (bands, lambda a: talib.BBANDS(a.c, 20, 2.0, 2.0)),
    "MAX": (lambda: highest(lambda b: b.high, rolling.Highest(20)), lambda a: talib.MAX(a.h, 20)),
    "MIN": (lambda: highest(lambda b: b.low, rolling.Lowest(20)), lambda a: talib.MIN(a.l, 20)),
    "RSI": (lambda: closes(oscillators.Rsi(14)), lambda a: talib.RSI(a.c, 14)),
    "CMO": (lambda: closes(oscillators.Cmo(14)), lambda a: talib.CMO(a.c, 14)),
    "ROC": (lambda: closes(oscillators.Roc(10)), lambda a: talib.ROC(a.c, 10)),
    "STOCH": (stochastic, lambda a: talib.STOCH(a.h, a.l, a.c, 14, 3, 0, 3, 0)),
    "STOCHRSI": (
        lambda: closes(oscillators.StochRsi(14, 14)),
        lambda a: talib.STOCHRSI(a.c, 14, 14, 1, 0)[0],
    ),
    "WILLR": (williams, lambda a: talib.WILLR(a.h, a.l, a.c, 14)),
    "CCI": (lambda: ranges(oscillators.Cci(20)), lambda a: talib.CCI(a.h, a.l, a.c, 20)),
    "ULTOSC": (
        lambda: ranges(oscillators.Ultimate(7, 14, 28)),
        lambda a: talib.ULTOSC(a.h, a.l, a.c, 7, 14, 28),
    ),
    "TRANGE": (lambda: ranges(volatility.TrueRange()), lambda a: talib.TRANGE(a.h, a.l, a.c)),
    "ATR": (lambda: ranges(volatility.Atr(14)), lambda a: talib.ATR(a.h, a.l, a.c, 14)),
    "DI": (
        movement,
        lambda a: (talib.PLUS_DI(a.h, a.l, a.c, 14), talib.MINUS_DI(a.h, a.l, a.c, 14)),
    ),
    "ADX": (strength, lambda a: talib.ADX(a.h, a.l, a.c, 14)),
    "AROONOSC": (lambda: highlow(trend.Aroon(25)), lambda a: talib.AROONOSC(a.h, a.l, 25)),
    "SAR": (lambda: highlow(trend.ParabolicSar(0.02, 0.2)), lambda a: talib.SAR(a.h, a.l)),
    "OBV": (
        balance,
        lambda a: talib.OBV(a.c, a.v),
    ),
    "MFI": (
        lambda: flows(volume.MoneyFlowIndex(14)),
        lambda a: talib.MFI(a.h, a.l, a.c, a.v, 14),
    ),
    "ADOSC": (
        lambda: flows(volume.ChaikinOscillator(3, 10)),
        lambda a: talib.ADOSC(a.h, a.l, a.c, a.v, 3, 10),
    ),
}


class Arrays:
    def __init__(self, bars):
        self.h, self.l, self.c, self.v = (
            np.array([getattr(bar, name) for bar in bars])
            for name in ("high", "low", "close", "volume")
        )


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("name", CASES)
def test_equal_to_talib(name, market):
    bars = MARKETS[market]
    build, theirs = CASES[name]
    step = build()
    expected = theirs(Arrays(bars))
    rows = list(zip(*expected, strict=True)) if isinstance(expected, tuple) else expected
    # Near zero a difference of large numbers has no nine digits; there the price's scale counts.
    scale = bars[0].close if name in ("MACD", "LINEARREG_SLOPE", "STDDEV") else 100.0
    if name in ("OBV", "ADOSC"):
        scale = sum(bar.volume for bar in bars)
    for index, (bar, row) in enumerate(zip(bars, rows, strict=True)):
        own = step(bar)
        if own is None:
            assert np.isnan(row).all(), (index, row)
        else:
            assert own == pytest.approx(row, rel=1e-9, abs=1e-12 * scale), index
