"""Exits that take a profit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

from runner.strategy.exits.base import ALL, Target, percent
from runner.strategy.spec import ComponentSpec, Holding, Parameter, Params

RUNGS = (1, 2, 3)


class TakeProfit(Target):
    """Ends a position that gained a share of its entry price."""

    spec = ComponentSpec(
        "take_profit",
        ("exit",),
        "Take profit",
        "Ends the position at a fixed gain, between candles too.",
        (
            Parameter(
                "percent", "Gain", "float", "% of entry price", 0.01, 500, 2, "Distance from entry."
            ),
        ),
        group="exit",
        directional=False,
        sentence=lambda p: f"at a gain of {p['percent']:g} %",
    )

    def __init__(self, params: Params) -> None:
        share = percent(params, "percent")
        self._factors = {1: 1 + share, -1: 1 - share}

    def level(self, holding: Holding) -> Decimal:
        return holding.entry_price * self._factors[holding.side]


def _rung(number: int, distance: float, share: float) -> tuple[Parameter, Parameter]:
    return (
        Parameter(
            f"distance_{number}",
            f"Gain of step {number}",
            "float",
            "% of entry price",
            0.01,
            500,
            distance,
            "Distance from entry.",
        ),
        Parameter(
            f"share_{number}",
            f"Share of step {number}",
            "float",
            "% of the position",
            0,
            100,
            share,
            "Part of the position as it was entered; 0 leaves the step out.",
        ),
    )


def _used(params: Params) -> list[tuple[int, float, float]]:
    """Number, distance and share of the steps that are not left out."""
    rungs = [(n, params[f"distance_{n}"], params[f"share_{n}"]) for n in RUNGS]
    return [rung for rung in rungs if rung[2] > 0]


def _climbs(params: Params) -> Iterable[tuple[str, str]]:
    used = _used(params)
    if not used:
        yield "share_1", "Give at least one step a share, or nothing is ever taken."
    if sum(Decimal(str(share)) for _, _, share in used) > 100:
        yield "share_1", "The shares of all steps come to more than 100 %; lower some."
    for (_, before, _), (number, distance, _) in pairwise(used):
        if distance <= before:
            yield f"distance_{number}", "Each step must lie further away than the one before."


def _ladder_sentence(params: Params) -> str:
    steps = [
        f"{share:g} % of it at a gain of {distance:g} %" for _, distance, share in _used(params)
    ]
    return f"in steps ({', '.join(steps)})"


class TakeProfitLadder(Target):
    """Takes the profit in up to three steps."""

    spec = ComponentSpec(
        "take_profit_ladder",
        ("exit",),
        "Take-profit ladder",
        "Takes the profit in steps: a part of the position at each gain.",
        (*_rung(1, 1, 50), *_rung(2, 2, 30), *_rung(3, 3, 20)),
        group="exit",
        directional=False,
        sentence=_ladder_sentence,
        faults=_climbs,
    )

    def __init__(self, params: Params) -> None:
        self._rungs = [
            (Decimal(str(distance)) / 100, Decimal(str(share)) / 100)
            for _, distance, share in _used(params)
        ]

    def level(self, holding: Holding) -> Decimal | None:
        """Of the next step."""
        if holding.steps >= len(self._rungs):
            return None
        return self._price(holding, holding.steps)

    def steps(self, holding: Holding, price: Decimal) -> int:
        """A price may jump over several at once."""
        reached = holding.steps
        while reached < len(self._rungs) and (
            (price - self._price(holding, reached)) * holding.side >= 0
        ):
            reached += 1
        return reached

    def share(self, holding: Holding, price: Decimal) -> Decimal:
        """Shares are of the position as it was entered; what is left of it is held."""
        before, after = holding.steps, self.steps(holding, price)
        left = ALL - self._taken(before)
        return min((self._taken(after) - self._taken(before)) / left, ALL)

    def _price(self, holding: Holding, step: int) -> Decimal:
        return holding.entry_price * (1 + holding.side * self._rungs[step][0])

    def _taken(self, steps: int) -> Decimal:
        return sum((share for _, share in self._rungs[:steps]), Decimal(0))
