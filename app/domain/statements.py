"""The statement of a workspace: one month, bot by bot, recomputed from the usage rows each time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from app.domain import months, price_book, statement_lines, terms
from app.domain.months import Month
from app.domain.price_book import Book
from app.domain.statement_lines import Kind, Line, Pricing, Stretch
from app.domain.terms import Terms
from app.extensions import db
from app.models import Bot, Machine, Resource, UsageInterval, Workspace

MILLIONTH = Decimal("0.000001")
CENT = 10_000
"""In millionths of a dollar."""
MINUS = "\u2212"


@dataclass
class BotBill:
    """One bot's part of a statement. Lengths in microseconds, money in millionths of a dollar.

    ``always_on``: what a machine that never sleeps would have cost, ``None`` without a price.
    ``unpriced``: regions or machine types the book has no price for; their time costs nothing here.
    """

    id: str
    name: str
    deleted: bool
    cost: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    absorbed: int = 0
    awake: int = 0
    addressed: int = 0
    always_on: int | None = 0
    unpriced: set[str] = field(default_factory=set)

    @property
    def asleep(self) -> int:
        """How long it had its address and no machine."""
        return max(0, self.addressed - self.awake)

    @property
    def total(self) -> int:
        """What the workspace pays."""
        return sum(self.cost.values())

    @property
    def saved(self) -> int | None:
        """What sleeping saved; below zero where it cost more, ``None`` where that is not known."""
        known = self.always_on is not None and not self.unpriced
        return self.always_on - self.total if known and self.always_on is not None else None

    @property
    def felt(self) -> int | None:
        """The same as people are told: below a cent neither gain nor loss, for it is rounding."""
        return felt(self.saved)

    def add(self, line: Line) -> None:
        """Count a line in."""
        if line.cost is None:
            self.unpriced.add(f"{line.region} {line.machine_type}".strip())
        self.cost[line.kind] += line.cost or 0
        self.absorbed += line.absorbed
        if line.kind is Kind.MACHINE:
            self.awake += line.length
        elif line.kind in (Kind.IN_USE, Kind.IDLE):
            self.addressed += line.length


@dataclass(frozen=True)
class Statement:
    """A month of a workspace, from its first usage ``since`` to ``until``: the end, or now."""

    month: Month
    since: datetime
    until: datetime
    terms: Terms
    bots: list[BotBill]
    versions: list[price_book.Version]

    @property
    def total(self) -> int:
        """What the workspace pays, in millionths."""
        return sum(bot.total for bot in self.bots)

    @property
    def absorbed(self) -> int:
        """What the operator pays of it, at the book's price."""
        return sum(bot.absorbed for bot in self.bots)

    @property
    def always_on(self) -> int | None:
        """What machines that never sleep would have cost."""
        parts = [bot.always_on for bot in self.bots]
        return None if None in parts else sum(part or 0 for part in parts)

    @property
    def saved(self) -> int | None:
        """What sleeping saved the workspace; ``None`` where that is not known of every bot."""
        parts = [bot.saved for bot in self.bots]
        return None if None in parts else sum(part or 0 for part in parts)

    @property
    def felt(self) -> int | None:
        """The same as people are told: below a cent neither gain nor loss, for it is rounding."""
        return felt(self.saved)

    @property
    def unpriced(self) -> list[str]:
        """What the book has no price for."""
        return sorted(set().union(*(bot.unpriced for bot in self.bots)))


def of_workspace(
    workspace: Workspace, month: Month, now: datetime, agreed: Terms | None = None
) -> Statement:
    """All bots that had a machine or an address in the month, by name; by its terms, or others."""
    book = price_book.in_use()
    until = max(month.start, min(month.end, now))
    agreed = agreed or terms.of(workspace.id, month, book)
    price = statement_lines.pricing(book, agreed.markup_percent, agreed.idle_payer)
    used = _used(workspace, month.start, until, now)
    bills = {row.id: BotBill(row.id, row.name, bool(row.deleted_at)) for row in _bots(used)}
    for bot_id, bill in bills.items():
        _fill(bill, used[bot_id], book, month.start, until, price)
    borders = book.borders(month.start, max(until, month.start))
    versions = {it.name: it for start in borders[:-1] if (it := book.at(start))}
    ordered = sorted(bills.values(), key=lambda bill: (bill.name.lower(), bill.id))
    since = max(month.start, min(until, _first(used, until)))
    return Statement(month, since, until, agreed, ordered, list(versions.values()))


