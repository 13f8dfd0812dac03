"""What this bot has on a symbol the venue lists no more: it can neither close it nor see its end.

Nobody knows what became of it, so nothing is called flat while it stands. A person who has looked
at the venue may write it off; then the bot forgets it, with a fill that says so.
"""

from __future__ import annotations

from collections.abc import Iterable

from runner.bench import Bench
from runner.desk import Desk
from runner.errors import Operational
from runner.missing import write_off as book_off
from runner.protocol import Checkpoint, EventKind, OrderStatus

CODE = "unlisted"


def note(bench: Bench, symbols: Iterable[str]) -> None:
    """Of these the venue refused to tell: ring for those it does not list either."""
    found = tuple(symbol for symbol in symbols if not _is_listed(bench, symbol))
    bench.standing.unlisted = found
    if not found:
        bench.settled(CODE)
        return
    names = ", ".join(found)
    text = (
        f"the venue does not list {names} any more: what the bot has there it can neither see nor "
        "close. Look at the venue, then write it off on the bot's page"
    )
    bench.notice("alarm", CODE, text)


def write_off(bench: Bench, desk: Desk, symbol: str, reason: str) -> bool:
    """Forget what is there; ``False`` where the venue lists the symbol or nothing is left of it."""
    if symbol not in bench.standing.unlisted or _is_listed(bench, symbol):
        return False
    words = f"written off: {reason}"
    with bench.journal.transaction():
        for order in desk.live(symbol):
            desk.mark(order, OrderStatus.CANCELLED, words)
        book_off(bench, desk, symbol, words)
        bench.memory.write_off(symbol)
        told = Checkpoint(bench.memory.plain())
        bench.outbox.append(EventKind.CHECKPOINT, told, bench.clock.now())
    for listed in (desk.positions or {}, desk.elsewhere, desk.books.differs):
        listed.pop(symbol, None)
    note(bench, [other for other in bench.standing.unlisted if other != symbol])
    return True


def _is_listed(bench: Bench, symbol: str) -> bool:
    try:
        bench.market.instrument(symbol)
    except Operational:
        return False
    return True
