"""A strategy in one paragraph of plain English."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from runner.strategy.registry import enabled, parameters_of
from runner.strategy.spec import Params

_SENTENCES: dict[str, Callable[[Params], str]] = {
    "ema_cross": lambda p: f"the {p['fast']:g}-candle EMA crosses the {p['slow']:g}-candle EMA",
    "rsi_reversion": lambda p: (
        f"the {p['period']:g}-candle RSI comes back above {p['lower']:g} (long) "
        f"or below {p['upper']:g} (short)"
    ),
    "donchian_breakout": lambda p: (
        f"the close leaves the channel of the last {p['period']:g} candles"
    ),
    "min_volatility": lambda p: (
        f"the {p['period']:g}-candle ATR is at least {p['percent']:g} % of the price"
    ),
    "stop_loss": lambda p: f"at a loss of {p['percent']:g} %",
    "take_profit": lambda p: f"at a gain of {p['percent']:g} %",
    "time_stop": lambda p: f"after {p['candles']:g} candles",
    "signal_flip": lambda _: "when the signals turn against it",
}
_SIDES = {"long": "only buys", "short": "only sells short", "both": "trades both directions"}


def explain(rules: dict[str, Any]) -> str:
    """What validated ``rules`` do, for a person who has never seen the form."""
    market = f"On every closed {rules['timeframe']} candle of a {rules['market_type']} market"
    parts = [f"{market} it {_SIDES[rules['direction']]}: {_entry_sentence(rules)}."]
    conditions = [_say(e) for s in ("filters", "guards", "gates") for e in enabled(rules, s)]
    if conditions:
        parts.append(f"It enters only while {_join(conditions, 'and')}.")
    exits = [_say(entry) for entry in enabled(rules, "exits")]
    parts.append(f"It leaves a position {_join(exits, 'or')}, whichever comes first.")
    parts.append(_size_sentence(rules["sizing"]))
    return " ".join(parts)


def _entry_sentence(rules: dict[str, Any]) -> str:
    signals = enabled(rules, "signals")
    said = [_say(entry) for entry in signals]
    if len(said) == 1:
        return f"it enters when {said[0]}"
    threshold = rules["combination"]["threshold"]
    if rules["combination"]["mode"] == "min_signals":
        return f"it enters when at least {threshold:g} of these agree: {_join(said, 'and')}"
    weighted = [
        f"{text} (weight {entry.get('weight', 1.0):g})"
        for text, entry in zip(said, signals, strict=True)
    ]
    return f"it enters when these add up to a score of {threshold:g}: {_join(weighted, 'and')}"


def _size_sentence(sizing: dict[str, Any]) -> str:
    value = Decimal(sizing["value"])
    if sizing["kind"] == "percent_equity":
        return f"Each position is worth {value:f} % of the account's equity."
    return f"Each position is worth {value:f} in quote currency."


def _say(entry: dict[str, Any]) -> str:
    return _SENTENCES[entry["kind"]](parameters_of(entry))


def _join(words: list[str], last: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
