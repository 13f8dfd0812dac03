"""The leverage and margin mode a symbol has at the venue, against what this bot is made for.

A limit on leverage is kept by the venue as well: its own is never above it, and is set to it while
nothing is held. Everything here counts on cross margin; in isolated margin a position is liquidated
long before the account is empty, perhaps before its stop.
"""

from __future__ import annotations

from decimal import Decimal

from runner.bench import Bench
from runner.desk import Desk
from runner.errors import Operational, UnknownOutcome
from runner.exchange.lending import Lender
from runner.protocol import Check

TROUBLE = "terms"


async def check(bench: Bench, desk: Desk) -> list[Check]:
    """For the preflight: one line a symbol; where it is wrong, entries stay shut.

    Raises ``Temporary`` or ``Operational``.
    """
    if not isinstance(bench.broker, Lender):
        return []
    checks = []
    for symbol in bench.configuration.symbols:
        fault, told = await _look(bench, desk, bench.broker, symbol)
        checks.append(Check("leverage", fault is None, fault or told))
    return checks


async def watch(bench: Bench, desk: Desk) -> None:
    """From time to time, as a person may change it at the venue. Raises as ``check`` does."""
    faults = [c.detail for c in await check(bench, desk) if not c.ok]
    troubles = bench.standing.troubles
    if faults:
        troubles[TROUBLE] = "; ".join(faults)
        bench.notice("warning", "terms_differ", f"no entries: {troubles[TROUBLE]}")
    else:
        troubles.pop(TROUBLE, None)
        bench.settled("terms_differ")


async def _look(bench: Bench, desk: Desk, lender: Lender, symbol: str) -> tuple[str | None, str]:
    """What is wrong and what to do about it, or ``None``; and how things stand."""
    terms, most = await lender.terms(symbol), bench.configuration.limits.max_leverage
    if terms.isolated:
        fault = f"{symbol} is in isolated margin at the venue; switch it to cross margin there"
        return fault, ""
    wanted = None if most is None else max(int(most), 1)
    is_free = desk.shows_nothing(symbol) and not desk.live(symbol)
    why = "" if is_free else "something is held or rests there"
    if _is_above(terms.leverage, wanted) and is_free:
        assert wanted is not None
        try:
            await lender.set_leverage(symbol, wanted)
        except (Operational, UnknownOutcome) as error:
            why = str(error)
        terms = await lender.terms(symbol)
    lends = "as much as the account's margin allows"
    if terms.leverage is not None:
        lends = f"up to {terms.leverage.normalize():f} times"
    if not _is_above(terms.leverage, wanted):
        return None, f"{symbol}: cross margin, the venue lends {lends}"
    fault = (
        f"{symbol}: the venue lends {lends}, the bot's limit is {most:f}; set it to {wanted} at "
        f"the venue"
    )
    return f"{fault} ({why})" if why else fault, ""


def _is_above(leverage: Decimal | None, wanted: int | None) -> bool:
    return leverage is not None and wanted is not None and leverage > wanted
