"""Money that came or went without a trade: told once, and kept apart from results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.exchange.base import Account
from runner.protocol import EventKind

if TYPE_CHECKING:
    from runner.bench import Bench


async def collect(bench: Bench) -> None:
    """Tell what the venue lists and nobody was told yet. Raises ``Temporary``."""
    memory, asked = bench.memory, bench.clock.now()
    for flow in sorted(await bench.broker.flows(memory.flows.since), key=lambda f: f.at):
        if flow.id in memory.flows.ids:
            continue
        with memory.whole(), bench.journal.transaction():
            if memory.capital.wallet is not None:
                bench.outbox.append(EventKind.FLOW, flow, asked)
            memory.note_flow(flow)
    memory.flows.finish(asked)


async def weigh(bench: Bench) -> Account:
    """The account as it is now, taken into the books. Raises ``Temporary``."""
    account = await bench.broker.account()
    equity = account.balance + account.unrealised
    bench.memory.weigh(bench.clock.now(), equity, account.balance)
    return account


async def compare(bench: Bench) -> None:
    """Whether the wallet holds what fills and flows say; the first look tells what was there.

    A difference that stays is told and counts as a result from then on: another bot on the same
    account makes one with each trade, so it is told once and again only after it was gone.
    """
    await collect(bench)
    account = await weigh(bench)
    accepted = bench.memory.capital.accept(bench.clock.now())
    if accepted is None:
        if bench.memory.capital.strange_since is None:
            bench.settled("balance_differs")
        return
    bench.memory.save()
    bench.memory.weigh(bench.clock.now(), account.balance + account.unrealised, account.balance)
    quote = bench.configuration.quote
    text = (
        f"the wallet holds {account.balance:.2f} {quote}, {accepted:+.2f} against what this bot's "
        "fills and the listed flows add up to; another bot, or a person, trades on this account"
    )
    bench.notice("warning", "balance_differs", text, once=True)
