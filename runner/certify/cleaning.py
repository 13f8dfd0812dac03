"""After the steps, whatever ended them: nothing of this run is left, or it is said what is."""

from __future__ import annotations

from datetime import datetime

from runner.certify.stand import Stand
from runner.certify.verdict import sentence_of
from runner.errors import RunnerError, Temporary
from runner.exchange.base import found_order, request_of

MOST_SECONDS = 90.0
_PAUSE_SECONDS = 2.0


async def clean(stand: Stand) -> list[str]:
    """Take back every order with our mark and close what was filled; what is left, in sentences."""
    if not stand.traded:
        return []
    deadline = stand.clock.monotonic() + MOST_SECONDS
    while True:
        try:
            return await _cleaned(stand)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody has to hear what is left
            why, wait = sentence_of(error), _wait(error, stand.clock.now())
            if not isinstance(error, RunnerError):
                return _left(stand, why)
        if stand.clock.monotonic() + wait > deadline:
            return _left(stand, why)
        stand.tell(f"cannot clean up yet: {why}")
        await stand.clock.sleep(wait)


async def _cleaned(stand: Stand) -> list[str]:
    """Raises where something is left that may go at the next try."""
    for report in await stand.resting():
        stand.tell(f"takes back {report.client_id}")
        await stand.broker.cancel(request_of(found_order(report, stand.clock.now())))
    await stand.flatten()
    left = await stand.resting()
    if left:
        raise Temporary(f"{len(left)} orders rest still")
    return []


def _wait(error: Exception, now: datetime) -> float:
    retry_at = error.retry_at if isinstance(error, Temporary) else None
    if retry_at is None:
        return _PAUSE_SECONDS
    return max((retry_at - now).total_seconds(), 0) + 0.5


def _left(stand: Stand, why: str) -> list[str]:
    """From the journal alone, as the venue does not answer."""
    symbol, cure = stand.symbol, "look at the venue"
    sentences = [
        f"order {order.client_id} ({order.side} {order.quantity:f} {symbol}, {order.kind}) may "
        "still rest; take it back at the venue"
        for order in stand.desk.live()
    ]
    held = stand.desk.books.quantity(symbol)
    if held:
        sentences.append(f"a position of {held:f} {symbol} is left; close it at the venue")
    if not sentences:
        cure = f"no order and no position of this run is known to be left; {cure} all the same"
    return [*sentences, f"it could not be cleaned up: {why}; {cure}"]


def interrupted(stand: Stand) -> list[str]:
    """Somebody insisted on an end in the middle of cleaning up."""
    return _left(stand, "asked twice to stop") if stand.traded else []
