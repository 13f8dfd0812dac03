"""Steps about the key and the account: what it may do, what it holds, what the venue lends."""

from __future__ import annotations

from decimal import Decimal

from runner.certify.sizes import smallest
from runner.certify.stand import Stand
from runner.certify.verdict import NotOffered, Unexpected
from runner.preflight import rights_checks

LEAST_ORDERS = 4
"""How many of the smallest orders the balance must be worth."""


async def key(stand: Stand) -> str:
    """The venue takes the key, in an account as a bot needs it, and it may not withdraw."""
    checks = await stand.broker.check((stand.symbol,))
    bad = next((check for check in checks if check.ok is False), None)
    if bad is not None:
        raise Unexpected(bad.detail)
    # As for a live key, but that a test venue need not tell everything.
    rights = await stand.broker.rights()
    found = rights_checks(rights, None, stand.clock.now(), live=False)
    # The account's own number is nobody's business but the tester's.
    lines = [check.detail for check in found if check.name != "account"]
    if rights.trade is False or rights.withdraw or any(check.ok is False for check in found):
        raise Unexpected("; ".join(lines))
    return "; ".join(lines)


async def balance(stand: Stand) -> str:
    """Enough test money, and nothing on the symbol that this run would get mixed up with."""
    account = await stand.broker.account()
    quantity, price = await smallest(stand)
    least = quantity * price * LEAST_ORDERS
    if account.balance + account.unrealised < least:
        raise Unexpected(
            f"the account holds {account.balance:.2f} {stand.place.quote} and needs {least:.2f}; "
            "take test money at the venue"
        )
    for left in await stand.resting():
        stand.tell(f"takes back {left.client_id}, which an earlier certification left")
        await stand.desk.cancel(stand.desk.adopt(left, stand.clock.now()))
    if await stand.broker.open_orders(stand.symbol):
        raise Unexpected(f"orders rest on {stand.symbol} already; take them back at the venue")
    await stand.desk.settle()
    if stand.desk.quantity(stand.symbol):
        raise Unexpected(f"a position stands on {stand.symbol} already; close it at the venue")
    return f"at least {least:.2f} {stand.place.quote} are there, and nothing on {stand.symbol}"


async def leverage(stand: Stand) -> str:
    """It can be read, set to another value, read back, and put back."""
    before = await stand.broker.terms(stand.symbol)
    if before.isolated:
        raise Unexpected(f"the margin mode of {stand.symbol} is isolated; set it to cross")
    if before.leverage is None:
        raise NotOffered("this account sets no leverage by symbol")
    other = 3 if before.leverage != 3 else 2
    await stand.broker.set_leverage(stand.symbol, other)
    try:
        seen = (await stand.broker.terms(stand.symbol)).leverage
    finally:
        await stand.broker.set_leverage(stand.symbol, int(before.leverage))
    again = (await stand.broker.terms(stand.symbol)).leverage
    if seen != Decimal(other) or again != before.leverage:
        raise Unexpected(
            f"set to {other}, read {seen}; set back to {before.leverage}, read {again}"
        )
    return f"set to {other}, read back, and back at {before.leverage:f}"
