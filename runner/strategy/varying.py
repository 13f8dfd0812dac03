"""The same rules with other numbers: how a parameter is named, read and replaced."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.strategy.registry import COMPONENTS, SECTIONS, enabled
from runner.strategy.spec import ComponentSpec, Parameter

_PATH = re.compile(r"([a-z_]+)\[(\d+)\]\.params\.([a-z_]+)")


@dataclass(frozen=True)
class Dial:
    """One parameter of one component of some rules; ``path`` is like ``signals[0].params.fast``.

    ``value``: what it is set to.
    """

    path: str
    role: str
    component: ComponentSpec
    parameter: Parameter
    value: Any

    @property
    def title(self) -> str:
        """As people know it."""
        return f"{self.component.title}: {self.parameter.title.lower()}"


def dials(rules: dict[str, Any]) -> list[Dial]:
    """Every parameter of what is switched on, in the order of the rules.

    None of a code strategy: all its rules follow from its source, other numbers are another source.
    """
    found: list[Dial] = []
    if "code" in rules:
        return found
    for section, role in SECTIONS.items():
        live = enabled(rules, section)
        for index, entry in enumerate(rules.get(section, [])):
            if entry not in live:
                continue
            spec, given = COMPONENTS[entry["kind"]], entry.get("params", {})
            for one in spec.parameters:
                path = f"{section}[{index}].params.{one.name}"
                found.append(Dial(path, role, spec, one, given.get(one.name, one.default)))
    return found


def place_of(path: Any, rules: dict[str, Any]) -> tuple[str, int, str] | None:
    """List, index and parameter that a path names; ``None`` for what is no path of these rules."""
    found = _PATH.fullmatch(path) if isinstance(path, str) else None
    if found is None:
        return None
    section, index, name = found.groups()
    return (section, int(index), name) if int(index) < len(rules.get(section, [])) else None


def varied(rules: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the rules with these parameters set, by path; paths of other rules are refused.

    Raises:
        KeyError: a path names no component of these rules.
    """
    changed = copy.deepcopy(rules)
    for path, value in values.items():
        place = place_of(path, rules)
        if place is None:
            raise KeyError(path)
        section, index, name = place
        changed[section][index].setdefault("params", {})[name] = value
    return changed
