"""How far a press of the kill switch has come, told by runners alone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from app.domain import bots, commands, panic, panic_progress, position_stops
from app.domain.lifecycle import SILENCE
from app.domain.panic_progress import Reach
from app.extensions import db
from app.models import BotCommand, KillAct, PositionRow, ProtectionRow
from runner.protocol import CommandDone, CommandKind, PositionState, ProtectionState
from tests import factories
from tests.domain.test_bots import awake
from tests.factories import NOW, TESTER

SYMBOL = "BTC/USDT:USDT"
AGO = timedelta(seconds=14)


@pytest.fixture
def desk(app):
    return factories.organisation()


def trading(desk, **values):
    bot = factories.bot(desk, **values)
    machine = awake(bot, PositionState.OPEN)
    return bot, machine


def press(desk, act=KillAct.FLATTEN):
    return panic.press(desk, panic.Order(act), author=None, by=TESTER, now=NOW)


def acknowledge(bot, kind, now=NOW):
    mine = BotCommand.bot_id == bot.id, BotCommand.kind == kind
    found = db.session.scalars(select(BotCommand).where(*mine, BotCommand.done_at.is_(None))).one()
    commands.done(bot.id, CommandDone(found.id, kind, "done", "flat"), now)
    db.session.flush()


def hold(bot, state=None, symbol=SYMBOL, covers=1):
    place = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "symbol": symbol}
    number = Decimal(1)
    db.session.add(
        PositionRow(**place, quantity=number, mark_price=number, unrealised=number, reported_at=NOW)
    )
    if state is not None:
        db.session.add(
            ProtectionRow(
                **place,
                state=state,
                why="",
                quantity=Decimal(covers),
                verified_at=NOW - AGO,
                reported_at=NOW,
            )
        )
    db.session.flush()


def reach(kill, now=NOW):
    return {line.bot.name: line.reach for line in panic_progress.of(kill, now).lines}


def test_told_then_done_when_its_runner_says_so_and_unreachable_when_it_is_silent(desk):
    (quick, _), (slow, machine) = trading(desk, name="A"), trading(desk, name="B")
    kill = press(desk)
    assert reach(kill) == {"A": Reach.WAITING, "B": Reach.WAITING}
    acknowledge(quick, CommandKind.FLATTEN, NOW + AGO)
    late = NOW + SILENCE + AGO
    found = panic_progress.of(kill, late)
    assert [line.reach for line in found.lines] == [Reach.UNREACHABLE, Reach.DONE]
    assert (found.words, found.over) == ("1 of 2 flat", False)
    assert (found.lines[0].seen_at, found.lines[1].at) == (machine.synced_at, NOW + AGO)
    acknowledge(slow, CommandKind.FLATTEN, late)
    found = panic_progress.of(kill, late)
    assert (found.words, found.over) == ("2 of 2 flat", True)


def test_of_a_position_without_a_machine_nothing_is_taken_for_flat(desk):
    _, machine = trading(desk)
    machine.gone_at = NOW
    db.session.flush()
    found = panic_progress.of(press(desk), NOW)
    assert (found.words, found.lines[0].reach) == ("0 of 1 flat", Reach.UNREACHABLE)


@pytest.mark.parametrize(("flat", "reached"), [(True, Reach.IDLE), (False, Reach.UNREACHABLE)])
def test_a_bot_that_fell_asleep_before_it_heard_is_reached_where_it_was_flat(desk, flat, reached):
    _, machine = trading(desk, name="A")
    machine.claimed_at = NOW
    kill = press(desk)
    machine.gone_at, machine.proven_flat = NOW, flat
    db.session.flush()
    assert reach(kill) == {"A": reached}
    assert panic_progress.of(kill, NOW).over is flat


def test_a_pause_is_done_with_its_acknowledgement_or_a_new_claim(desk):
    (one, _), (two, _), (three, _) = (trading(desk, name=name) for name in "ABC")
    kill = press(desk, KillAct.PAUSE)
    acknowledge(one, CommandKind.PAUSE_ENTRIES)
    commands.forget(two.id, NOW)
    bots.resume(three, by=TESTER, now=NOW + AGO)
    assert reach(kill) == {"A": Reach.DONE, "B": Reach.DONE, "C": Reach.OVERTAKEN}


def test_a_flatten_outlives_a_new_claim(desk):
    bot, _ = trading(desk, name="A")
    kill = press(desk)
    commands.forget(bot.id, NOW)
    assert reach(kill) == {"A": Reach.WAITING}


def test_two_who_press_at_once_wait_for_the_same_order(desk):
    bot, _ = trading(desk, name="A")
    first, second = press(desk), press(desk)
    acknowledge(bot, CommandKind.FLATTEN)
    assert reach(first) == reach(second) == {"A": Reach.DONE}


@pytest.mark.parametrize(
    ("state", "verified"),
    [(ProtectionState.VERIFIED, NOW - AGO), (ProtectionState.MISSING, None), (None, None)],
)
def test_a_stop_counts_where_the_venue_listed_it(desk, state, verified):
    bot, _ = trading(desk)
    hold(bot, state)
    (line,) = panic_progress.of(press(desk), NOW).lines
    assert (line.held, line.verified_at) == ((SYMBOL,), verified)


def test_a_stop_that_covers_less_than_is_held_counts_for_nothing(desk):
    bot, _ = trading(desk)
    hold(bot, ProtectionState.VERIFIED, covers="0.5")
    (line,) = panic_progress.of(press(desk), NOW).lines
    assert (line.verified_at, line.last_verified_at) == (None, None)


def test_a_stop_that_was_seen_long_ago_is_said_to_be_old(desk):
    bot, _ = trading(desk)
    hold(bot, ProtectionState.VERIFIED)
    late = NOW + position_stops.STALE_AFTER
    (line,) = panic_progress.of(press(desk), late).lines
    assert (line.verified_at, line.last_verified_at) == (None, NOW - AGO)


def test_one_position_without_a_stop_is_not_covered_by_that_of_another(desk):
    bot, _ = trading(desk)
    hold(bot, ProtectionState.VERIFIED)
    hold(bot, symbol="ETH/USDT:USDT")
    (line,) = panic_progress.of(press(desk), NOW).lines
    assert line.verified_at is None


def test_a_stop_of_what_is_closed_says_nothing(desk):
    bot, _ = trading(desk)
    hold(bot, ProtectionState.VERIFIED)
    db.session.execute(update(PositionRow).values(quantity=Decimal(0)))
    (line,) = panic_progress.of(press(desk), NOW).lines
    assert (line.held, line.verified_at) == ((), None)
