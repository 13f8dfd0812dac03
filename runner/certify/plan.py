"""The steps in their order, and which of them make no sense once another one has failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from runner.certify import account, listening, outline, position, public, resting
from runner.certify.stand import Stand

Work = Callable[[Stand], Awaitable[str]]


@dataclass(frozen=True)
class Step:
    """``work`` returns what was seen, or raises why the step failed."""

    id: str
    work: Work
    needs: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return outline.STEPS[self.id]


STEPS: tuple[Step, ...] = (
    Step("connect", public.connect),
    Step("clock", public.clock, ("connect",)),
    Step("instruments", public.instruments, ("connect",)),
    Step("prices", public.prices, ("instruments",)),
    Step("address", public.address, ("connect",)),
    Step("key", account.key, ("clock",)),
    Step("balance", account.balance, ("key", "prices")),
    Step("leverage", account.leverage, ("balance",)),
    Step("limit", resting.limit, ("balance",)),
    Step("amend", resting.amend, ("limit",)),
    Step("post_only", resting.post_only, ("limit",)),
    Step("duplicate", resting.duplicate, ("limit",)),
    Step("market", position.market, ("limit",)),
    Step("reduce_only", position.reduce_only, ("market",)),
    Step("partial", resting.partial, ("market",)),
    Step("cancel_race", resting.cancel_race, ("market",)),
    Step("stop", position.stop, ("market",)),
    Step("stop_trigger", position.stop_trigger, ("stop",)),
    Step("restart", resting.restart, ("limit",)),
    Step("streams", listening.streams, ("limit",)),
    Step("pace", public.pace, ("instruments",)),
)
