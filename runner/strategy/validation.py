"""Faults in strategy rules, each with its place and what to do about it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from runner.strategy import source
from runner.strategy.combination import NEEDS_THRESHOLD
from runner.strategy.registry import (
    COMPONENTS,
    SECTIONS,
    enabled,
    entry_warmup,
    parameters_of,
    seconds_of,
)
from runner.strategy.spec import (
    COMBINATIONS,
    DIRECTIONS,
    MARKET_TYPES,
    MOST_HISTORY,
    SIZINGS,
    TIMEFRAMES,
    ComponentSpec,
    Parameter,
)

_MOST = 20
_MOST_NOTIONAL = 1_000_000_000_000
_KEYS = ("market_type", "timeframe", "direction", "combination", "sizing", *SECTIONS)
_ATR_RISK = {
    "period": Parameter(
        "period", "ATR length", "int", "candles", 2, 100, 14, "Length of Wilder's ATR."
    ),
    "multiple": Parameter(
        "multiple", "Distance at risk", "float", "× ATR", 0.1, 50, 2, "As far as the stop stands."
    ),
}
"""Settings of sizing by ATR, beside the share of equity at risk."""
_ENTRY_KEYS = ("kind", "enabled", "params", "weight", "timeframe")


@dataclass(frozen=True)
class Fault:
    """One thing to put right; ``path`` is like ``signals[0].params.fast``."""

    path: str
    message: str


def validate(rules: Any) -> list[Fault]:
    """All faults of ``rules``; an empty list means a runner can trade them."""
    if not isinstance(rules, dict):
        return [Fault("", "Rules must be an object with signals, exits and sizing.")]
    if "code" in rules:
        return _code(rules)
    faults = [
        Fault(str(key)[:60], "Unknown setting; remove it.") for key in rules if key not in _KEYS
    ]
    faults += _choice(rules, "market_type", MARKET_TYPES)
    faults += _choice(rules, "timeframe", tuple(TIMEFRAMES))
    faults += _choice(rules, "direction", DIRECTIONS)
    for section, role in SECTIONS.items():
        faults += _section(rules.get(section, []), section, role)
    faults += _sizing(rules.get("sizing"))
    if rules.get("market_type") == "spot" and rules.get("direction") in ("short", "both"):
        faults.append(Fault("direction", "A spot market cannot be sold short; choose long."))
    # What parts mean together can only be judged once each part is sound.
    return faults or [*_combination(rules), *_together(rules)]


def _code(rules: dict[str, Any]) -> list[Fault]:
    """Faults of rules that a source declares; each names its line."""
    code = rules["code"]
    reading = source.read(code.get("source") if isinstance(code, dict) else None)
    if reading.faults:
        return [Fault("code", f"Line {it.line}: {it.message}") for it in reading.faults]
    if rules != reading.rules:
        return [Fault("code", "These rules are not what the source declares; import its text.")]
    plain = {key: value for key, value in rules.items() if key != "code"}
    return [
        Fault(fault.path, f"Line {reading.lines.get(name, 1)}, {fault.path}: {fault.message}")
        for fault in validate(plain)
        if (name := re.split(r"[.\[]", fault.path)[0]) not in ("signals", "combination")
        and (fault.path != "exits" or enabled(rules, "exits"))
    ]


def _choice(
    found: dict[str, Any], key: str, allowed: tuple[str, ...], path: str = ""
) -> list[Fault]:
    if found.get(key) in allowed:
        return []
    return [Fault(path or key, f"Choose one of {', '.join(allowed)}.")]


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
    faults = [
        Fault(f"{path}.{str(key)[:40]}", "Unknown setting; remove it.")
        for key in entry
        if key not in _ENTRY_KEYS
    ]
    if not isinstance(entry.get("enabled", True), bool):
        faults.append(Fault(f"{path}.enabled", "Must be true or false."))
    if role == "signal" and not _is_number(entry.get("weight", 1.0), 0.01, 100):
        faults.append(Fault(f"{path}.weight", "Weight must be a number from 0.01 to 100."))
    if "timeframe" in entry:
        faults += _choice(entry, "timeframe", tuple(TIMEFRAMES), f"{path}.timeframe")
    return faults + _parameters(entry.get("params", {}), spec, path)


def _parameters(params: Any, spec: ComponentSpec, path: str) -> list[Fault]:
    if not isinstance(params, dict):
        return [Fault(f"{path}.params", "Must be an object.")]
    names = [p.name for p in spec.parameters]
    faults = [
        Fault(f"{path}.params.{str(name)[:40]}", "Unknown parameter; remove it.")
        for name in params
        if name not in names
    ]
    for parameter in spec.parameters:
        value = params.get(parameter.name, parameter.default)
        faults += _parameter(value, parameter, f"{path}.params.{parameter.name}")
    return faults


def _parameter(value: Any, parameter: Parameter, place: str) -> list[Fault]:
    if parameter.kind == "choice":
        if isinstance(value, str) and value in parameter.choices:
            return []
        return [Fault(place, f"{parameter.title} must be one of {', '.join(parameter.choices)}.")]
    whole = parameter.kind == "int"
    good = _is_number(value, parameter.minimum, parameter.maximum)
    if good and not (whole and not isinstance(value, int)):
        return []
    noun = "a whole number" if whole else "a number"
    bounds = f"from {parameter.minimum:g} to {parameter.maximum:g} {parameter.unit}".rstrip()
    return [Fault(place, f"{parameter.title} must be {noun} {bounds}.")]


def _is_number(value: Any, minimum: float, maximum: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return minimum <= value <= maximum and math.isfinite(value)


def _sizing(sizing: Any) -> list[Fault]:
    if not isinstance(sizing, dict) or sizing.get("kind") not in SIZINGS:
        return [Fault("sizing.kind", f"Choose one of {', '.join(SIZINGS)}.")]
    by_atr = sizing["kind"] == "atr_risk"
    known = ("kind", "value", *_ATR_RISK) if by_atr else ("kind", "value")
    faults = [
        Fault(f"sizing.{str(key)[:40]}", "Unknown setting; remove it.")
        for key in sizing
        if key not in known
    ]
    if by_atr:
        for parameter in _ATR_RISK.values():
            faults += _parameter(sizing.get(parameter.name), parameter, f"sizing.{parameter.name}")
    return faults + _size(sizing)


def _size(sizing: dict[str, Any]) -> list[Fault]:
    try:
        value = Decimal(sizing["value"]) if isinstance(sizing.get("value"), str) else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value <= 0:
        return [Fault("sizing.value", 'Must be a positive decimal number as text, like "10".')]
    if sizing["kind"] != "fixed_notional" and value > 100:
        what = "At risk per position" if sizing["kind"] == "atr_risk" else "Per position"
        return [Fault("sizing.value", f"{what} at most 100 % of equity.")]
    if value > _MOST_NOTIONAL:
        return [Fault("sizing.value", f"Per position at most {_MOST_NOTIONAL:,} of the quote.")]
    return []


def _combination(rules: dict[str, Any]) -> list[Fault]:
    combination = rules.get("combination")
    if not isinstance(combination, dict) or combination.get("mode") not in COMBINATIONS:
        return [Fault("combination.mode", f"Choose one of {', '.join(COMBINATIONS)}.")]
    mode = combination["mode"]
    known = ("mode", "threshold") if mode in NEEDS_THRESHOLD else ("mode",)
    faults = [
        Fault(f"combination.{str(key)[:40]}", "Has no meaning in this mode; remove it.")
        for key in combination
        if key not in known
    ]
    if faults or mode not in NEEDS_THRESHOLD:
        return faults
    return _threshold(mode, combination.get("threshold"), enabled(rules, "signals"))


def _threshold(mode: str, threshold: Any, signals: list[dict[str, Any]]) -> list[Fault]:
    place = "combination.threshold"
    if mode == "weighted":
        if _is_number(threshold, 0.01, 1):
            return []
        return [Fault(place, "Must be a share of all weights, from 0.01 to 1.")]
    if not _is_number(threshold, 0.01, 2000):
        return [Fault(place, "Must be a number above 0.")]
    if mode == "min_signals":
        most, what = float(len(signals)), "the number of signals"
        if threshold != int(threshold):
            return [Fault(place, "Must be a whole number of signals.")]
    else:
        most, what = sum(float(s.get("weight", 1.0)) for s in signals), "the sum of all weights"
    if signals and threshold > most:
        message = f"Can never be reached: {what} is {most:g}. Lower it to {most:g} or less."
        return [Fault(place, message)]
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
    base = TIMEFRAMES[rules["timeframe"]]
    for section in SECTIONS:
        for index, entry in enumerate(rules.get(section, [])):
            path = f"{section}[{index}]"
            faults += [
                Fault(f"{path}.params.{name}", message)
                for name, message in COMPONENTS[entry["kind"]].faults(parameters_of(entry))
            ]
            if seconds_of(rules, entry) % base:
                message = f"Must be a whole multiple of the strategy's {rules['timeframe']}."
                faults.append(Fault(f"{path}.timeframe", message))
            elif (need := entry_warmup(rules, entry)) > MOST_HISTORY:
                message = (
                    f"Needs {need} candles of {rules['timeframe']} before its first answer, "
                    f"{MOST_HISTORY} are read. Shorten it, or give the strategy longer ones."
                )
                faults.append(Fault(f"{path}.timeframe", message))
    return faults
