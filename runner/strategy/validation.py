"""Faults in strategy rules, each with its place and what to do about it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from runner.strategy.registry import COMPONENTS, enabled, parameters_of
from runner.strategy.spec import (
    COMBINATIONS,
    DIRECTIONS,
    MARKET_TYPES,
    ROLES,
    SIZINGS,
    TIMEFRAMES,
    Parameter,
)

_MOST = 20
_SECTIONS = {**ROLES, "exits": "exit"}
_KEYS = ("market_type", "timeframe", "direction", "combination", "sizing", *_SECTIONS)


@dataclass(frozen=True)
class Fault:
    """One thing to put right; ``path`` is like ``signals[0].params.fast``."""

    path: str
    message: str


def validate(rules: Any) -> list[Fault]:
    """All faults of ``rules``; an empty list means a runner can trade them."""
    if not isinstance(rules, dict):
        return [Fault("", "Rules must be an object with signals, exits and sizing.")]
    faults = [
        Fault(str(key)[:60], "Unknown setting; remove it.") for key in rules if key not in _KEYS
    ]
    faults += _choice(rules, "market_type", MARKET_TYPES)
    faults += _choice(rules, "timeframe", tuple(TIMEFRAMES))
    faults += _choice(rules, "direction", DIRECTIONS)
    for section, role in _SECTIONS.items():
        faults += _section(rules.get(section, []), section, role)
    faults += _sizing(rules.get("sizing"))
    if rules.get("market_type") == "spot" and rules.get("direction") in ("short", "both"):
        faults.append(Fault("direction", "A spot market cannot be sold short; choose long."))
    # What parts mean together can only be judged once each part is sound.
    return faults or [*_combination(rules), *_together(rules)]


def _choice(rules: dict[str, Any], key: str, allowed: tuple[str, ...]) -> list[Fault]:
    if rules.get(key) in allowed:
        return []
    return [Fault(key, f"Choose one of {', '.join(allowed)}.")]


def _section(entries: Any, section: str, role: str) -> list[Fault]:
    if not isinstance(entries, list):
        return [Fault(section, "Must be a list.")]
    if len(entries) > _MOST:
        return [Fault(section, f"At most {_MOST} entries; remove some.")]
    faults: list[Fault] = []
    for index, entry in enumerate(entries):
        faults += _entry(entry, f"{section}[{index}]", role)
    return faults


def _entry(entry: Any, path: str, role: str) -> list[Fault]:
    if not isinstance(entry, dict):
        return [Fault(path, "Must be an object with kind and params.")]
    kind = entry.get("kind")
    spec = COMPONENTS.get(kind) if isinstance(kind, str) else None
    if spec is None or role not in spec.roles:
        known = ", ".join(s.kind for s in COMPONENTS.values() if role in s.roles)
        hint = f"choose one of {known}" if known else "remove it, none is available yet"
        return [Fault(f"{path}.kind", f"There is no {role} of this kind; {hint}.")]
    faults = []
    if not isinstance(entry.get("enabled", True), bool):
        faults.append(Fault(f"{path}.enabled", "Must be true or false."))
    if role == "signal" and not _is_number(entry.get("weight", 1.0), 0.01, 100):
        faults.append(Fault(f"{path}.weight", "Weight must be a number from 0.01 to 100."))
    params = entry.get("params", {})
    if not isinstance(params, dict):
        return [*faults, Fault(f"{path}.params", "Must be an object.")]
    names = [p.name for p in spec.parameters]
    faults += [
        Fault(f"{path}.params.{str(name)[:40]}", "Unknown parameter; remove it.")
        for name in params
        if name not in names
    ]
    for parameter in spec.parameters:
        faults += _parameter(params.get(parameter.name, parameter.default), parameter, path)
    return faults


def _parameter(value: Any, parameter: Parameter, path: str) -> list[Fault]:
    whole = parameter.kind == "int"
    good = _is_number(value, parameter.minimum, parameter.maximum)
    if good and not (whole and not isinstance(value, int)):
        return []
    noun = "a whole number" if whole else "a number"
    bounds = f"from {parameter.minimum:g} to {parameter.maximum:g} {parameter.unit}".rstrip()
    message = f"{parameter.title} must be {noun} {bounds}."
    return [Fault(f"{path}.params.{parameter.name}", message)]


def _is_number(value: Any, minimum: float, maximum: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and minimum <= value <= maximum


def _sizing(sizing: Any) -> list[Fault]:
    if not isinstance(sizing, dict) or sizing.get("kind") not in SIZINGS:
        return [Fault("sizing.kind", f"Choose one of {', '.join(SIZINGS)}.")]
    try:
        value = Decimal(sizing["value"]) if isinstance(sizing.get("value"), str) else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value <= 0:
        return [Fault("sizing.value", 'Must be a positive decimal number as text, like "10".')]
    if sizing["kind"] == "percent_equity" and value > 100:
        return [Fault("sizing.value", "At most 100 % of equity per position.")]
    return []


def _combination(rules: dict[str, Any]) -> list[Fault]:
    combination = rules.get("combination")
    if not isinstance(combination, dict) or combination.get("mode") not in COMBINATIONS:
        return [Fault("combination.mode", f"Choose one of {', '.join(COMBINATIONS)}.")]
    threshold, signals = combination.get("threshold"), enabled(rules, "signals")
    if not _is_number(threshold, 0.01, 2000):
        return [Fault("combination.threshold", "Must be a number above 0.")]
    assert isinstance(threshold, int | float)
    if combination["mode"] == "min_signals":
        most, what = float(len(signals)), "the number of signals"
        if threshold != int(threshold):
            return [Fault("combination.threshold", "Must be a whole number of signals.")]
    else:
        most, what = sum(float(s.get("weight", 1.0)) for s in signals), "the sum of all weights"
    if signals and threshold > most:
        message = f"Can never be reached: {what} is {most:g}. Lower it to {most:g} or less."
        return [Fault("combination.threshold", message)]
    return []


def _together(rules: dict[str, Any]) -> list[Fault]:
    faults = []
    if not enabled(rules, "signals"):
        faults.append(Fault("signals", "Switch on at least one signal, or nothing is ever traded."))
    exits = enabled(rules, "exits")
    if not exits:
        faults.append(Fault("exits", "Switch on at least one exit, or a position never ends."))
    kinds = [entry["kind"] for entry in exits]
    faults += [
        Fault("exits", f"Keep only one {COMPONENTS[kind].title.lower()}.")
        for kind in sorted({k for k in kinds if kinds.count(k) > 1})
    ]
    for index, entry in enumerate(rules.get("signals", [])):
        params = parameters_of(entry)
        if entry["kind"] == "ema_cross" and params["fast"] >= params["slow"]:
            message = "The fast average must be shorter than the slow one."
            faults.append(Fault(f"signals[{index}].params.fast", message))
    return faults
