"""What templates are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Entry = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """A starting point for a user's own strategy.

    ``leaves_out``: what somebody who knows the family would expect and does not get.
    """

    key: str
    family: str
    title: str
    summary: str
    fails_when: str
    rules: dict[str, Any]
    leaves_out: str = ""


def part(kind: str, timeframe: str | None = None, **params: Any) -> Entry:
    """An entry of the rules; ``timeframe`` where its candles are not the strategy's."""
    entry: Entry = {"kind": kind, "enabled": True, "params": params}
    return entry if timeframe is None else {**entry, "timeframe": timeframe}


def signal(kind: str, weight: float = 1.0, **params: Any) -> Entry:
    return {**part(kind, **params), "weight": weight}


def share_of_equity(percent: str) -> dict[str, Any]:
    """Positions worth so much of the account."""
    return {"kind": "percent_equity", "value": percent}


def at_risk(percent: str, multiple: float, period: int = 14) -> dict[str, Any]:
    """Positions that lose so much of the account over a multiple of the ATR."""
    return {"kind": "atr_risk", "value": percent, "period": period, "multiple": multiple}


def rules(
    timeframe: str,
    signals: Iterable[Entry],
    exits: Iterable[Entry],
    *,
    filters: Iterable[Entry] = (),
    guards: Iterable[Entry] = (),
    gates: Iterable[Entry] = (),
    combination: dict[str, Any] | None = None,
    sizing: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Rules for a linear market, both directions."""
    return {
        "market_type": "linear",
        "timeframe": timeframe,
        "direction": "both",
        "combination": combination or {"mode": "min_score", "threshold": 1.0},
        "signals": list(signals),
        "filters": list(filters),
        "guards": list(guards),
        "gates": list(gates),
        "exits": list(exits),
        "sizing": sizing or share_of_equity("10"),
    }
