"""Templates that follow a market out of its range."""

from __future__ import annotations

from runner.strategy.templates.parts import Template, at_risk, part, rules, signal

TEMPLATES = (
    Template(
        "donchian_breakout",
        "breakout",
        "Donchian breakout",
        "Follows a close outside the range of the last 20 candles.",
        "False breakouts in a range: price leaves the channel and comes straight back.",
        rules(
            "1h",
            [signal("donchian_breakout", period=20)],
            [part("stop_loss", percent=2.0), part("signal_flip")],
        ),
    ),
    Template(
        "squeeze_breakout",
        "volatility breakout",
        "Squeeze breakout",
        "Waits until the hour is wound up, then follows a quarter hour out of its channel.",
        "The first move out of a squeeze is often the wrong one, and the stop is close.",
        rules(
            "15m",
            [signal("donchian_breakout", period=20)],
            [
                part("atr_stop", period=14, multiple=2.0),
                part("break_even", activation=1.0, offset=0.15),
                part("chandelier", period=14, multiple=3.0),
                part("time_stop", candles=96),
            ],
            filters=[part("bandwidth_rank", "1h", period=20, past=120, percent=30.0)],
            guards=[part("candle_range", period=14, multiple=3.0)],
            sizing=at_risk("0.5", 2.0),
        ),
    ),
    Template(
        "volume_breakout",
        "breakout",
        "Breakout with volume",
        "Follows the break of a swing high or low that comes with far more volume than usual.",
        "Volume of liquidations: the crowd leaves at the extreme, and nobody follows.",
        rules(
            "15m",
            [signal("swing_break", width=3)],
            [
                part("atr_stop", period=14, multiple=2.0),
                part("take_profit_ladder", distance_1=1.0, distance_2=2.0, distance_3=3.0),
                part("signal_flip"),
            ],
            filters=[part("volume_spike", period=20, multiple=2.0)],
            sizing=at_risk("0.5", 2.0),
        ),
    ),
    Template(
        "session_open_range",
        "session open range",
        "Session open range",
        "Follows the first close outside the first half hour after the New York open, on weekdays.",
        "Quiet days: the range breaks late, on nothing, and the session ends before the target.",
        rules(
            "5m",
            [signal("opening_range", hour=14, minute=30, minutes=30, buffer=0.05)],
            [
                part("stop_loss", percent=1.0),
                part("trailing_stop", activation=1.0, distance=0.6),
                part("session_end", hour=21, minute=0),
            ],
            filters=[part("weekdays", first="Monday", last="Friday")],
        ),
        "Times are UTC and do not follow daylight saving: move the hour twice a year. It knows no "
        "exchange holidays.",
    ),
)
