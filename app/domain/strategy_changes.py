"""What differs between two sets of rules, in the words a user set them with."""

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

from runner.strategy import COMPONENTS, Parameter

DIRECTIONS = {"both": "Long and short", "long": "Long only", "short": "Short only"}
COMBINATIONS = {
    "min_score": "Sum of weights",
    "weighted": "Share of all weights",
    "min_signals": "Number of signals",
    "all": "All signals",
    "any": "Any signal",
    "majority": "Most signals",
}
SIZINGS = {
    "percent_equity": "Percent of equity",
    "fixed_notional": "Fixed amount",
    "atr_risk": "Percent of equity at risk",
}
ROLES = {
    "signals": "Signal",
    "filters": "Filter",
    "guards": "Entry guard",
    "gates": "Risk gate",
    "exits": "Exit",
}
_STRATEGY = "Strategy"
_HEAD: tuple[tuple[str, str, str | None, dict[str, str]], ...] = (
    ("Market", "market_type", None, {}),
    ("Timeframe", "timeframe", None, {}),
    ("Direction", "direction", None, DIRECTIONS),
    ("Signals count by", "combination", "mode", COMBINATIONS),
    ("Enter from", "combination", "threshold", {}),
    ("Position size", "sizing", "kind", SIZINGS),
    ("Size", "sizing", "value", {}),
    ("ATR length", "sizing", "period", {}),
    ("Distance at risk", "sizing", "multiple", {}),
)
Entry = dict[str, Any]
Named = dict[tuple[str, int], Entry]


@dataclass(frozen=True)
class Difference:
    """One change; ``before`` or ``after`` is empty where the thing was not there."""

    role: str
    component: str
    setting: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """A line of two sources beside each other; ``sign`` is +, - or a blank for one they share."""

    sign: str
    before: int | None
    after: int | None
    text: str


def lines(old: list[str], new: list[str]) -> list[Line | None]:
    """What differs between two sources, with some lines around it; ``None`` where lines lie out."""
    found: list[Line | None] = []
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(3)
    for number, group in enumerate(groups):
        if number:
            found.append(None)
        for kind, i1, i2, j1, j2 in group:
            if kind == "equal":
                pairs = zip(range(i1, i2), range(j1, j2), strict=True)
                found += [Line(" ", i + 1, j + 1, old[i]) for i, j in pairs]
                continue
            found += [Line("-", i + 1, None, old[i]) for i in range(i1, i2)]
            found += [Line("+", None, j + 1, new[j]) for j in range(j1, j2)]
    return found


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """All that differs between validated rules; defaults count as if they were written down."""
    found = [
        Difference(_STRATEGY, "", title, *pair)
        for title, key, inner, words in _HEAD
        if (pair := (_head(before, key, inner, words), _head(after, key, inner, words)))
        and pair[0] != pair[1]
    ]
    for section, role in ROLES.items():
        old, new = _named(before.get(section, [])), _named(after.get(section, []))
        found += _section(role, old, new)
    return found


def flatten(rules: Any, path: str = "") -> dict[str, Any]:
    """Rules as ``{path: value}``, for diffs."""
    if isinstance(rules, dict):
        items = [(f"{path}.{key}" if path else key, value) for key, value in rules.items()]
    elif isinstance(rules, list):
        items = [(f"{path}[{index}]", value) for index, value in enumerate(rules)]
    else:
        return {path: rules}
    flat: dict[str, Any] = {}
    for name, value in items:
        flat |= flatten(value, name)
    return flat


def _head(rules: dict[str, Any], key: str, inner: str | None, words: dict[str, str]) -> str:
    value = rules[key] if inner is None else rules[key].get(inner)
    return words.get(value, _text(value)) if isinstance(value, str) else _text(value)


def _named(entries: list[Entry]) -> Named:
    """Entries by kind and by how many of their kind came before: so they are matched."""
    seen: Counter[str] = Counter()
    found = {}
    for entry in entries:
        found[entry["kind"], seen[entry["kind"]]] = entry
        seen[entry["kind"]] += 1
    return found


def _section(role: str, old: Named, new: Named) -> list[Difference]:
    found = [Difference(role, _title(key), "", "there", "") for key in old if key not in new]
    for key, entry in new.items():
        before = _settings(old[key], role) if key in old else {}
        for setting, value in _settings(entry, role).items():
            if before.get(setting) != value:
                was = before.get(setting, "")
                found.append(Difference(role, _title(key), setting, was, value))
        if key not in old:
            found.append(Difference(role, _title(key), "", "", "there"))
    kept = [key for key in old if key in new]
    places = [list(new).index(key) for key in kept]
    if any(one > other for one, other in pairwise(places)):
        orders = [
            ", ".join(_title(key) for key in side if key in old and key in new)
            for side in (old, new)
        ]
        found.append(Difference(role, "", "Order", *orders))
    return found


def _title(key: tuple[str, int]) -> str:
    """The component's title; a second of its kind has a number."""
    kind, before = key
    return COMPONENTS[kind].title + (f" ({before + 1})" if before else "")


def _settings(entry: Entry, role: str) -> dict[str, str]:
    given = entry.get("params", {})
    found = {"Switched": "on" if entry.get("enabled", True) else "off"}
    if role == ROLES["signals"]:
        found["Weight"] = _text(entry.get("weight", 1.0))
    found["Candles"] = entry.get("timeframe") or "as the strategy"
    for item in COMPONENTS[entry["kind"]].parameters:
        found[item.title] = _value(item, given.get(item.name, item.default))
    return found


def _value(item: Parameter, value: Any) -> str:
    text = value.replace("_", " ") if isinstance(value, str) else _text(value)
    return f"{text} {item.unit}".strip()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return repr(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
