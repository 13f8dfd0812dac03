"""A statement is what the usage rows say, and nothing else."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from app.domain import months, statements
from app.domain.months import Month
from app.domain.statement_lines import Kind
from app.extensions import db
from app.models import BillingTerms, IdlePayer, Machine, Resource, UsageInterval
from tests import factories

NOVEMBER = Month(2026, 11)
NOW = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
REGION = "us-central1"


@pytest.fixture
def workspace(app):
    return factories.organisation(now=NOW)


def used(bot, resource, start, end, generation=None):
    db.session.add(
        UsageInterval(
            workspace_id=bot.workspace_id,
            bot_id=bot.id,
            resource=resource,
            generation=generation,
            region=REGION,
            started_at=start,
            ended_at=end,
        )
    )
    db.session.flush()


def machine(bot, generation, start, end, kind="e2-micro"):
    db.session.add(
        Machine(
            workspace_id=bot.workspace_id,
            bot_id=bot.id,
            generation=generation,
            name=f"{bot.id}-g{generation}",
            region=REGION,
            machine_type=kind,
            ip="203.0.113.9",
            token_hash="0" * 64,
            created_at=start,
            gone_at=end,
        )
    )
    used(bot, Resource.MACHINE, start, end, generation)


def test_a_month_bot_by_bot(workspace):
    first, second = (factories.bot(workspace, name=name, now=NOW) for name in ("Moon", "Tide"))
    start = NOVEMBER.start
    used(first, Resource.ADDRESS, start - 48 * HOUR, None)
    machine(first, 1, start - HOUR, start + 2 * HOUR)
    machine(first, 2, start + 10 * HOUR, start + 13 * HOUR, kind="e2-small")
    used(second, Resource.ADDRESS, start + 100 * HOUR, start + 110 * HOUR)
    told = statements.of_workspace(workspace, NOVEMBER, NOW)
    moon, tide = told.bots
    assert (moon.name, tide.name) == ("Moon", "Tide")
    assert moon.awake == statements.statement_lines.length(start, start + 5 * HOUR)
    assert moon.cost[Kind.MACHINE] == 2 * 8380 + 3 * 16750
    assert moon.cost[Kind.IN_USE] == 5 * 5000
    assert moon.cost[Kind.IDLE] == tide.total == 0
    assert tide.absorbed == 10 * 10_000
    hours = (NOW - start) // HOUR
    assert moon.absorbed == (hours - 5) * 10_000
    assert told.total == moon.total + tide.total
    listed = [line for bot, _, line in statements.lines_of(workspace, NOVEMBER, NOW)]
    assert sum(line.cost for line in listed) == told.total
    assert sum(line.absorbed for line in listed) == told.absorbed
    assert moon.always_on == hours * (16750 + 1370 + 5000)
    assert moon.saved == moon.always_on - moon.total


def test_what_was_agreed_counts(workspace):
    bot = factories.bot(workspace, now=NOW)
    used(bot, Resource.ADDRESS, NOVEMBER.start, NOVEMBER.start + 10 * HOUR)
    terms = {"markup_percent": Decimal(50), "idle_payer": IdlePayer.WORKSPACE}
    db.session.add(
        BillingTerms(workspace_id=workspace.id, from_month="2026-11", changed_at=NOW, **terms)
    )
    db.session.flush()
    told = statements.of_workspace(workspace, NOVEMBER, NOW)
    assert told.total == 150_000
    assert told.absorbed == 0


def test_the_past_stays_and_a_clock_set_back_bills_nothing(workspace):
    bot = factories.bot(workspace, now=NOW)
    used(bot, Resource.ADDRESS, NOVEMBER.start + HOUR, None)
    before = statements.of_workspace(workspace, NOVEMBER, NOVEMBER.start + HOUR / 2)
    assert before.bots == []
    october = statements.of_workspace(workspace, NOVEMBER.previous, NOW)
    assert october.bots == []
    assert statements.first_month(workspace, NOW) == NOVEMBER
    later = statements.of_workspace(workspace, NOVEMBER, NOVEMBER.end + 48 * HOUR)
    assert later.until == NOVEMBER.end


def test_another_workspace_s_usage_is_not_there(workspace):
    other = factories.organisation(now=NOW)
    bot = factories.bot(other, now=NOW)
    used(bot, Resource.ADDRESS, NOVEMBER.start, None)
    assert statements.of_workspace(workspace, NOVEMBER, NOW).bots == []


def test_months():
    assert months.parse("2026-12").next == Month(2027, 1)
    assert Month(2027, 1).previous == Month(2026, 12)
    assert months.parse("2026-13") is None
    assert months.of(datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)) == NOVEMBER


@pytest.mark.parametrize("seed", range(4))
def test_the_total_is_the_price_of_each_interval_times_its_hours(workspace, seed):
    chance = random.Random(seed)
    markup = chance.choice([Decimal(0), Decimal("12.5"), Decimal("33.33")])
    payer = chance.choice(list(IdlePayer))
    own = {"workspace_id": workspace.id, "from_month": "2026-11", "changed_at": NOW}
    db.session.add(BillingTerms(**own, markup_percent=markup, idle_payer=payer))
    exact, pieces = {}, 0
    for _ in range(3):
        bot = factories.bot(workspace, now=NOW)
        reached = NOVEMBER.start - timedelta(seconds=chance.randrange(400_000))
        used(bot, Resource.ADDRESS, reached, None)
        hours = {"idle": Fraction(0), "e2-micro": Fraction(0), "e2-small": Fraction(0)}
        for generation in range(1, chance.randrange(2, 9)):
            begins = reached + timedelta(microseconds=chance.randrange(10**11))
            ends = begins + timedelta(microseconds=chance.randrange(10**11))
            kind = chance.choice(["e2-micro", "e2-small"])
            machine(bot, generation, begins, ends, kind)
            hours["idle"] += within(reached, begins)
            hours[kind] += within(begins, ends)
            reached, pieces = ends, pieces + 4
        hours["idle"] += within(reached, NOW)
        exact[bot.id] = price_of(hours, markup, payer)
    told = statements.of_workspace(workspace, NOVEMBER, NOW)
    room = Fraction(1, 10**6) * (pieces + 3) / 2
    for bill in told.bots:
        assert abs(Fraction(statements.dollars(bill.total)) - exact[bill.id]) <= room
    listed = [line for _, _, line in statements.lines_of(workspace, NOVEMBER, NOW)]
    assert sum(line.cost for line in listed) == told.total == sum(b.total for b in told.bots)


def within(begins, ends):
    """The hours of a stretch that lie in November so far."""
    length = max(timedelta(0), min(ends, NOW) - max(begins, NOVEMBER.start))
    return Fraction(length // timedelta(microseconds=1), 3_600_000_000)


def price_of(hours, markup, payer):
    """By the shipped book's own numbers, written here once more."""
    awake = Fraction("0.00137") + Fraction("0.005")
    total = hours["e2-micro"] * (Fraction("0.00838") + awake)
    total += hours["e2-small"] * (Fraction("0.01675") + awake)
    if payer is IdlePayer.WORKSPACE:
        total += hours["idle"] * Fraction("0.01")
    return total * (100 + Fraction(markup)) / 100
