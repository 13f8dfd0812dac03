"""Ready-made strategies, each with a protective stop and a word on when it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Template:
    """A starting point for a user's own strategy."""

    key: str
    title: str
    summary: str
    fails_when: str
    rules: dict[str, Any]


def _part(kind: str, **params: float) -> dict[str, Any]:
    return {"kind": kind, "enabled": True, "params": params}


def _rules(
    timeframe: str,
    signals: list[dict[str, Any]],
    exits: list[dict[str, Any]],
    *,
    filters: tuple[dict[str, Any], ...] = (),
    threshold: float = 1.0,
    percent: str = "10",
) -> dict[str, Any]:
    return {
        "market_type": "linear",
        "timeframe": timeframe,
        "direction": "both",
        "combination": {"mode": "min_score", "threshold": threshold},
        "signals": [{**signal, "weight": 1.0} for signal in signals],
        "filters": list(filters),
        "guards": [],
        "gates": [],
        "exits": exits,
        "sizing": {"kind": "percent_equity", "value": percent},
    }


TEMPLATES: tuple[Template, ...] = (
    Template(
        "ema_trend",
        "EMA trend",
        "Follows the trend when a fast moving average crosses a slow one, in moving markets only.",
        "Price moves sideways: averages cross back and forth and each turn costs fees.",
        _rules(
            "15m",
            [_part("ema_cross", fast=12, slow=26)],
            [_part("stop_loss", percent=1.5), _part("signal_flip")],
            filters=(_part("min_volatility", period=14, percent=0.1),),
        ),
    ),
    Template(
        "rsi_reversion",
        "RSI mean reversion",
        "Buys when an oversold market turns up, sells short when an overbought one turns down.",
        "A strong trend: the market stays oversold or overbought and the stop is hit in a row.",
        _rules(
            "5m",
            [_part("rsi_reversion", period=14, lower=30, upper=70)],
            [
                _part("stop_loss", percent=1.0),
                _part("take_profit", percent=1.0),
                _part("time_stop", candles=48),
            ],
        ),
    ),
    Template(
        "donchian_breakout",
        "Donchian breakout",
        "Follows a close outside the range of the last 20 candles.",
        "False breakouts in a range: price leaves the channel and comes straight back.",
        _rules(
            "1h",
            [_part("donchian_breakout", period=20)],
            [_part("stop_loss", percent=2.0), _part("signal_flip")],
        ),
    ),
    Template(
        "fast_ema_demo",
        "Fast EMA demo",
        "Trades one-second candles of the practice market, to watch a whole trade within a minute.",
        "Anywhere but on a practice market: fees outweigh moves this small.",
        _rules(
            "1s",
            [_part("ema_cross", fast=5, slow=20)],
            [
                _part("stop_loss", percent=0.3),
                _part("take_profit", percent=0.3),
                _part("time_stop", candles=45),
                _part("signal_flip"),
            ],
        ),
    ),
)
