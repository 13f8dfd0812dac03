"""What a route is: a path, its weight, who may call it, and the function that answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.practice.account import Account
from app.practice.desk import Desk
from app.practice.errors import Refusal
from app.practice.params import Params

Weight = Callable[[Params], int]


@dataclass(frozen=True)
class Call:
    """One request as an answering function sees it; ``account`` is empty on public routes.

    ``told`` is the time as the market tells it, and ``withdraws`` the right it grants, which faults
    may have put off. ``masked`` is what may be shown of the key.
    """

    desk: Desk
    params: Params
    account: str
    ms: int
    told: int
    withdraws: bool = False
    masked: str = ""

    def holder(self) -> Account:
        """The account that calls, brought up to now."""
        return self.desk.account(self.account, self.ms)

    def symbol(self) -> str | None:
        instrument = self.params.optional_instrument()
        return instrument.symbol if instrument else None

    def window(self) -> tuple[int | None, int | None]:
        """``startTime`` and ``endTime``."""
        start = self.params.optional_whole("startTime")
        end = self.params.optional_whole("endTime")
        if start is not None and end is not None and start > end:
            raise Refusal(-1023, "Start time is greater than end time.")
        return start, end

    def page(self, default: int) -> dict[str, Any]:
        """Which rows of a record are wanted, in the store's words."""
        start, end = self.window()
        limit = self.params.limit(default, 1000)
        return {"symbol": self.symbol(), "start": start, "end": end, "limit": limit}


@dataclass(frozen=True)
class Route:
    """``weight`` is spent per source address; ``order`` counts against the account's orders.

    ``keyed``: a key is enough, without a signature.
    """

    method: str
    path: str
    answer: Callable[[Call], Any]
    weight: Weight
    signed: bool = False
    order: bool = False
    keyed: bool = False


def flat(weight: int) -> Weight:
    return lambda _params: weight


def per_symbol(one: int, every: int) -> Weight:
    """Cheap for one symbol, dear without."""
    return lambda params: one if params.text("symbol", "") else every


def by_limit(default: int, *steps: tuple[int, int], above: int) -> Weight:
    """``steps`` are (limit up to and including, weight); beyond the last one it is ``above``."""

    def weight(params: Params) -> int:
        text = params.text("limit", str(default))
        limit = int(text) if text.isascii() and text.isdigit() else default
        return next((cost for bound, cost in steps if limit <= bound), above)

    return weight


def signed(
    method: str, path: str, answer: Callable[[Call], Any], weight: int = 1, *, order: bool = False
) -> Route:
    return Route(method, path, answer, flat(weight), signed=True, order=order)
