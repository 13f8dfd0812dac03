"""What may be done to a bot, and what is refused with a reason."""

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import bots, commands, fleet, limits, machines, schedule
from app.domain.errors import Conflict, Invalid, Refused
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import AuditEvent, BotCommand, BotCompute, Machine, Wish
from runner.protocol import CommandKind, Limits, Mode, OnBreach, PositionState
from tests import factories
from tests.factories import NOW, TESTER


@pytest.fixture
def desk(app):
    return factories.organisation()


@pytest.fixture
def sealer(keys):
    return Sealer(keys.public)


def audited(target):
    query = select(AuditEvent.action).where(AuditEvent.target_id == target.id)
    return list(db.session.scalars(query.order_by(AuditEvent.seq)))


def awake(bot, state=PositionState.FLAT):
    machine = Machine(
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        generation=1,
        name=f"b-{bot.id[4:]}-g1",
        region="local",
        ip="127.64.0.9",
        token_hash="0" * 64,
        created_at=NOW,
        claimed_at=NOW,
        synced_at=NOW,
        position_state=state,
    )
    db.session.add(machine)
    db.session.flush()
    return machine


def commands_of(bot):
    query = select(BotCommand.kind).where(BotCommand.bot_id == bot.id, BotCommand.done_at.is_(None))
    return set(db.session.scalars(query))


def test_a_bot_is_born_stopped_and_audited(desk):
    bot = factories.bot(desk)
    assert bot.wish is Wish.REST
    assert audited(bot) == ["bot.create"]
    assert fleet.due(NOW) == [bot.id]


def test_a_bot_is_born_in_one_of_the_regions(desk):
    there = ("europe-west1", "us-central1")
    assert factories.bot(desk, offered=there).region == "europe-west1"
    bot = factories.bot(desk, region="us-central1", offered=there)
    assert bot.region == "us-central1"
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.target_id == bot.id)).one()
    assert {"field": "region", "before": None, "after": "us-central1"} in event.changes
    with pytest.raises(Invalid, match="no region mars1 here") as refusal:
        factories.bot(desk, region="mars1", offered=there)
    assert refusal.value.field == "region"


def test_start_stop_pause_resume_leave_one_event_each_and_repeats_none(desk):
    bot = factories.bot(desk)
    for verb in (bots.start, bots.start, bots.pause, bots.pause, bots.resume, bots.stop, bots.stop):
        verb(bot, by=TESTER, now=NOW)
    assert audited(bot) == ["bot.create", "bot.start", "bot.pause", "bot.resume", "bot.stop"]


def test_every_change_makes_the_planner_look_at_once(desk):
    bot = factories.bot(desk)
    compute = db.session.get(BotCompute, bot.id)
    compute.due_at = NOW + timedelta(hours=1)
    db.session.flush()
    bots.start(bot, by=TESTER, now=NOW)
    db.session.expire(compute)
    assert compute.due_at == NOW


def test_live_is_refused_with_the_reason(desk, sealer):
    bot = factories.bot(desk)
    with pytest.raises(Refused, match="asked for, not switched to"):
        bots.switch_mode(bot, Mode.LIVE, None, by=TESTER, now=NOW)
    with pytest.raises(Refused, match="begins in paper or testnet"):
        factories.bot(desk, mode=Mode.LIVE)


def test_to_testnet_and_back_keeps_everything_else(desk, sealer):
    bot = factories.bot(desk)
    before = (bot.strategy_version_id, bot.symbols, bot.limits, bot.schedule)
    account = factories.connection(desk, sealer)
    bots.switch_mode(bot, Mode.TESTNET, account, by=TESTER, now=NOW)
    assert bot.mode is Mode.TESTNET
    bots.switch_mode(bot, Mode.PAPER, None, by=TESTER, now=NOW)
    assert bot.mode is Mode.PAPER
    assert (bot.strategy_version_id, bot.symbols, bot.limits, bot.schedule) == before
    assert audited(bot) == ["bot.create", "bot.mode", "bot.mode"]


def test_testnet_needs_a_connection(desk):
    with pytest.raises(Invalid) as refusal:
        bots.switch_mode(factories.bot(desk), Mode.TESTNET, None, by=TESTER, now=NOW)
    assert refusal.value.field == "connection"


def test_one_account_and_symbol_belong_to_one_bot(desk, sealer):
    account = factories.connection(desk, sealer)
    factories.bot(desk, name="First", mode=Mode.TESTNET, connection=account)
    with pytest.raises(Invalid, match="First trades"):
        factories.bot(desk, mode=Mode.TESTNET, connection=account)
    factories.bot(desk, mode=Mode.TESTNET, connection=account, symbols=("ETH/USDT:USDT",))


@pytest.mark.parametrize("state", [PositionState.OPEN, PositionState.UNKNOWN])
def test_mode_and_version_wait_for_flat(desk, sealer, state):
    bot = factories.bot(desk)
    awake(bot, state)
    account = factories.connection(desk, sealer)
    with pytest.raises(Refused, match="Flatten it"):
        bots.switch_mode(bot, Mode.TESTNET, account, by=TESTER, now=NOW)
    with pytest.raises(Refused, match="Flatten it"):
        bots.delete(bot, typed_name=bot.name, by=TESTER, now=NOW)


def test_flatten_asks_the_runner_and_refuses_when_nobody_is_there(desk):
    bot = factories.bot(desk)
    with pytest.raises(Conflict, match="asleep"):
        bots.flatten(bot, by=TESTER, now=NOW)
    awake(bot, PositionState.OPEN)
    bots.flatten(bot, by=TESTER, now=NOW)
    assert commands_of(bot) == {CommandKind.FLATTEN}


