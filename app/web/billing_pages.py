"""What the pages about costs have in common: the month in the address, lines, the file."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from flask import Response

from app import current
from app.domain import (
    advice,
    bots,
    budgets,
    forecast,
    leads,
    months,
    price_book,
    profits,
    quotas,
    statements,
    terms,
)
from app.domain.advice import Rates
from app.domain.months import Month
from app.domain.quotas import Use
from app.domain.schedule import Schedule, from_plain
from app.domain.statement_lines import Kind, Line
from app.domain.statements import BotBill, Statement
from app.web import amounts, loading, sheets

COLUMNS = (
    *("bot", "bot_id", "resource", "region", "machine_type", "from_utc", "to_utc", "hours"),
    *("usd_per_hour", "usd", "absorbed_usd", "price_book"),
)
TITLES = {
    Kind.MACHINE: "Machine",
    Kind.DISK: "Its disk",
    Kind.IN_USE: "Address, awake",
    Kind.IDLE: "Address, asleep",
}


def month(text: str) -> Month | None:
    """The month of an address, unless it lies ahead."""
    found = months.parse(text)
    return found if found is not None and found <= months.of(current.now()) else None


def around(chosen: Month, told: Statement) -> dict[str, Any]:
    """The months before and after, where there are any; of the one that runs, the budget."""
    workspace, now = current.workspace(), current.now()
    first, latest = statements.first_month(workspace, now), months.of(now)
    expected = forecast.of_month(told, workspace, now, current.config().tempo)
    return {
        "earlier": chosen.previous if chosen > first else None,
        "later": chosen.next if chosen < latest else None,
        "running": chosen == latest,
        "now": now,
        **earned(told),
        "forecast": expected,
        **({"uses": uses(told), **standing(told, expected)} if chosen == latest else {}),
    }


def uses(told: Statement) -> list[Use]:
    """How much is used of what was agreed, in the month that runs."""
    spent = statements.dollars(told.total) or Decimal(0)
    return quotas.uses(current.workspace(), spent, current.now())


def rates(region: str) -> Rates:
    """What an hour costs this workspace in a region, by what was agreed."""
    now = current.now()
    agreed = terms.of(current.workspace().id, months.of(now))
    return advice.rates(price_book.in_use(), agreed, region, now)


def address_sentences(regions: Iterable[str]) -> list[tuple[str, str]]:
    """What the address of a sleeping bot costs in each region, and who pays."""
    return [(region, advice.address_sentence(rates(region))) for region in regions]


def advice_on(region: str, plan: Schedule) -> list[str]:
    """What a schedule costs and saves there, by the wake lead that its region has taught."""
    tempo = leads.tempo_of(region, current.config().tempo)
    return advice.sentences(plan, rates(region), tempo, current.now())


def who() -> dict[str, Any]:
    """By whom, for the verbs about money."""
    return {"author": current.user(), "by": current.actor(), "now": current.now()}


def budget() -> dict[str, Any]:
    """The budget of the month that runs, with what is spent, told and to be expected."""
    workspace, now = current.workspace(), current.now()
    if budgets.of(workspace) is None:
        return {"standing": None, "alerts": []}
    told = statements.of_workspace(workspace, months.of(now), now)
    return standing(told, forecast.of_month(told, workspace, now, current.config().tempo))


def standing(told: Statement, expected: int | None) -> dict[str, Any]:
    """The same of a statement and its forecast."""
    workspace = current.workspace()
    found = budgets.standing(workspace, statements.dollars(told.total) or Decimal(0))
    end = statements.dollars(expected)
    return {
        "standing": found,
        "alerts": budgets.alerts(workspace, told.month),
        "beyond": expected if found and end is not None and end > found.amount else None,
    }


def lines(chosen: Month, bot_id: str) -> list[Line]:
    """All lines of one bot, in the order of their beginnings."""
    found = statements.lines_of(current.workspace(), chosen, current.now(), bot_id)
    return sorted((line for _, _, line in found), key=lambda it: (it.start, it.kind))


def bill_of(told: Statement, bot_id: str) -> BotBill:
    """A bot's part of a statement; empty for one that had nothing yet. 404 for a strange one."""
    found = next((bill for bill in told.bots if bill.id == bot_id), None)
    if found is not None:
        return found
    bot = loading.bot(bot_id)
    return BotBill(bot.id, bot.name, deleted=False)


def earned(told: Statement, bill: BotBill | None = None) -> dict[str, Any]:
    """What was earned beside what it cost; of one bot, or of all."""
    workspace, cost = current.workspace(), bill.total if bill else told.total
    bot_id = bill.id if bill else None
    return {
        "profits": profits.of_month(workspace, told.month.start, told.month.end, bot_id),
        "profit_note": profits.WHY,
        "cost": cost,
        "paid": statements.dollars(cost),
    }


def advice_of(bill: BotBill) -> list[str]:
    """The same for a bot's own schedule, while it has one."""
    bot = None if bill.deleted else bots.find(current.workspace(), bill.id)
    return advice_on(bot.region, from_plain(bot.schedule)) if bot else []


def csv_of(chosen: Month) -> Response:
    """The file. Amounts are exact to the millionth of a dollar, as they add up."""
    workspace = current.workspace()
    rows = (_cells(*row) for row in statements.lines_of(workspace, chosen, current.now()))
    return sheets.answer(f"statement-{workspace.slug}-{chosen}.csv", COLUMNS, rows)


def _cells(bot_id: str, name: str, line: Line) -> Iterator[str]:
    yield from (sheets.harmless(name), bot_id, line.kind.value, line.region, line.machine_type)
    yield from (line.start.isoformat(), line.end.isoformat(), f"{hours(line.length):.6f}")
    yield "" if line.rate is None else amounts.plainly(line.rate)
    yield "" if line.cost is None else format(statements.dollars(line.cost) or 0, "f")
    yield from (format(statements.dollars(line.absorbed) or 0, "f"), line.version)


def hours(microseconds: int) -> Decimal:
    """A length of a statement in hours."""
    return Decimal(microseconds) / Decimal(3_600_000_000)
