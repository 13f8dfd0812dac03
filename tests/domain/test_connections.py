"""Keys: what is taken, replaced, switched off and forgotten, and what must not be."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.domain import bots, connection_keys, connections, ingest, runs
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.letters import House, render
from app.domain.venues import PRACTICE, VENUES, KeyField
from app.extensions import db
from app.gateways.vault import Opener, Sealer, WrongContext
from app.models import AuditEvent, Connection, Environment, Mail, Role
from app.practice.keys import new_key
from app.web.carried import _SECRET
from runner.protocol import Check, CommandKind, EventKind, Mode, PositionState, Preflight, to_plain
from tests import factories, golive
from tests.domain.test_bots import awake, commands_of
from tests.factories import NOW, TESTER

KEY = dict(zip(("api_key", "secret"), new_key(), strict=True))


@pytest.fixture
def desk(app):
    return factories.organisation()


@pytest.fixture
def sealer(keys):
    return Sealer(keys.public)


@pytest.fixture
def opener(keys):
    return Opener(keys.private)


@pytest.fixture
def account(desk, sealer):
    return factories.connection(desk, sealer)


@pytest.fixture
def bot(desk, account):
    return factories.bot(desk, name="Tide", mode=Mode.TESTNET, connection=account)


def edit(connection, sealer, label="Mine", **fields):
    values = {"label": label, "fields": fields, "sealer": sealer, "by": TESTER, "now": NOW}
    return connections.edit(connection, **values)


def switch(connection, *, active):
    connections.switch(connection, active=active, by=TESTER, now=NOW)


def events():
    query = select(AuditEvent).where(AuditEvent.action.like("connection.%"))
    return list(db.session.scalars(query.order_by(AuditEvent.seq)))


@pytest.mark.parametrize("field", ["api_key", "secret"])
@pytest.mark.parametrize("value", ["", " ", "short", "k\u00fcche-0123456789abcdef"])
def test_a_field_that_is_none_is_named_and_never_repeated(desk, sealer, account, field, value):
    wrong = KEY | {field: value}
    with pytest.raises(Invalid) as refusal:
        edit(account, sealer, **wrong)
    assert refusal.value.field == field
    assert not value.strip() or value not in str(refusal.value)


def test_an_empty_key_keeps_the_old_one(account, sealer, opener):
    before = account.sealed
    assert edit(account, sealer, "Renamed", api_key="", secret="") is False
    assert (account.label, account.sealed) == ("Renamed", before)
    assert [event.action for event in events()] == ["connection.create", "connection.update"]
    assert edit(account, sealer, "Renamed") is False
    assert len(events()) == 2


def test_another_key_is_sealed_for_the_same_place_and_its_findings_are_gone(
    account, sealer, opener
):
    account.checked_at, account.findings = NOW, {"checks": [{"name": "key", "ok": True}]}
    assert edit(account, sealer, **KEY) is True
    assert opener.open(account.sealed, account.seal_context) == KEY
    assert (account.checked_at, account.findings, account.rotated_at) == (None, {}, NOW)
    (change,) = [it for it in events()[-1].changes if it["field"] == "key"]
    assert change["after"] == f"…{KEY['api_key'][-4:]}"


def test_part_of_a_key_is_none(account, sealer):
    with pytest.raises(Invalid) as refusal:
        edit(account, sealer, api_key=KEY["api_key"], secret="")
    assert refusal.value.field == "secret"


def test_machines_load_another_key(account, sealer, bot):
    awake(bot, PositionState.FLAT).report_sent_at = NOW
    edit(account, sealer, **KEY)
    assert commands_of(bot) == {CommandKind.RELOAD}


@pytest.mark.parametrize("state", [PositionState.OPEN, PositionState.UNKNOWN])
def test_a_key_is_not_replaced_under_a_position(account, sealer, bot, state):
    awake(bot, state)
    before = account.sealed
    with pytest.raises(Refused, match="Tide may hold a position"):
        edit(account, sealer, **KEY)
    assert account.sealed == before
    edit(account, sealer, "Only the label")


def test_one_key_is_one_connection_of_a_workspace(desk, sealer, account):
    edit(account, sealer, **KEY)
    other = factories.connection(desk, sealer, label="Other")
    with pytest.raises(Invalid, match="connected already"):
        edit(other, sealer, **KEY)
    with pytest.raises(Invalid, match="connected already"):
        edit(account, sealer, **KEY)


def test_a_key_is_not_switched_off_or_deleted_under_a_bot(account, bot):
    bots.start(bot, by=TESTER, now=NOW)
    for forbidden in (lambda: switch(account, active=False), lambda: delete(account)):
        with pytest.raises(Refused, match="Tide"):
            forbidden()
    bots.stop(bot, by=TESTER, now=NOW)
    machine = awake(bot, PositionState.FLAT)
    with pytest.raises(Refused, match="wait until it sleeps"):
        switch(account, active=False)
    machine.gone_at, machine.proven_flat = NOW, True
    switch(account, active=False)
    with pytest.raises(Refused, match="uses it"):
        delete(account)


def test_a_key_that_a_bot_has_merely_chosen_is_switched_off_at_once(desk, bot, account):
    bots.switch_mode(bot, Mode.PAPER, None, by=TESTER, now=NOW)
    bots.start(bot, by=TESTER, now=NOW)
    run = runs.begin(bot, NOW)
    assert connections.users_of(account) == [bot]
    run.connection_id = account.id
    with pytest.raises(Refused, match="Stop Tide"):
        switch(account, active=False)
    run.connection_id = None
    switch(account, active=False)
    assert account.inactive_at == NOW


def delete(connection):
    connections.delete(connection, by=TESTER, now=NOW)


def test_a_bot_that_still_finishes_on_a_key_uses_it(desk, account, bot):
    runs.begin(bot, NOW)
    bot.testnet_connection_id = None
    db.session.flush()
    assert connections.users_of(account) == [bot]


def test_a_key_that_is_off_starts_no_bot_and_is_chosen_by_none(desk, account, bot):
    switch(account, active=False)
    switch(account, active=False)
    with pytest.raises(Invalid, match="switched off"):
        bots.start(bot, by=TESTER, now=NOW)
    with pytest.raises(Invalid, match="switched off"):
        factories.bot(desk, mode=Mode.TESTNET, connection=account, symbols=("ETH/USDT:USDT",))
    switch(account, active=True)
    bots.start(bot, by=TESTER, now=NOW)
    assert [event.action for event in events()][1:] == ["connection.switch"] * 2


def test_a_deleted_key_is_destroyed_and_stays_deleted(desk, account, sealer):
    delete(account)
    assert account.sealed == b""
    for late in (lambda: delete(account), lambda: edit(account, sealer)):
        with pytest.raises(Conflict, match="deleted"):
            late()
    with pytest.raises(Invalid, match="deleted"):
        factories.bot(desk, mode=Mode.TESTNET, connection=account)


def test_a_seal_opens_in_its_own_row_alone(desk, account, sealer, opener):
    stranger = factories.connection(factories.organisation(), sealer)
    with pytest.raises(WrongContext):
        opener.open(account.sealed, stranger.seal_context)


# -- what the preflight saw -----------------------------------------------------------------------


def preflight(bot, at, *checks):
    run = runs.current(bot.id) or runs.begin(bot, NOW)
    machine = awake(bot, PositionState.FLAT)
    machine.run_id = run.id
    data = Preflight(True, tuple(Check(name, ok, detail) for name, ok, detail in checks))
    event = ingest.Event(machine.ack_seq + 1, EventKind.PREFLIGHT, at, to_plain(data))
    ingest.take(bot, machine, (event,), NOW)
    return machine


def test_what_the_preflight_saw_is_kept_with_the_key_it_saw(desk, sealer, account, bot):
    machine = preflight(bot, NOW, ("trading right", True, "the key may trade"))
    assert account.checked_at == NOW
    assert connection_keys.seen(account)[0]["name"] == "trading right"
    machine.gone_at, machine.proven_flat = NOW, True
    other = factories.connection(desk, sealer, label="Other")
    bot.testnet_connection_id = other.id
    db.session.flush()
    bot_run = runs.current(bot.id)
    assert bot_run.connection_id == account.id, "the run goes on with the old key"


def test_an_old_run_says_nothing_of_the_key_its_bot_was_given_since(desk, sealer, account, bot):
    runs.begin(bot, NOW)
    other = factories.connection(desk, sealer, label="Other")
    bot.testnet_connection_id = other.id
    db.session.flush()
    preflight(bot, NOW, ("key", True, "the venue accepts the key"))
    assert account.checked_at == NOW
    assert other.checked_at is None


def test_what_was_seen_of_the_key_before_says_nothing_of_the_new_one(account, sealer, bot):
    edit(account, sealer, **KEY)
    preflight(bot, NOW - timedelta(seconds=1), ("key", True, "the venue accepts the key"))
    assert account.checked_at is None


def test_an_unbound_key_lapses_where_the_venue_has_such_a_rule(account):
    strict = replace(PRACTICE, unbound_key_days=90)
    assert connection_keys.lapses_at(account, PRACTICE) is None
    assert connection_keys.lapses_at(account, strict) == NOW + timedelta(days=90)
    account.rotated_at = NOW + timedelta(days=10)
    assert connection_keys.lapses_at(account, strict) == NOW + timedelta(days=100)
    account.findings = {"checks": [{"name": "key binding", "ok": True, "detail": "bound"}]}
    assert connection_keys.lapses_at(account, strict) is None


# -- fields per exchange ---------------------------------------------------------------------------

PASSPHRASE = KeyField("passphrase", "Passphrase", "Chosen by you.", r"\S{6,30}", "six letters")
THREE = replace(PRACTICE, id="three", key_fields=(*PRACTICE.key_fields, PASSPHRASE))


def test_an_exchange_with_a_passphrase_wants_it_and_seals_it(desk, sealer, opener, monkeypatch):
    monkeypatch.setitem(VENUES, "three", THREE)
    plan = {"exchange": "three", "environment": Environment.TESTNET, "label": "Three"}
    who = {"sealer": sealer, "author": None, "by": TESTER, "now": NOW}
    with pytest.raises(Invalid) as refusal:
        connections.create(desk, **plan, fields=KEY, **who)
    assert refusal.value.field == "passphrase"
    whole = KEY | {"passphrase": "open sesame".replace(" ", "-"), "more": "left out"}
    made = connections.create(desk, **plan, fields=whole, **who)
    assert set(opener.open(made.sealed, made.seal_context)) == {"api_key", "secret", "passphrase"}


def test_every_field_is_well_formed_and_every_secret_one_is_carried_nowhere():
    for venue in VENUES.values():
        for field in venue.key_fields:
            assert re.compile(field.pattern)
            assert field.title
            assert field.help
            assert not field.secret or _SECRET.search(field.name)


# -- live ------------------------------------------------------------------------------------------


def test_a_live_key_is_not_taken_where_the_exchange_has_no_live_mode(desk, sealer):
    with pytest.raises(Invalid, match="Practice market has no live mode") as refusal:
        live_key(desk, sealer)
    assert refusal.value.field == "environment"


def live_key(desk, sealer):
    return connections.create(
        desk,
        exchange="practice",
        environment=Environment.LIVE,
        label="Live",
        fields=KEY,
        sealer=sealer,
        author=None,
        by=TESTER,
        now=NOW,
    )


def test_all_owners_hear_of_a_live_key_and_nobody_of_a_testnet_one(desk, sealer, monkeypatch):
    golive.open_live(monkeypatch)
    factories.joined(desk, Role.OWNER, "Olga")
    factories.joined(desk, Role.ADMIN, "Ada")
    made = live_key(desk, sealer)
    key, secret = new_key()
    edit(made, sealer, api_key=key, secret=secret)
    delete(made)
    factories.connection(desk, sealer)
    letters = db.session.scalars(select(Mail).where(Mail.letter == "connection_live")).all()
    told = [(mail.values["what"], mail.to_name) for mail in letters]
    whats = ("added", "given another key", "deleted")
    house = House("plutarc", "https://plutarc.test")
    first = next(mail.values for mail in letters if mail.values["what"] == "added")
    read = render("connection_live", first, name="Alice", house=house)
    assert read.subject == "The live connection Live of Harbour Desk was added"
    assert KEY["secret"] not in read.text + read.html
    assert sorted(told) == sorted((what, name) for what in whats for name in ("Alice", "Olga"))


# -- the canary ------------------------------------------------------------------------------------


def test_no_row_of_any_table_holds_a_secret_in_the_clear(desk, sealer, account, opener):
    key, secret = new_key()
    edit(account, sealer, api_key=key, secret=secret)
    with pytest.raises(Invalid):
        edit(account, sealer, api_key=key, secret=f"{secret} with a blank")
    db.session.commit()
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(text(f'SELECT * FROM "{table.name}"')):
            told = " ".join(
                value.hex() if isinstance(value, bytes) else str(value) for value in row
            )
            for canary in (key, secret):
                assert canary not in told
                assert canary.encode().hex() not in told
    assert opener.open(account.sealed, account.seal_context)["secret"] == secret
    assert secret not in repr(db.session.get_one(Connection, account.id))
