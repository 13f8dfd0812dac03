"""A strategy in one paragraph of plain English."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from runner.strategy.combination import SCORES, needed
from runner.strategy.registry import COMPONENTS, enabled, parameters_of

_SIDES = {"long": "only buys", "short": "only sells short", "both": "trades both directions"}


def explain(rules: dict[str, Any]) -> str:
    """What validated ``rules`` do, for a person who has never seen the form."""
    market = f"On every closed {rules['timeframe']} candle of a {rules['market_type']} market"
    code = rules.get("code")
    entry = f"the class {code['class']} decides when" if code else _entry_sentence(rules)
    parts = [f"{market} it {_SIDES[rules['direction']]}: {entry}."]
    conditions = [_say(rules, e) for s in ("filters", "guards", "gates") for e in enabled(rules, s)]
    if conditions:
        parts.append(f"It enters only while {_join(conditions, 'and')}.")
    exits = [_say(rules, entry) for entry in enabled(rules, "exits")]
    exits += ["when the class says so or at the stop it sets"] if code else []
    parts.append(f"It leaves a position {_join(exits, 'or')}, whichever comes first.")
    parts.append(_size_sentence(rules["sizing"]))
    return " ".join(parts)


def _entry_sentence(rules: dict[str, Any]) -> str:
    signals = enabled(rules, "signals")
    said = [_say(rules, entry) for entry in signals]
    if len(said) == 1:
        return f"it enters when {said[0]}"
    weights = [float(entry.get("weight", 1.0)) for entry in signals]
    enough = needed(rules["combination"], weights)
    mode = rules["combination"]["mode"]
    if mode in SCORES:
        weighted = [f"{text} (weight {w:g})" for text, w in zip(said, weights, strict=True)]
        total = f" of {sum(weights):g}" if mode == "weighted" else ""
        return (
            f"it enters when these add up to a score of {enough:g}{total}: {_join(weighted, 'and')}"
        )
    counted = {
        "all": "all of these agree",
        "any": "any of these speaks and fewer speak against it",
        "majority": f"most of these agree ({enough:g} of {len(said)})",
    }
    condition = counted.get(mode, f"at least {enough:g} of these agree")
    return f"it enters when {condition}: {_join(said, 'and')}"


def _size_sentence(sizing: dict[str, Any]) -> str:
    value = Decimal(sizing["value"])
    if sizing["kind"] == "percent_equity":
        return f"Each position is worth {value:f} % of the account's equity."
    if sizing["kind"] == "atr_risk":
        return (
            f"Each position is so large that a move of {sizing['multiple']:g} times the "
            f"{sizing['period']:g}-candle ATR against it costs {value:f} % of the account's equity."
        )
    return f"Each position is worth {value:f} in quote currency."


def _say(rules: dict[str, Any], entry: dict[str, Any]) -> str:
    said = COMPONENTS[entry["kind"]].sentence(parameters_of(entry))
    own = entry.get("timeframe")
    if own is None or own == rules["timeframe"]:
        return said
    return f"on {own} candles {said}"


def _join(words: list[str], last: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
