"""Steps that need no order: the door, the clock, the rules, the prices, the pace."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from runner.certify.stand import Stand
from runner.certify.verdict import NotOffered, Unexpected
from runner.errors import Temporary
from runner.exchange.base import TOP, Book
from runner.preflight import MOST_SKEW_MS, skew_ms

_SLOWEST = 3.0
_MOST_APART = Decimal("0.1")
_READS = 20
_STILL_SECONDS = 20.0
_LOOK_SECONDS = 1.0


async def connect(stand: Stand) -> str:
    """The instrument rules can be read, and a small question is answered soon enough to trade."""
    await stand.market.open((stand.symbol,))
    before = stand.clock.monotonic()
    await stand.market.time()
    took = stand.clock.monotonic() - before
    if took > _SLOWEST:
        raise Unexpected(f"the venue took {took:.1f} s to answer; an exit would be as late")
    return f"the venue answers after {took * 1000:.0f} ms"


async def clock(stand: Stand) -> str:
    skew = await skew_ms(stand.bench)
    if abs(skew) > MOST_SKEW_MS:
        raise Unexpected(f"{skew:+d} ms against the venue; set this machine's clock by NTP")
    return f"{skew:+d} ms against the venue"


async def instruments(stand: Stand) -> str:
    rules = stand.market.instrument(stand.symbol)
    return (
        f"{stand.symbol}: tick {rules.tick:f}, lot {rules.step:f}, "
        f"minimum {rules.min_notional:f} {rules.quote}"
    )


async def prices(stand: Stand) -> str:
    """Book and mark agree, and something moves: a wiped test venue shows prices of long ago."""
    first = await _seen(stand)
    book = first[0]
    mark = await stand.market.mark(stand.symbol)
    if abs(book.middle - mark) > mark * _MOST_APART:
        raise Unexpected(
            f"the book stands at {book.middle:f} and the mark at {mark:f}: no price to trade at"
        )
    deadline = stand.clock.monotonic() + _STILL_SECONDS
    while stand.clock.monotonic() < deadline:
        await stand.clock.sleep(_LOOK_SECONDS)
        if await _seen(stand) != first:
            return f"book at {book.middle:f}, mark at {mark:f}; both move"
    raise Unexpected(f"book and tape stood still for {_STILL_SECONDS:.0f} s; nobody trades here")


async def _seen(stand: Stand) -> tuple[Book, object]:
    book = await stand.market.book(stand.symbol, TOP)
    trades = await stand.market.trades(stand.symbol)
    return book, trades[-1:]


async def address(stand: Stand) -> str:
    """That the venue tells is enough: the address is the tester's own."""
    seen = await stand.market.address()
    if seen is None:
        raise NotOffered("this venue does not tell which address it sees")
    again = await stand.market.address()
    if again != seen:
        raise Unexpected("the venue sees two requests come from two addresses; bind no key to one")
    return f"the venue sees {seen}, twice the same"


async def pace(stand: Stand) -> str:
    """Twenty reads at the runner's own pace are let through. A ban is not asked for.

    Where the venue asks to wait all the same, the runner has to send nothing before.
    """
    before = stand.clock.monotonic()
    try:
        for _ in range(_READS):
            await stand.market.book(stand.symbol, TOP)
    except Temporary as error:
        raise Unexpected(f"{error}; {await _held(stand, error)}") from error
    took = stand.clock.monotonic() - before
    return f"{_READS} reads in {took:.1f} s, none refused"


async def _held(stand: Stand, error: Temporary) -> str:
    """Whether the wait the venue asked for is kept, and kept to its end."""
    if error.retry_at is None:
        return "the venue does not say how long to wait"
    try:
        await stand.market.time()
    except Temporary as kept:
        if kept.retry_at == error.retry_at:
            left = max(error.retry_at - stand.clock.now(), timedelta(0))
            return f"nothing is sent for {left.total_seconds():.0f} s more"
    return "but the runner asked again before the wait was over"
