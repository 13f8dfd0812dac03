"""Templates that leave in stages, and the one that shows a whole trade within a minute."""

from __future__ import annotations

from runner.strategy.templates.parts import Template, part, rules, signal

TEMPLATES = (
    Template(
        "reversion_ladder",
        "grid",
        "Reversion ladder",
        "Trades a range as a grid does: enters far from the mean and sells in steps on the way.",
        "The range breaks: unlike a grid it stops out, once, instead of holding what falls.",
        rules(
            "5m",
            [signal("z_score", period=96, level=2.0)],
            [
                part("stop_loss", percent=2.0),
                part(
                    "take_profit_ladder",
                    distance_1=0.5,
                    share_1=40.0,
                    distance_2=1.0,
                    share_2=30.0,
                    distance_3=1.5,
                    share_3=30.0,
                ),
                part("time_stop", candles=288),
            ],
            filters=[part("max_volatility", period=14, percent=1.0)],
        ),
        "It is no grid of resting orders: one entry at the market, steps out at the market, and "
        "never a second entry while a position is open. Each step pays taker fees.",
    ),
    Template(
        "scaled_exits",
        "DCA",
        "Scaled exits",
        "Enters where two of three signs of exhaustion agree, and takes the profit in steps.",
        "A long fall without a bounce: it does not buy more on the way down, it takes the loss.",
        rules(
            "15m",
            [
                signal("rsi_reversion", period=14, lower=30.0, upper=70.0),
                signal("bollinger_reversion", period=20, width=2.0),
                signal("z_score", period=50, level=1.0),
            ],
            [
                part("stop_loss", percent=3.0),
                part(
                    "take_profit_ladder",
                    distance_1=1.0,
                    share_1=40.0,
                    distance_2=2.0,
                    share_2=30.0,
                    distance_3=4.0,
                    share_3=30.0,
                ),
                part("break_even", activation=1.5, offset=0.2),
            ],
            combination={"mode": "min_signals", "threshold": 2},
        ),
        "It does not average down: there are no safety orders, an entry is one order, and its "
        "size is known before. Only the way out is scaled.",
    ),
    Template(
        "fast_ema_demo",
        "demonstration",
        "Fast EMA demo",
        "Trades one-second candles of the practice market, to watch a whole trade within a minute.",
        "Anywhere but on a practice market: fees outweigh moves this small.",
        rules(
            "1s",
            [signal("ema_cross", fast=5, slow=20)],
            [
                part("stop_loss", percent=0.3),
                part("take_profit", percent=0.3),
                part("time_stop", candles=45),
                part("signal_flip"),
            ],
        ),
    ),
)
