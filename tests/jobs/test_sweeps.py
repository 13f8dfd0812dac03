"""The worker's own sweep, with the driver of local machines: found, deleted, and lost for real."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.domain import fleet, fleet_alarms
from app.extensions import db
from app.gateways.compute.driver import Step, StepKind
from app.gateways.compute.local import LocalDriver
from app.jobs import effect
from app.models import (
    AddressEvent,
    AddressEventKind,
    AlarmKind,
    BotAddress,
    BotCompute,
    CloudFind,
    CloudRegion,
    FindKind,
    FindState,
    Phase,
    SweepRun,
)
from tests import factories

GHOST = "b-ghost-ip"


@pytest.fixture
def driver(app, tmp_path):
    """The local driver of a worker; five bots have their addresses of it."""
    found = app.extensions["plutarc"]
    app.extensions["plutarc"] = replace(found, var_dir=tmp_path / "var")
    workspace = factories.organisation()
    version = factories.strategy(workspace).latest
    for _ in range(5):
        bot = factories.bot(workspace, version=version)
        db.session.commit()
        fleet.poke(bot.id, datetime.now(UTC))
        effect.advance(bot.id)
    return LocalDriver(tmp_path / "var")


def ask(driver, kind, name):
    return driver.do(Step(kind, "r", "bot_x", "local", name))


def an_hour_passes():
    """For what a sweep has seen and for what was reserved, so that no test waits."""
    for row in (*db.session.scalars(select(CloudFind)), *db.session.scalars(select(SweepRun))):
        for name in ("first_seen", "last_seen", "at"):
            if getattr(row, name, None) is not None:
                setattr(row, name, getattr(row, name) - timedelta(hours=1, minutes=1))
    for row in db.session.scalars(select(BotAddress)):
        row.reserved_at -= timedelta(hours=1)
    db.session.commit()


def test_a_forgotten_address_is_found_and_released_and_the_others_stay(driver):
    ask(driver, StepKind.RESERVE_ADDRESS, GHOST)
    assert effect.sweep("one")
    an_hour_passes()
    assert effect.sweep("one")
    find = db.session.scalars(select(CloudFind)).one()
    assert (find.kind, find.name, find.state) == (FindKind.ADDRESS, GHOST, FindState.DELETING)
    assert effect.delete_find(find.id)
    assert not effect.delete_find(find.id)
    assert find.state is FindState.GONE
    assert effect.sweep("one")
    left = {it.name for it in driver.survey(("local",)).addresses}
    assert left == set(db.session.scalars(select(BotAddress.name)))
    assert len(left) == 5
    assert fleet_alarms.open_alarms() == []
    assert db.session.get(CloudRegion, "local").seen_at is not None


def test_an_address_released_by_hand_is_missed_and_never_replaced(driver):
    row = db.session.scalars(select(BotAddress).limit(1)).one()
    ip = row.ip
    an_hour_passes()
    ask(driver, StepKind.RELEASE_ADDRESS, row.name)
    assert effect.sweep("one")
    assert effect.sweep("one")
    compute = db.session.get(BotCompute, row.bot_id, populate_existing=True)
    assert (compute.phase, row.ip) == (Phase.BLOCKED, ip)
    assert [it.kind for it in fleet_alarms.open_alarms()] == [AlarmKind.ADDRESS_LOST]
    effect.advance(row.bot_id)
    assert row.name not in {it.name for it in driver.survey(("local",)).addresses}
    kinds = db.session.scalars(
        select(AddressEvent.kind).where(AddressEvent.bot_id == row.bot_id).order_by(AddressEvent.at)
    )
    assert list(kinds) == [AddressEventKind.RESERVED, AddressEventKind.LOST]
