"""A bot may be given something else; what its old run may still hold is managed to the end."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm.attributes import set_committed_value

from app.domain import bots, connections, ingest, runs
from app.domain.errors import Conflict, Invalid, Refused
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import Bot, Environment, Run, Wish
from runner.protocol import CommandKind, Event, EventKind, Limits, Mode, PositionState
from tests import factories
from tests.domain.test_fleet import Life
from tests.factories import TESTER


@pytest.fixture
def sealer(keys):
    return Sealer(keys.public)


@pytest.fixture
def life(app, keys):
    return Life(keys)


def to_testnet(life, account):
    bots.switch_mode(life.bot, Mode.TESTNET, account, by=TESTER, now=life.now)
    db.session.commit()


def trade_eth(life):
    bots.configure(
        life.bot,
        name=life.bot.name,
        version=life.bot.version,
        symbols=("ETH/USDT:USDT",),
        limits=Limits(),
        by=TESTER,
        now=life.now,
    )
    db.session.commit()


def running(life):
    return db.session.get(Run, life.machine.run_id)


def test_another_account_waits_for_flat(life, sealer):
    first = factories.connection(life.bot.workspace, sealer)
    second = factories.connection(life.bot.workspace, sealer, label="Other")
    to_testnet(life, first)
    life.wake()
    life.report(state=PositionState.OPEN)
    with pytest.raises(Refused, match="the account"):
        to_testnet(life, second)
    db.session.rollback()
    life.report()
    to_testnet(life, second)
    assert life.report() == {CommandKind.RELOAD}
    assert life.claim().credentials is not None
    assert running(life).connection_id == second.id


def test_a_key_that_is_off_is_handed_to_no_runner(life, sealer):
    account = factories.connection(life.bot.workspace, sealer)
    to_testnet(life, account)
    life.wake()
    assert life.claim().credentials is not None
    account.inactive_at = life.now
    db.session.commit()
    assert life.claim().credentials is None


@pytest.mark.parametrize("age", [31, 3600])
def test_an_old_word_of_flat_allows_nothing(life, sealer, age):
    life.wake()
    life.pass_time(seconds=age)
    with pytest.raises(Refused):
        trade_eth(life)
    db.session.rollback()
    with pytest.raises(Refused):
        to_testnet(life, factories.connection(life.bot.workspace, sealer))


def test_what_was_entered_after_the_report_is_carried_on_with(life, sealer):
    """The change was accepted on a fresh report, and the runner entered in the same second."""
    account = factories.connection(life.bot.workspace, sealer)
    to_testnet(life, account)
    life.wake()
    trade_eth(life)
    bots.switch_mode(life.bot, Mode.PAPER, None, by=TESTER, now=life.now)
    db.session.commit()
    life.pass_time(seconds=2)
    life.report(state=PositionState.OPEN)
    answer = life.claim()
    assert answer.configuration.mode is Mode.TESTNET
    assert answer.configuration.symbols == ("BTC/USDT:USDT",)
    assert answer.credentials is not None
    assert answer.configuration.paused, "to its exits, and no further"
    life.report()
    assert not life.claim().configuration.paused


def test_a_new_boot_cannot_vouch_for_what_it_did_last(life, sealer):
    account = factories.connection(life.bot.workspace, sealer)
    to_testnet(life, account)
    life.wake()
    bots.switch_mode(life.bot, Mode.PAPER, None, by=TESTER, now=life.now)
    db.session.commit()
    assert life.claim("boot-2").configuration.mode is Mode.TESTNET
    assert life.report() == {CommandKind.RELOAD}
    assert life.claim("boot-2").configuration.mode is Mode.PAPER


def test_a_reload_is_asked_for_once_flat_and_not_while_something_is_open(life):
    life.wake()
    trade_eth(life)
    life.pass_time(seconds=1)
    life.report(state=PositionState.OPEN)
    for _ in range(3):
        life.claim()
        assert life.report(state=PositionState.OPEN) == set()
    assert life.report() == {CommandKind.RELOAD}
    life.claim()
    assert life.report() == set()
    assert running(life).symbols == ["ETH/USDT:USDT"]


def test_changed_asleep_the_old_run_ends_at_once(life, sealer):
    account = factories.connection(life.bot.workspace, sealer)
    to_testnet(life, account)
    life.wake()
    life.stop()
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    life.run()
    bots.switch_mode(life.bot, Mode.PAPER, None, by=TESTER, now=life.now)
    db.session.commit()
    assert runs.current(life.bot.id) is None


def test_a_connection_stays_while_a_run_on_it_goes_on(life, sealer):
    account = factories.connection(life.bot.workspace, sealer)
    to_testnet(life, account)
    life.wake()
    bots.switch_mode(life.bot, Mode.PAPER, None, by=TESTER, now=life.now)
    life.bot.testnet_connection_id = None
    db.session.commit()
    with pytest.raises(Refused, match=life.bot.name):
        connections.delete(account, by=TESTER, now=life.now)


def test_one_account_is_one_account_in_every_workspace(app, sealer):
    key = {"api_key": "practice-" + "a" * 32, "secret": "b" * 64}
    mine, theirs = factories.organisation(), factories.organisation()
    accounts = [
        connections.create(
            workspace,
            exchange="practice",
            environment=Environment.TESTNET,
            label="Same key",
            fields=key,
            sealer=sealer,
            author=None,
            by=TESTER,
            now=factories.NOW,
        )
        for workspace in (mine, theirs)
    ]
    factories.bot(mine, name="Secret plan", mode=Mode.TESTNET, connection=accounts[0])
    with pytest.raises(Invalid) as refusal:
        factories.bot(theirs, mode=Mode.TESTNET, connection=accounts[1])
    assert "Secret plan" not in str(refusal.value)


def test_who_loaded_the_bot_before_its_deletion_cannot_start_it(life):
    stale = db.session.get(Bot, life.bot.id)
    set_committed_value(stale, "wish", Wish.REST)
    db.session.execute(text("UPDATE bot SET wish = 'gone'"))
    with pytest.raises(Conflict, match="being deleted"):
        bots.start(stale, by=TESTER, now=life.now)


def test_a_run_fits_as_long_as_nothing_it_was_begun_with_changes(life):
    life.wake()
    run = running(life)
    assert runs.fits(run, life.bot)
    life.bot.symbols = ["SOL/USDT:USDT"]
    assert not runs.fits(run, life.bot)


def test_the_runner_learns_which_account_it_trades_on(life, sealer):
    first = factories.connection(life.bot.workspace, sealer)
    to_testnet(life, first)
    life.wake()
    account = life.claim("boot-2").configuration.account
    assert account == first.account_digest[:16]


def test_a_paper_run_has_no_account(life):
    life.wake()
    assert life.claim("boot-2").configuration.account == ""


def test_a_new_run_is_told_what_the_one_before_it_knew(life, sealer):
    """Of the same mode: its runner takes the day from it, and looks whether the account is one."""
    account = factories.connection(life.bot.workspace, sealer)
    to_testnet(life, account)
    life.wake()
    assert life.claim().restored == {}
    run, machine = running(life), life.machine
    state = {"account": "practice/testnet/acc", "generation": machine.generation}
    event = Event(machine.ack_seq + 1, EventKind.CHECKPOINT, life.now, {"state": state})
    ingest.take(life.bot, machine, (event,), life.now)
    life.report()
    assert life.claim().restored == state
    life.report()
    bots.switch_mode(life.bot, Mode.PAPER, None, by=TESTER, now=life.now)
    db.session.commit()
    assert life.claim().restored == {}, "each run on paper opens an account of its own"
    life.report()
    to_testnet(life, account)
    assert life.claim().restored == {"earlier": state}
    assert running(life).id != run.id


def test_a_stay_on_another_account_does_not_end_the_day_of_this_one(life, sealer):
    """What was lost on an account keeps its limit passed, whatever the bot traded in between."""
    mine, other = (factories.connection(life.bot.workspace, sealer, label=it) for it in "AB")
    to_testnet(life, mine)
    life.wake()
    life.claim()
    state = {"account": mine.account_digest[:16]}
    for account, told in ((mine, state), (other, {"account": other.account_digest[:16]})):
        life.now += timedelta(seconds=1)
        to_testnet(life, account)
        life.claim()
        event = Event(life.machine.ack_seq + 1, EventKind.CHECKPOINT, life.now, {"state": told})
        ingest.take(life.bot, life.machine, (event,), life.now)
        life.report()
    to_testnet(life, mine)
    assert life.claim().restored == {"earlier": state}
