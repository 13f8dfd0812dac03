"""The guide follows the bot's own rows and what its person says they saw, and nothing else."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from app.domain import first_position
from app.domain.errors import Refused
from app.domain.first_position import Stage
from app.extensions import db
from app.models import AuditEvent, GuideProgress, OrderRow, Run
from runner.protocol import Mode
from tests import factories, telling
from tests.factories import NOW, TESTER

SECOND = timedelta(seconds=1)


@pytest.fixture
def bot(app):
    made = factories.bot(factories.organisation())
    telling.awake(made, NOW)
    return made


@pytest.fixture
def person(bot):
    return factories.user("Nell")


def run_of(bot):
    return db.session.scalars(select(Run).where(Run.bot_id == bot.id)).one()


def saw(bot, person, stage, now=NOW):
    first_position.saw(bot, person, stage, by=TESTER, now=now)
    db.session.flush()


def close(trade, at):
    trade.exited, trade.exit_notional, trade.closed_at = trade.entered, Decimal(102), at
    db.session.flush()


def stage(bot, person):
    found = first_position.of(bot, person)
    return found and found.stage


def test_it_leads_from_waiting_to_the_closed_trade(bot, person):
    assert stage(bot, person) is Stage.WAITING
    trade = factories.trade(run_of(bot), 100, 0, closed=None)
    found = first_position.of(bot, person)
    assert (found.stage, found.is_open, found.number) == (Stage.OPEN, True, 2)
    saw(bot, person, Stage.OPEN, NOW + SECOND)
    assert stage(bot, person) is Stage.HOLDING
    close(trade, NOW + 5 * SECOND)
    found = first_position.of(bot, person)
    assert (found.stage, found.trade.id) == (Stage.CLOSED, trade.id)
    assert first_position.has_seen(person) is None
    saw(bot, person, Stage.CLOSED, NOW + 9 * SECOND)
    assert first_position.has_seen(person) == NOW + 9 * SECOND
    assert first_position.of(bot, person) is None


def test_later_trades_do_not_push_aside_the_one_that_is_read(bot, person):
    run = run_of(bot)
    first = factories.trade(run, 100, 0, closed=None)
    saw(bot, person, Stage.OPEN)
    close(first, NOW + SECOND)
    for number in range(2, 5):
        at = NOW + number * SECOND
        factories.trade(run, 100, 101, opened=at, closed=at)
    factories.trade(run, 100, 0, opened=NOW + 9 * SECOND, closed=None)
    assert first_position.of(bot, person).trade.id == first.id


def test_who_came_too_late_is_shown_the_last_one_as_it_was(bot, person):
    trade = factories.trade(run_of(bot), 100, 101)
    found = first_position.of(bot, person)
    assert (found.stage, found.is_open) == (Stage.OPEN, False)
    saw(bot, person, Stage.OPEN, NOW + 60 * SECOND)
    assert first_position.of(bot, person).trade.id == trade.id


def test_its_stop_is_the_one_of_this_trade(bot, person):
    run = run_of(bot)
    factories.trade(run, 100, 0, opened=NOW, closed=None)
    assert first_position.of(bot, person).stop is None
    for name, seconds, price in (("old", -9, "90"), ("first", 1, "95"), ("moved", 3, "96")):
        order = factories.order(bot, run.id, name, "open")
        order.purpose, order.price = "protect", Decimal(price)
        order.decided_at = NOW + seconds * SECOND
    db.session.flush()
    assert db.session.scalar(select(func.count()).select_from(OrderRow)) == 3
    assert first_position.of(bot, person).stop == 96


@pytest.mark.parametrize("mode", [Mode.TESTNET, Mode.LIVE])
def test_it_is_about_paper_alone(bot, person, mode):
    bot.mode = mode
    assert first_position.of(bot, person) is None
    with pytest.raises(Refused, match="paper mode"):
        saw(bot, person, Stage.OPEN)


def test_nobody_saw_what_was_not_there(bot, person):
    with pytest.raises(Refused, match="No position has opened"):
        saw(bot, person, Stage.OPEN)
    trade = factories.trade(run_of(bot), 100, 0, closed=None)
    saw(bot, person, Stage.OPEN)
    with pytest.raises(Refused, match="No position has closed"):
        saw(bot, person, Stage.CLOSED)
    close(trade, NOW)
    saw(bot, person, Stage.CLOSED)


def test_closing_is_seen_after_opening(bot, person):
    factories.trade(run_of(bot), 100, 101)
    with pytest.raises(Refused):
        saw(bot, person, Stage.CLOSED)


def test_it_is_put_away_on_all_bots_and_comes_back_when_asked(bot, person):
    other = factories.bot(bot.workspace)
    first_position.hide(person, by=TESTER, now=NOW)
    assert stage(bot, person) is stage(other, person) is None
    somebody = factories.user("Otto")
    assert stage(bot, somebody) is Stage.WAITING
    first_position.show_again(person, by=TESTER, now=NOW)
    assert stage(bot, person) is Stage.WAITING


def test_after_its_end_it_begins_anew_when_asked(bot, person):
    factories.trade(run_of(bot), 100, 101)
    for each in (Stage.OPEN, Stage.CLOSED):
        saw(bot, person, each)
    first_position.show_again(person, by=TESTER, now=NOW)
    assert stage(bot, person) is Stage.OPEN
    assert first_position.has_seen(person) is None


def test_each_step_is_told_once_however_often_it_is_pressed(bot, person):
    factories.trade(run_of(bot), 100, 101)
    for each in (Stage.OPEN, Stage.OPEN, Stage.CLOSED, Stage.CLOSED):
        saw(bot, person, each)
    for _ in range(2):
        first_position.hide(person, by=TESTER, now=NOW)
    told = select(func.count()).where(AuditEvent.action == "account.guide")
    assert db.session.scalar(told) == 3
    assert db.session.scalar(select(func.count()).select_from(GuideProgress)) == 1


def test_slow_candles_are_said_to_be_slow(bot, person):
    assert not first_position.of(bot, person).is_slow
    slow = factories.bot(
        bot.workspace, version=factories.strategy(bot.workspace, "ema_trend").latest
    )
    assert first_position.of(slow, person).is_slow