def lines_of(
    workspace: Workspace, month: Month, now: datetime, bot_id: str | None = None
) -> Iterator[tuple[str, str, Line]]:
    """Interval by interval: id and name of the bot, and the line; of one bot, or of all."""
    book = price_book.in_use()
    until = max(month.start, min(month.end, now))
    agreed = terms.of(workspace.id, month, book)
    price = statement_lines.pricing(book, agreed.markup_percent, agreed.idle_payer)
    used = _used(workspace, month.start, until, now, bot_id)
    for row in _bots(used):
        for line in _lines(used[row.id], book, month.start, until, price):
            yield row.id, row.name, line


def first_month(workspace: Workspace, now: datetime) -> Month:
    """The month of the earliest usage, else the present one."""
    query = select(db.func.min(UsageInterval.started_at))
    found = db.session.scalar(query.where(UsageInterval.workspace_id == workspace.id))
    return months.of(min(found, now) if found else now)


@dataclass
class _Used:
    machines: list[Stretch] = field(default_factory=list)
    addresses: list[Stretch] = field(default_factory=list)


def _used(
    workspace: Workspace,
    start: datetime,
    end: datetime,
    now: datetime,
    bot_id: str | None = None,
) -> dict[str, _Used]:
    """Usage that overlaps the period, by bot; what still runs counts until now."""
    query = (
        select(
            *(UsageInterval.bot_id, UsageInterval.resource, UsageInterval.started_at),
            *(UsageInterval.ended_at, UsageInterval.region, Machine.machine_type),
        )
        .outerjoin(
            Machine,
            (Machine.bot_id == UsageInterval.bot_id)
            & (Machine.generation == UsageInterval.generation),
        )
        .where(
            UsageInterval.workspace_id == workspace.id,
            UsageInterval.started_at < end,
            UsageInterval.ended_at.is_(None) | (UsageInterval.ended_at > start),
        )
        .order_by(UsageInterval.started_at, UsageInterval.id)
    )
    if bot_id is not None:
        query = query.where(UsageInterval.bot_id == bot_id)
    found: dict[str, _Used] = defaultdict(_Used)
    for bot, resource, started, ended, region, kind in db.session.execute(query):
        stretch = Stretch(started, ended or max(now, started), region, kind or "")
        used = found[bot]
        (used.machines if resource is Resource.MACHINE else used.addresses).append(stretch)
    return found


def _first(used: dict[str, _Used], until: datetime) -> datetime:
    """When the earliest of it began."""
    starts = (it.start for one in used.values() for it in (*one.machines, *one.addresses))
    return min(starts, default=until)


def _bots(used: Iterable[str]) -> list[Any]:
    query = select(Bot.id, Bot.name, Bot.deleted_at).where(Bot.id.in_(list(used)))
    return list(db.session.execute(query.order_by(db.func.lower(Bot.name), Bot.id)))


def _lines(
    used: _Used, book: Book, start: datetime, end: datetime, price: Pricing
) -> Iterator[Line]:
    for begin, until in pairwise(book.borders(start, end)):
        yield from statement_lines.within(used.machines, used.addresses, begin, until, price)


def _fill(
    bill: BotBill, used: _Used, book: Book, start: datetime, end: datetime, price: Pricing
) -> None:
    for line in _lines(used, book, start, end, price):
        bill.add(line)
    kind = used.machines[-1].machine_type if used.machines else statement_lines.USUAL
    for begin, until in pairwise(book.borders(start, end)):
        part = statement_lines.always_on(used.addresses, kind, begin, until, price)
        if part is None or bill.always_on is None:
            bill.always_on = None
        else:
            bill.always_on += part


def dollars(millionths: int | None) -> Decimal | None:
    """An amount of a statement as a number of dollars, exact to the millionth."""
    return None if millionths is None else millionths * MILLIONTH


def felt(saved: int | None) -> int | None:
    """What sleeping saved, or nothing where it is so little that rounding may have made it."""
    return 0 if saved is not None and abs(saved) < CENT else saved


def spelt(millionths: int | None) -> str:
    """An amount as pages and letters show it: in cents, and less than one said so."""
    amount = dollars(millionths)
    if amount is None:
        return "no price"
    if millionths and abs(millionths) < CENT:
        return "< $0.01" if amount > 0 else f"> {MINUS}$0.01"
    return f"{MINUS if amount < 0 else ''}${abs(amount):,.2f}"
