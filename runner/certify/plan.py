"""The steps in their order, and which of them make no sense once another one has failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from runner.certify import account, listening, position, public, resting
from runner.certify.stand import Stand

Work = Callable[[Stand], Awaitable[str]]


@dataclass(frozen=True)
class Step:
    """``work`` returns what was seen, or raises why the step failed."""

    id: str
    title: str
    work: Work
    needs: tuple[str, ...] = ()


STEPS: tuple[Step, ...] = (
    Step("connect", "Connect", public.connect),
    Step("clock", "Clock", public.clock, ("connect",)),
    Step("instruments", "Instrument rules", public.instruments, ("connect",)),
    Step("prices", "Prices that move", public.prices, ("instruments",)),
    Step("address", "Address seen by the venue", public.address, ("connect",)),
    Step("key", "Key and its rights", account.key, ("clock",)),
    Step("balance", "Balance", account.balance, ("key", "prices")),
    Step("leverage", "Leverage", account.leverage, ("balance",)),
    Step("limit", "Limit order", resting.limit, ("balance",)),
    Step("amend", "Order moved to another price", resting.amend, ("limit",)),
    Step("post_only", "Post-only order refused", resting.post_only, ("limit",)),
    Step("duplicate", "Same client id twice", resting.duplicate, ("limit",)),
    Step("market", "Market in and out", position.market, ("limit",)),
    Step("reduce_only", "Reduce-only", position.reduce_only, ("market",)),
    Step("partial", "Partial fill", resting.partial, ("market",)),
    Step("cancel_race", "Cancel race", resting.cancel_race, ("market",)),
    Step("stop", "Stop placed, verified, cancelled", position.stop, ("market",)),
    Step("stop_trigger", "Stop triggered", position.stop_trigger, ("stop",)),
    Step("restart", "Restart in mid-order", resting.restart, ("limit",)),
    Step("streams", "Streams", listening.streams, ("limit",)),
    Step("pace", "Rate limits", public.pace, ("instruments",)),
)
