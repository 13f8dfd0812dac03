"""Which components exist, and how rules become live components."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from runner.strategy import components, exits
from runner.strategy.components.external import ExternalDirection
from runner.strategy.exits.base import ExitRule
from runner.strategy.spec import ROLES, TIMEFRAMES, Component, ComponentSpec, Params

_DAY = 86_400
SECTIONS = {**ROLES, "exits": "exit"}
"""Every list in the rules to the role of its entries."""


def _classes(modules: Iterable[ModuleType]) -> dict[str, type[Any]]:
    """The classes with a spec that are made in ``modules``, by kind."""
    found = {}
    for module in modules:
        for name in vars(module):
            item: Any = getattr(module, name)
            own = isinstance(item, type) and item.__module__ == module.__name__
            if own and isinstance(getattr(item, "spec", None), ComponentSpec):
                found[item.spec.kind] = item
    return found


_COMPONENTS: dict[str, type[Component]] = _classes(components.MODULES)
_EXITS: dict[str, type[ExitRule]] = _classes(exits.MODULES)
COMPONENTS: dict[str, ComponentSpec] = {
    **{kind: cls.spec for kind, cls in _COMPONENTS.items()},
    **{kind: cls.spec for kind, cls in _EXITS.items()},
}


@dataclass(frozen=True)
class Placed:
    """A live signal, filter, guard or gate.

    ``weight`` is its share in the score, ``seconds`` the length of its own candles.
    """

    kind: str
    role: str
    weight: float
    seconds: int
    component: Component

    @property
    def directional(self) -> bool:
        return self.component.spec.directional


@dataclass(frozen=True)
class PlacedExit:
    """A live exit rule; ``seconds`` is the length of its own candles."""

    kind: str
    seconds: int
    rule: ExitRule


def parameters_of(entry: dict[str, Any]) -> Params:
    """The parameters of one entry of the rules, defaults filled in."""
    given = entry.get("params", {})
    spec = COMPONENTS[entry["kind"]]
    return {p.name: given.get(p.name, p.default) for p in spec.parameters}


def enabled(rules: dict[str, Any], section: str) -> list[dict[str, Any]]:
    """The entries of one list that are switched on."""
    return [entry for entry in rules.get(section, []) if entry.get("enabled", True)]


def seconds_of(rules: dict[str, Any], entry: dict[str, Any]) -> int:
    """Length of the candles that an entry reads: its own time frame, else the strategy's."""
    return TIMEFRAMES[entry.get("timeframe") or rules["timeframe"]]


def assemble(rules: dict[str, Any]) -> list[Placed]:
    """Live signals, filters, guards and gates of validated rules, in their order."""
    return [
        Placed(
            entry["kind"],
            role,
            float(entry.get("weight", 1.0)),
            seconds_of(rules, entry),
            _COMPONENTS[entry["kind"]](parameters_of(entry)),
        )
        for section, role in ROLES.items()
        for entry in enabled(rules, section)
    ]


def assemble_exits(rules: dict[str, Any]) -> list[PlacedExit]:
    """Live exit rules of validated rules, in their order."""
    return [
        PlacedExit(
            entry["kind"], seconds_of(rules, entry), _EXITS[entry["kind"]](parameters_of(entry))
        )
        for entry in enabled(rules, "exits")
    ]


def listens(rules: dict[str, Any], sections: Iterable[str] = tuple(ROLES)) -> bool:
    """Whether something in these lists reads what a program outside says."""
    entries = (entry for section in sections for entry in enabled(rules, section))
    return any(entry["kind"] == ExternalDirection.spec.kind for entry in entries)


def is_protected(rules: dict[str, Any]) -> bool:
    """Whether a stop stands behind each position from its entry on."""
    return any(
        _EXITS[entry["kind"]].stands_at_once(parameters_of(entry))
        for entry in enabled(rules, "exits")
    )


def warmup(rules: dict[str, Any]) -> int:
    """Candles of the strategy's time frame to feed before the first decision.

    So many that a restart changes nothing visible: recursive averages keep less than half a
    percent of their seed. A higher time frame counts in whole candles of its own, one of which
    may have begun before the history did.
    """
    entries = [entry for section in SECTIONS for entry in enabled(rules, section)]
    need = max((entry_warmup(rules, entry) for entry in entries), default=2)
    if "code" in rules:
        need = max(need, int(rules["code"]["warmup"]))
    if rules["sizing"]["kind"] == "atr_risk":
        need = max(need, 6 * int(rules["sizing"]["period"]) + 2)
    return max(need, 2)


def entry_warmup(rules: dict[str, Any], entry: dict[str, Any]) -> int:
    """Candles of the strategy's time frame that one entry needs."""
    spec, seconds = COMPONENTS[entry["kind"]], seconds_of(rules, entry)
    own = max(spec.warmup(parameters_of(entry)), spec.days * _DAY // seconds) + 1
    multiple = seconds // TIMEFRAMES[rules["timeframe"]]
    return own * multiple + (multiple - 1)