def test_flatten_between_two_machines_is_kept_for_the_next_one(desk):
    bot = factories.bot(desk)
    awake(bot, PositionState.UNKNOWN).gone_at = NOW
    bots.flatten(bot, by=TESTER, now=NOW)
    assert commands_of(bot) == {CommandKind.FLATTEN}


def test_pause_and_resume_withdraw_each_other(desk):
    bot = factories.bot(desk)
    bots.pause(bot, by=TESTER, now=NOW)
    bots.resume(bot, by=TESTER, now=NOW)
    assert commands_of(bot) == {CommandKind.RESUME}


def test_delete_wants_the_exact_name(desk):
    bot = factories.bot(desk)
    with pytest.raises(Invalid, match="exactly"):
        bots.delete(bot, typed_name="something", by=TESTER, now=NOW)
    bots.delete(bot, typed_name=bot.name, by=TESTER, now=NOW)
    with pytest.raises(Conflict, match="being deleted"):
        bots.start(bot, by=TESTER, now=NOW)


def test_configure_writes_a_diff(desk):
    bot = factories.bot(desk)
    limits = Limits(max_position_notional=Decimal(500))
    bots.configure(
        bot,
        name="Renamed",
        version=bot.version,
        symbols=tuple(bot.symbols),
        limits=limits,
        by=TESTER,
        now=NOW,
    )
    event = db.session.scalar(select(AuditEvent).where(AuditEvent.action == "bot.configure"))
    fields = {change["field"]: change["after"] for change in event.changes}
    assert fields == {"name": "Renamed", "limits.max_position_notional": "500"}


def test_limits_changed_again_before_they_are_taken_up_are_one_order(desk):
    bot = factories.bot(desk)
    for bound in ("300", "200", "100"):
        bots.configure(
            bot,
            name=bot.name,
            version=bot.version,
            symbols=tuple(bot.symbols),
            limits=Limits(max_daily_loss=Decimal(bound)),
            by=TESTER,
            now=NOW,
        )
        db.session.flush()
    query = select(BotCommand).where(BotCommand.bot_id == bot.id, BotCommand.done_at.is_(None))
    (waiting,) = db.session.scalars(query)
    assert waiting.arguments["limits"]["max_daily_loss"] == "100"
    commands.send(bot, CommandKind.RELOAD, NOW)
    db.session.flush()
    (waiting,) = db.session.scalars(query)
    assert waiting.arguments["limits"]["max_daily_loss"] == "100", "another reason takes none away"


def test_reschedule_to_the_same_is_no_change(desk):
    bot = factories.bot(desk)
    bots.reschedule(bot, schedule.ALWAYS, by=TESTER, now=NOW)
    assert audited(bot) == ["bot.create"]
    office = schedule.schedule("UTC", [schedule.session([0], "09:00", "17:00")])
    bots.reschedule(bot, office, by=TESTER, now=NOW)
    assert audited(bot) == ["bot.create", "bot.schedule"]


@pytest.mark.parametrize("text", ["-1", "0", "many", "NaN", "Infinity", "1e99"])
def test_limits_must_be_numbers_above_zero(text):
    with pytest.raises(Invalid) as refusal:
        limits.parse({"max_daily_loss": text})
    assert refusal.value.field == "max_daily_loss"


def test_no_limit_is_an_empty_field():
    assert limits.parse({"max_daily_loss": " "}) == Limits()
    assert replace(Limits(), max_open_positions=2) == limits.parse({"max_open_positions": "2"})


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"max_open_positions": "1.5"}, "whole number"),
        ({"cooldown_seconds": "2592001"}, "at most 2,592,000"),
        ({"max_leverage": "126"}, "at most 125"),
        ({"price_collar_percent": "100.1"}, "at most 100"),
        ({"max_error_streak": "101"}, "at most 100"),
        ({"on_breach": "pray"}, "what follows"),
    ],
)
def test_a_limit_that_does_not_do_is_named(typed, says):
    with pytest.raises(Invalid, match=says) as refusal:
        limits.parse(typed)
    assert refusal.value.field == next(iter(typed))


def test_every_limit_can_be_typed():
    numbers = dict.fromkeys(limits.NUMBERS, "7")
    made = limits.parse(numbers | {"on_breach": "stop"}, ["B", "A", "B"])
    assert all(getattr(made, name) == 7 for name in limits.NUMBERS)
    assert made.allowed_symbols == ("A", "B")
    assert made.on_breach is OnBreach.STOP
    assert {field.name for field in fields(Limits)} == {*numbers, "allowed_symbols", "on_breach"}


def test_a_symbol_of_another_venue_is_refused(desk):
    with pytest.raises(Invalid) as refusal:
        factories.bot(desk, symbols=("DOGE/USDT:USDT",))
    assert refusal.value.field == "symbol"


def test_what_was_left_at_an_exchange_that_is_gone_is_closed_by_hand(desk):
    bot = factories.bot(desk)
    awake(bot, PositionState.OPEN).gone_at = NOW
    db.session.flush()
    assert machines.stranded(bot.id)
    bots.flatten(bot, by=TESTER, now=NOW)
    assert commands_of(bot) == {CommandKind.FLATTEN}
    bot.exchange = "mtgox"
    db.session.flush()
    for act in (bots.flatten, bots.start):
        with pytest.raises(Refused, match="close by hand"):
            act(bot, by=TESTER, now=NOW)
    bots.pause(bot, by=TESTER, now=NOW)
    bots.stop(bot, by=TESTER, now=NOW)
