"""What the fleet costs is what its workspaces' statements say, on whatever page one looks."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain import fleet_costs
from app.domain.months import Month
from app.domain.terms import Terms
from app.extensions import db
from app.models import BotAddress, CloudRegion, IdlePayer, Resource
from tests import factories, telling
from tests.domain.test_statements import HOUR, REGION, machine, used
from tests.domain.test_terms import agree

NOVEMBER = Month(2026, 11)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def estate(app, monkeypatch):
    """Five workspaces, two on a page: each a machine for as many hours as its place in the row."""
    monkeypatch.setattr(fleet_costs, "PAGE", 2)
    made = [factories.organisation(now=NOW) for _ in range(5)]
    for hours, workspace in enumerate(made, 1):
        bot = factories.bot(workspace, now=NOW)
        used(bot, Resource.ADDRESS, NOVEMBER.start, NOVEMBER.start + 2 * hours * HOUR)
        machine(bot, 1, NOVEMBER.start, NOVEMBER.start + hours * HOUR)
    agree(made[0], Terms(Decimal(100), IdlePayer.WORKSPACE))
    factories.bot(factories.organisation(now=NOW), now=NOW)
    return made


def pages():
    found, number, more = [], 1, True
    while more:
        rows, more = fleet_costs.of_month(NOVEMBER, NOW, number)
        assert len(rows) <= 2
        found, number = [*found, *rows], number + 1
    return found


def test_the_sums_are_those_of_all_pages(estate):
    rows = pages()
    assert sorted(row.id for row in rows) == sorted(workspace.id for workspace in estate)
    found = fleet_costs.sums(NOVEMBER, NOW)
    assert found == fleet_costs.sums_of(rows)
    # An hour of machine, disk and address, and an hour of the address alone, by the book.
    hour, idle = 8380 + 1370 + 5000, 10_000
    assert found.cost == 15 * (hour + idle)
    assert found.absorbed == 14 * idle
    assert found.charged == 2 * (hour + idle) + 14 * hour
    assert found.margin == found.charged - found.cost
    assert fleet_costs.count(NOVEMBER, NOW) == 5
    assert fleet_costs.count(NOVEMBER.previous, NOW) == 0
    assert fleet_costs.sums(NOVEMBER.previous, NOW) == fleet_costs.Sums(0, 0, 0, unpriced=False)


def test_machines_and_idle_addresses_are_counted_over_all(app):
    for number in range(3):
        bot = factories.bot(factories.organisation(now=NOW), now=NOW)
        telling.awake(bot, NOW, ip=f"203.0.113.{number}")
    sleeper = factories.bot(factories.organisation(now=NOW), now=NOW)
    own = {"bot_id": sleeper.id, "workspace_id": sleeper.workspace_id, "region": REGION}
    db.session.merge(BotAddress(**own, name=f"{sleeper.id}-ip", ip="203.0.113.99"))
    db.session.flush()
    assert (fleet_costs.running(), fleet_costs.idle_addresses()) == (3, 1)


def test_the_fullest_quotas_come_first_and_none_is_divided_by_nothing(app):
    full, empty = {"CPUS": [12.0, 24.0], "GPUS": [0.0, 0.0]}, {"ADDRESSES": [7.0, 8.0]}
    for region, quotas in (("one", full), ("two", empty)):
        seen = NOW - timedelta(minutes=1)
        db.session.add(CloudRegion(region=region, quotas=quotas, seen_at=seen))
    db.session.flush()
    assert fleet_costs.fullest_quotas() == [("two", "ADDRESSES", 88), ("one", "CPUS", 50)]
    assert fleet_costs.fullest_quotas(1) == [("two", "ADDRESSES", 88)]
