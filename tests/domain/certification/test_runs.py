"""Certifications made here: asked for, handed a key once, signed, made public, never lost."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import bots, connections, long_runs
from app.domain.certification import door, reports, runs
from app.domain.errors import Invalid, NotAllowed, Refused
from app.extensions import db
from app.gateways.backtest_outcome import End, Outcome, fault_of
from app.gateways.vault import Opener, Sealer
from app.models import AuditEvent, BacktestState, CertificationRun, Environment, OutboxMessage
from runner.certify import envelope
from runner.protocol import CertifyClaim, Mode
from tests import certified, factories
from tests.factories import NOW, TESTER
from tests.golive import key as live_key
from tests.golive import open_live

SYMBOL = certified.SYMBOL
SOON = NOW + timedelta(seconds=5)


@pytest.fixture
def desk(app):
    made = factories.organisation()
    db.session.commit()
    return made


@pytest.fixture
def connection(desk, keys):
    made = factories.connection(desk, Sealer(keys.public), now=NOW)
    db.session.commit()
    return made


@pytest.fixture
def fetch(keys):
    """What the gate answers, with the key of the installation."""
    return lambda errand, now=SOON, **more: door.fetch(
        CertifyClaim(**(errand.claim | more)),
        opener=Opener(keys.private),
        endpoints={"practice": "http://127.0.0.1:8899"},
        now=now,
    )


def request(connection, symbol=SYMBOL, now=NOW):
    made = runs.request(connection, symbol=symbol, author=None, by=TESTER, now=now)
    db.session.commit()
    return made


def begun(run, now=NOW):
    errand = runs.begin(run.id, now)
    db.session.commit()
    return errand


def finish(errand, outcome, locker, now=SOON):
    kept = runs.finish(errand, outcome, name="Here", locker=locker, now=now)
    db.session.commit()
    return kept


def done(told):
    return Outcome(End.DONE, json.dumps({"ok": True, "report": told}).encode(), "said")


def seen(**otherwise):
    return certified.report(SOON, exchange="practice", **otherwise)


def read(run):
    return db.session.get(CertificationRun, run.id, populate_existing=True)


def test_it_is_queued_once_and_leaves_one_event(connection):
    run = request(connection)
    assert run.state is BacktestState.QUEUED
    jobs = select(OutboxMessage).where(OutboxMessage.job == "run_certification")
    assert [it.arguments for it in db.session.scalars(jobs)] == [{"run_id": run.id}]
    events = select(AuditEvent).where(AuditEvent.action == "connection.certify")
    assert [it.target_id for it in db.session.scalars(events)] == [connection.id]
    with pytest.raises(Refused, match="being certified already"):
        request(connection)


def test_real_money_is_refused(desk, keys, monkeypatch):
    open_live(monkeypatch)
    live = live_key(desk, Sealer(keys.public))
    assert live.environment is Environment.LIVE
    with pytest.raises(Refused, match="never with real money"):
        request(live)


def test_what_it_needs_is_asked_of_the_connection(connection):
    with pytest.raises(Invalid, match="Choose one of the symbols"):
        request(connection, "DOGE/USDT:USDT")
    connections.switch(connection, active=False, by=TESTER, now=NOW)
    with pytest.raises(Refused, match="is switched off"):
        request(connection)


def test_a_bot_that_trades_with_the_key_comes_first(desk, connection):
    bot = factories.bot(desk, mode=Mode.TESTNET, connection=connection)
    bots.start(bot, by=TESTER, now=NOW)
    with pytest.raises(Refused, match=f"Stop {bot.name} and wait"):
        request(connection)


def test_no_bot_begins_with_a_key_that_is_being_certified(desk, connection):
    bot = factories.bot(desk, mode=Mode.TESTNET, connection=connection)
    run = request(connection)
    with pytest.raises(Invalid, match="is being certified"):
        bots.start(bot, by=TESTER, now=NOW)
    runs.cancel(run, by=TESTER, now=NOW)
    bots.start(bot, by=TESTER, now=NOW)


def test_so_many_a_day_are_enough(connection, monkeypatch):
    monkeypatch.setattr(runs, "MOST_A_DAY", 1)
    runs.cancel(request(connection), by=TESTER, now=NOW)
    with pytest.raises(Refused, match="1 were started in a day"):
        request(connection)
    request(connection, now=NOW + timedelta(days=1, seconds=1))


def test_the_gate_hands_the_key_to_one_process_once(connection, fetch):
    errand = begun(request(connection))
    order = fetch(errand)
    db.session.commit()
    assert (order.exchange, order.symbol) == ("practice", SYMBOL)
    assert order.endpoint == "http://127.0.0.1:8899"
    assert order.credentials.api_key.endswith(connection.key_hint)
    assert order.credentials.secret not in repr(order)
    with pytest.raises(NotAllowed):
        fetch(errand)


@pytest.mark.parametrize("more", [{"token": ""}, {"token": "x" * 43}, {"run": "crt_none"}])
def test_a_wrong_token_opens_nothing(connection, fetch, more):
    errand = begun(request(connection))
    with pytest.raises(NotAllowed):
        fetch(errand, **more)


def test_no_key_is_handed_out_late_or_once_nobody_wants_it(connection, fetch):
    run = request(connection)
    errand = begun(run)
    with pytest.raises(NotAllowed):
        fetch(errand, now=NOW + door.IN_TIME + timedelta(seconds=30))
    db.session.rollback()
    runs.cancel(run, by=TESTER, now=NOW)
    db.session.commit()
    with pytest.raises(NotAllowed):
        fetch(errand)


def test_no_key_is_handed_out_that_was_switched_off_meanwhile(connection, fetch):
    errand = begun(request(connection))
    connections.switch(connection, active=False, by=TESTER, now=NOW)
    db.session.commit()
    with pytest.raises(NotAllowed):
        fetch(errand)


def test_progress_is_kept_line_by_line(connection):
    run = request(connection)
    errand = begun(run)
    lines = certified.lines(NOW)[:4]
    assert runs.beat(errand, lines, 20, SOON)
    db.session.commit()
    found = read(run)
    assert (found.percent, found.step, found.lines) == (20, "Prices that move", lines)
    runs.cancel(found, by=TESTER, now=SOON)
    db.session.commit()
    assert not runs.beat(errand, lines, 20, SOON)


def test_one_that_was_ended_tells_what_it_did_and_left(connection, locker):
    run = request(connection)
    errand = begun(run)
    runs.cancel(run, by=TESTER, now=SOON)
    db.session.commit()
    told = seen() | {"stopped": True, "passed": False, "left": ["an order"]}
    assert finish(errand, done(told), locker)
    found = read(run)
    assert found.state is BacktestState.CANCELLED
    assert envelope.opened(found.report)["report"]["left"] == ["an order"]
    assert found.lines


def test_what_it_saw_is_signed_with_the_installations_key_and_made_public(connection, locker):
    run = request(connection)
    told = seen()
    assert finish(begun(run), done(told), locker)
    found = read(run)
    assert found.state is BacktestState.DONE
    plain = envelope.opened(found.report)
    assert envelope.is_signed(plain)
    assert plain["report"] == told
    public = reports.find(found.certification_id)
    assert public.vouches
    assert (public.row.tester.name, public.row.tester.own) == ("Here", True)
    assert public.row.content == found.report
    assert not finish(replace(begun_again(run), holder="hld_other"), done(told), locker)


def begun_again(run):
    return runs.Errand(run.id, "hld_gone", "")


@pytest.mark.parametrize("step", ["key", "balance"])
def test_what_says_more_of_the_account_than_of_the_exchange_is_not_made_public(
    connection, locker, step
):
    run = request(connection)
    finish(begun(run), done(seen(verdicts={step: "failed"})), locker)
    found = read(run)
    assert found.report
    assert found.certification_id is None


def test_a_failure_of_the_exchange_is_made_public(connection, locker):
    run = request(connection)
    finish(begun(run), done(seen(verdicts={"stop": "failed"})), locker)
    public = reports.find(read(run).certification_id)
    assert not public.report.passed
    assert not public.vouches


def test_one_that_was_ended_is_kept_with_its_report_and_not_made_public(connection, locker):
    run = request(connection)
    told = seen(verdicts={"pace": "skipped"}, stopped=True)
    finish(begun(run), done(told), locker)
    found = read(run)
    assert found.state is BacktestState.CANCELLED
    assert found.report
    assert found.certification_id is None


def test_one_whose_process_died_says_so(connection, locker):
    run = request(connection)
    fault = fault_of("certification", "", "its process was killed")
    finish(begun(run), Outcome(End.FAILED, log="said", fault=fault), locker)
    assert read(run).state is BacktestState.FAILED
    assert read(run).fault == fault


def test_a_key_that_does_not_open_is_told_with_its_cure(connection, locker):
    finish(begun(request(connection)), done(seen()), locker)
    run = request(connection, now=SOON)
    other = type(locker)(("another secret",))
    finish(begun(run, SOON), done(seen()), other)
    found = read(run)
    assert found.state is BacktestState.FAILED
    assert "SECRET_KEY" in found.fault["message"]
    assert found.report is None


def test_a_lost_worker_is_not_followed_by_a_second_run(connection):
    run = request(connection)
    begun(run)
    late = SOON + long_runs.LOST_AFTER
    assert runs.sweep(late) == 1
    db.session.commit()
    found = read(run)
    assert found.state is BacktestState.FAILED
    assert "takes back its orders by itself" in found.fault["message"]
    assert runs.begin(run.id, late) is None
