"""Which components exist, and how rules become live components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runner.strategy.exits import SignalFlip, StopLoss, TakeProfit, TimeStop
from runner.strategy.filters import MinVolatility
from runner.strategy.signals import DonchianBreakout, EmaCross, RsiReversion
from runner.strategy.spec import ROLES, Component, ComponentSpec, Exit, Params

_COMPONENTS: dict[str, Callable[[Params], Component]] = {
    cls.spec.kind: cls for cls in (EmaCross, RsiReversion, DonchianBreakout, MinVolatility)
}
_EXITS: dict[str, Callable[[Params], Exit]] = {
    cls.spec.kind: cls for cls in (StopLoss, TakeProfit, TimeStop, SignalFlip)
}
COMPONENTS: dict[str, ComponentSpec] = {
    cls.spec.kind: cls.spec
    for cls in (
        EmaCross,
        RsiReversion,
        DonchianBreakout,
        MinVolatility,
        StopLoss,
        TakeProfit,
        TimeStop,
        SignalFlip,
    )
}


@dataclass(frozen=True)
class Placed:
    """A live signal, filter, guard or gate with its role and its weight in the score."""

    kind: str
    role: str
    weight: float
    component: Component


@dataclass(frozen=True)
class PlacedExit:
    """A live exit rule."""

    kind: str
    rule: Exit


def parameters_of(entry: dict[str, Any]) -> Params:
    """The parameters of one entry of the rules, defaults filled in."""
    given = entry.get("params", {})
    spec = COMPONENTS[entry["kind"]]
    return {p.name: given.get(p.name, p.default) for p in spec.parameters}


def enabled(rules: dict[str, Any], section: str) -> list[dict[str, Any]]:
    """The entries of one list that are switched on."""
    return [entry for entry in rules.get(section, []) if entry.get("enabled", True)]


def assemble(rules: dict[str, Any]) -> list[Placed]:
    """Live signals, filters, guards and gates of validated rules, in their order."""
    return [
        Placed(
            entry["kind"],
            role,
            float(entry.get("weight", 1.0)),
            _COMPONENTS[entry["kind"]](parameters_of(entry)),
        )
        for section, role in ROLES.items()
        for entry in enabled(rules, section)
    ]


def assemble_exits(rules: dict[str, Any]) -> list[PlacedExit]:
    """Live exit rules of validated rules, in their order."""
    return [
        PlacedExit(entry["kind"], _EXITS[entry["kind"]](parameters_of(entry)))
        for entry in enabled(rules, "exits")
    ]


_CONVERGENCE = {
    "ema_cross": ("slow", 4),
    "rsi_reversion": ("period", 6),
    "min_volatility": ("period", 6),
}


def warmup(rules: dict[str, Any]) -> int:
    """Candles to feed before the first decision, so that a restart changes nothing visible.

    Recursive averages forget their seed by (1 - alpha)^k: 4 lengths of an EMA or 6 of Wilder's
    mean leave less than half a percent of it.
    """
    need = 2
    for section in ROLES:
        for entry in enabled(rules, section):
            params = parameters_of(entry)
            name, factor = _CONVERGENCE.get(entry["kind"], ("period", 1))
            need = max(need, int(params.get(name, 1)) * factor + 2)
    return need
