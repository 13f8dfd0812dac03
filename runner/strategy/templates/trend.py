"""Templates that go with the trend."""

from __future__ import annotations

from runner.strategy.templates.parts import Template, at_risk, part, rules, signal

TEMPLATES = (
    Template(
        "ema_trend",
        "trend following",
        "EMA trend",
        "Follows the trend when a fast moving average crosses a slow one, in moving markets only.",
        "Price moves sideways: averages cross back and forth and each turn costs fees.",
        rules(
            "15m",
            [signal("ema_cross", fast=12, slow=26)],
            [part("stop_loss", percent=1.5), part("signal_flip")],
            filters=[part("min_volatility", period=14, percent=0.1)],
        ),
    ),
    Template(
        "macd_trend",
        "trend following",
        "MACD trend",
        "Enters with a MACD cross on the side of the long average, and trails what it gains.",
        "A trend ends in a slow turn: MACD lags, and the trail gives back three average ranges.",
        rules(
            "1h",
            [signal("macd_cross", fast=12, slow=26, signal=9)],
            [
                part("atr_stop", period=14, multiple=2.5),
                part("chandelier", period=14, multiple=3.0),
                part("signal_flip"),
            ],
            filters=[part("price_vs_average", period=200, margin=0.0)],
            gates=[part("adx_strength", period=14, level=20.0)],
            sizing=at_risk("0.5", 2.5),
        ),
    ),
    Template(
        "supertrend",
        "trend following",
        "Supertrend",
        "Stays on the side of the Supertrend as long as ADX says that there is a trend.",
        "Wide ranges without direction: each change of side is a loss of several average ranges.",
        rules(
            "1h",
            [signal("supertrend", period=10, multiple=3.0)],
            [
                part("stop_loss", percent=3.0),
                part("chandelier", period=10, multiple=3.0),
                part("signal_flip"),
            ],
            filters=[part("adx_strength", period=14, level=22.0)],
            sizing=at_risk("0.5", 3.0, 10),
        ),
    ),
    Template(
        "trend_pullback",
        "trend following",
        "Pullback in a trend",
        "Buys the dip of a five-minute market that trends upwards by the hour, and the reverse.",
        "The dip is the turn: the hourly trend needs hours to notice what the stop pays for.",
        rules(
            "5m",
            [signal("rsi_reversion", period=14, lower=35.0, upper=65.0)],
            [
                part("atr_stop", period=14, multiple=2.5),
                part("break_even", activation=0.8, offset=0.15),
                part("trailing_stop", activation=1.2, distance=0.6),
                part("time_stop", candles=144),
            ],
            filters=[part("ema_trend", "1h", fast=20, slow=50)],
            sizing=at_risk("0.5", 2.5),
        ),
    ),
    Template(
        "momentum_rotation",
        "momentum rotation",
        "Momentum rotation",
        "Holds a market while it gained over a day, three days and a week, and leaves it when not.",
        "Momentum breaks: after a long run the exit comes late and the way back is fast.",
        rules(
            "1h",
            [signal("momentum_rotation", short=24, middle=72, long=168, percent=1.0)],
            [
                part("stop_loss", percent=4.0),
                part("trailing_stop", activation=4.0, distance=3.0),
                part("signal_flip"),
            ],
            gates=[part("volatility_regime", short=24, long=240, lower=0.0, upper=2.0)],
            sizing=at_risk("0.5", 3.0),
        ),
        "It ranks no markets against each other: each symbol of a bot is judged by itself, and "
        "rotates between long, flat and short.",
    ),
)
