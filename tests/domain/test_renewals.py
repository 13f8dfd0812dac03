"""A machine renewed while its bot lives: flat first, same address, the newest runner."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import bots, overview, renewals, terms
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.terms import Terms
from app.extensions import db
from app.models import AuditEvent, BotAddress, IdlePayer, Phase, Renewal
from runner.protocol import CommandKind, PositionState
from tests.domain.test_fleet import Life
from tests.factories import TEMPO, TESTER


@pytest.fixture
def life(app, keys):
    return Life(keys)


def asked(life, policy):
    renewals.ask(life.bot, policy, "a newer runner", by=TESTER, now=life.now)
    db.session.commit()


def told(life, action):
    query = select(AuditEvent).where(AuditEvent.action == action)
    return list(db.session.scalars(query.where(AuditEvent.workspace_id == life.bot.workspace_id)))


def renewed(life):
    """Flat and drained for long enough; then the successor claims."""
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    assert life.run() is Phase.BOOTING
    life.claim(boot="boot-2")
    life.report()
    return life.run()


@pytest.mark.parametrize("policy", [Renewal.DRAIN, Renewal.FLATTEN])
def test_a_machine_in_a_position_drains_and_is_replaced_once_flat(life, policy):
    life.wake()
    ip = life.machine.ip
    life.report(PositionState.OPEN)
    asked(life, policy)
    assert life.run() is Phase.DRAINING
    kinds = life.report(PositionState.OPEN)
    assert CommandKind.DRAIN in kinds
    assert (CommandKind.FLATTEN in kinds) is (policy is Renewal.FLATTEN)
    life.pass_time(seconds=20)
    life.report(PositionState.OPEN, drained=True)
    assert life.run() is Phase.DRAINING, "it waits, however long the position stays"
    assert renewed(life) is Phase.READY
    assert life.compute.generation == 2
    assert (life.compute.renewal, life.compute.renewal_why) == (None, "")
    assert life.machine.ip == ip == db.session.get(BotAddress, life.bot.id).ip
    (event,) = told(life, "bot.renew")
    assert event.reason == "a newer runner"


def test_a_bound_takes_no_machine_away_through_its_renewal(life):
    life.wake()
    asked(life, Renewal.DRAIN)
    bounds = Terms(Decimal(0), IdlePayer.WORKSPACE, max_machines=0)
    terms.agree(life.bot.workspace, bounds, author=None, by=TESTER, now=life.now)
    assert life.run() is Phase.DRAINING
    assert renewed(life) is Phase.READY
    assert life.compute.generation == 2


def test_one_that_waits_for_flat_takes_no_part_in_the_trade(life):
    life.wake()
    life.report(PositionState.OPEN)
    asked(life, Renewal.WHEN_FLAT)
    life.pass_time(seconds=10)
    life.report(PositionState.OPEN)
    assert life.run() is Phase.READY
    life.report()
    life.pass_time(seconds=4)
    life.report()
    assert life.run() is Phase.DRAINING
    life.report(PositionState.OPEN)
    assert life.run() is Phase.READY, "what was bought in between is traded on"
    life.report()
    life.pass_time(seconds=4)
    life.report()
    assert life.run() is Phase.DRAINING
    assert renewed(life) is Phase.READY
    assert life.compute.generation == 2


def test_at_the_next_wake_nothing_happens_now(life):
    life.wake()
    asked(life, Renewal.NEXT_WAKE)
    life.pass_time(seconds=10)
    life.report()
    assert life.run() is Phase.READY
    assert life.compute.renewal is Renewal.NEXT_WAKE


def test_one_that_drains_already_is_told_to_flatten(life):
    life.wake()
    life.report(PositionState.OPEN)
    life.stop()
    asked(life, Renewal.FLATTEN)
    assert CommandKind.FLATTEN in life.report(PositionState.OPEN)


def test_called_off_it_trades_on(life):
    life.wake()
    asked(life, Renewal.DRAIN)
    assert life.run() is Phase.DRAINING
    row = overview.summary(life.bot, life.now, TEMPO)
    assert "another takes over" in row.reading.detail
    renewals.call_off(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    assert life.run() is Phase.READY
    assert CommandKind.CANCEL_DRAIN in life.report()
    assert len(told(life, "bot.renew_off")) == 1
    with pytest.raises(Conflict):
        renewals.call_off(life.bot, by=TESTER, now=life.now)


def test_without_a_machine_or_a_reason_there_is_nothing_to_renew(life):
    life.run()
    with pytest.raises(Refused, match="no machine"):
        renewals.ask(life.bot, Renewal.DRAIN, "x", by=TESTER, now=life.now)
    life.wake()
    with pytest.raises(Invalid) as refusal:
        renewals.ask(life.bot, Renewal.DRAIN, " ", by=TESTER, now=life.now)
    assert refusal.value.field == "why"


def test_a_bot_that_is_stopped_meanwhile_just_sleeps(life):
    life.wake()
    asked(life, Renewal.DRAIN)
    life.run()
    bots.stop(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    assert life.run() is Phase.ASLEEP
    assert life.compute.generation == 1
