"""Templates that bet on a return."""

from __future__ import annotations

from runner.strategy.templates.parts import Template, at_risk, part, rules, signal

TEMPLATES = (
    Template(
        "rsi_reversion",
        "mean reversion",
        "RSI mean reversion",
        "Buys when an oversold market turns up, sells short when an overbought one turns down.",
        "A strong trend: the market stays oversold or overbought and the stop is hit in a row.",
        rules(
            "5m",
            [signal("rsi_reversion", period=14, lower=30, upper=70)],
            [
                part("stop_loss", percent=1.0),
                part("take_profit", percent=1.0),
                part("time_stop", candles=48),
            ],
        ),
    ),
    Template(
        "bollinger_reversion",
        "mean reversion",
        "Bollinger reversion",
        "Bets on the middle of the bands when price comes back inside, in calm markets only.",
        "News and liquidations: price walks along the band and the return comes after the stop.",
        rules(
            "15m",
            [signal("bollinger_reversion", period=20, width=2.0)],
            [
                part("atr_stop", period=14, multiple=2.0),
                part("take_profit", percent=1.0),
                part("volatility_exit", period=5, base=50, multiple=2.5),
                part("time_stop", candles=32),
            ],
            filters=[part("max_volatility", period=14, percent=1.5)],
            guards=[part("candle_range", period=14, multiple=2.5)],
            sizing=at_risk("0.5", 2.0),
        ),
    ),
    Template(
        "funding_fade",
        "funding fade",
        "Funding fade",
        "Bets against the side that pays high funding, where price has run far from its mean.",
        "A one-sided market stays so: funding is small beside the move against the position.",
        rules(
            "1h",
            [signal("funding_fade", percent=0.03)],
            [
                part("stop_loss", percent=2.0),
                part("take_profit", percent=2.0),
                part("time_stop", candles=24),
            ],
            filters=[part("z_score", period=48, level=1.0)],
            guards=[part("away_from_funding", interval=8, before=10, after=5)],
        ),
        "It collects funding only as far as it holds over a payment, and hedges nothing. Without a "
        "known funding rate it never enters.",
    ),
)
