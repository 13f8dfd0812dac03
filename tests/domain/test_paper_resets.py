"""A reset ends the paper run; the next one has a balance of its own, and the old trades stay."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import paper_resets, runs
from app.domain.errors import Invalid, Refused
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import AuditEvent, Run
from runner.protocol import CommandKind, Mode, PositionState
from tests import factories
from tests.domain.test_fleet import Life
from tests.factories import NOW, TESTER


@pytest.fixture
def life(app, keys):
    return Life(keys)


def reset(life, balance="5000"):
    paper_resets.reset(life.bot, Decimal(balance), by=TESTER, now=life.now)
    db.session.commit()


def running(life):
    return db.session.get(Run, life.machine.run_id)


def test_an_awake_bot_takes_it_up_once_and_only_when_it_is_flat(life):
    life.wake()
    old = running(life)
    life.report(state=PositionState.OPEN)
    with pytest.raises(Refused, match="Resetting the paper balance"):
        reset(life)
    db.session.rollback()
    life.report()
    life.pass_time(seconds=1)
    life.report()
    reset(life)
    assert life.report() == {CommandKind.RELOAD}
    answer = life.claim()
    new = running(life)
    assert new.id != old.id
    assert old.ended_at is not None
    assert answer.configuration.run == new.id
    assert answer.configuration.starting_balance == Decimal(5000)
    assert answer.restored == {}
    assert life.report() == set()
    life.claim("boot-3")
    assert running(life).id == new.id


def test_the_same_balance_again_is_a_reset_too(life):
    life.wake()
    old = running(life)
    life.pass_time(seconds=1)
    life.report()
    reset(life, "10000")
    life.claim()
    assert running(life).id != old.id


def test_a_sleeping_bot_begins_anew_when_it_wakes(app):
    bot = factories.bot(factories.organisation())
    run = runs.begin(bot, NOW)
    paper_resets.reset(bot, Decimal(777), by=TESTER, now=NOW + timedelta(hours=1))
    assert run.ended_at is not None
    assert runs.begin(bot, NOW + timedelta(hours=2)).starting_balance == 777
    (event,) = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "bot.reset_paper"))
    assert [change["field"] for change in event.changes] == ["paper_reset_at", "starting_balance"]


@pytest.mark.parametrize("balance", ["9.99", "0", "-5", "1000000000.01", "NaN", "Infinity"])
def test_the_balance_has_bounds(app, balance):
    bot = factories.bot(factories.organisation())
    with pytest.raises(Invalid, match=r"10 to 1,000,000,000"):
        paper_resets.reset(bot, Decimal(balance), by=TESTER, now=NOW)
    assert bot.paper_reset_at is None


def test_only_paper_has_a_balance_to_reset(app, keys):
    workspace = factories.organisation()
    account = factories.connection(workspace, Sealer(keys.public))
    bot = factories.bot(workspace, mode=Mode.TESTNET, connection=account)
    with pytest.raises(Refused, match="testnet mode"):
        paper_resets.reset(bot, Decimal(100), by=TESTER, now=NOW)


def test_a_reset_of_paper_is_nothing_to_a_testnet_run(app, keys):
    workspace = factories.organisation()
    account = factories.connection(workspace, Sealer(keys.public))
    bot = factories.bot(workspace, mode=Mode.TESTNET, connection=account)
    run = runs.begin(bot, NOW)
    bot.paper_reset_at = NOW + timedelta(hours=1)
    assert runs.fits(run, bot)
