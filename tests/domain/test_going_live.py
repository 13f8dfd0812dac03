"""What must hold before real money moves: each guard alone, the key's look, and what stands."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domain import (
    account_rule,
    bot_raises,
    bot_safety,
    bots,
    briefing,
    connections,
    going_live,
    ingest,
    machines,
    panic,
    revisions,
    rivals,
    runs,
)
from app.domain.errors import Invalid, Refused
from app.domain.going_live import Standing
from app.domain.revisions import Safety
from app.domain.venues import BINANCE, BYBIT, KUCOIN, OKX, PRACTICE, VENUES
from app.extensions import db
from app.gateways.vault import Opener, Sealer
from app.models import AuditEvent, BotAddress, BotAlarm, KillAct, OutboxMessage, Wish
from app.practice.keys import new_key
from runner.protocol import (
    Check,
    CommandKind,
    Event,
    EventKind,
    KeyCheck,
    Limits,
    Mode,
    OnEnd,
    PositionState,
    Preflight,
    to_plain,
)
from tests import factories, golive
from tests.domain.test_bots import awake, commands_of
from tests.domain.test_fleet import Life
from tests.factories import NOW, TESTER

LOW = Limits(max_position_notional=Decimal(500), max_daily_loss=Decimal(50))


@pytest.fixture
def sealer(keys):
    return Sealer(keys.public)


@pytest.fixture
def opener(keys):
    return Opener(keys.private)


@pytest.fixture
def desk(app, monkeypatch):
    golive.open_live(monkeypatch)
    return factories.organisation()


@pytest.fixture
def bot(desk):
    return factories.bot(desk, name="Tide", limits=LOW)


@pytest.fixture
def key(desk, sealer):
    return golive.key(desk, sealer)


def demand(bot, key, safety=None, now=NOW):
    going_live.demand(bot, key, safety or Safety(), now)


def go(bot, key, safety=None, now=NOW, **values):
    bot_raises.go_live(bot, key, safety or Safety(), by=TESTER, now=now, **values)
    db.session.commit()


def told(bot, kind, data, at=NOW):
    """One event through the door of the runner's telemetry."""
    run = runs.current(bot.id) or runs.begin(bot, NOW)
    machine = machines.current_machine(bot.id) or awake(bot, PositionState.FLAT)
    machine.run_id = run.id
    event = Event(machine.ack_seq + 1, kind, at, to_plain(data))
    ingest.take(bot, machine, (event,), NOW)
    db.session.flush()
    return machine


# -- the guards ------------------------------------------------------------------------------------


def test_a_bot_with_all_it_needs_may_go_live(bot, key):
    golive.seen(bot, key)
    demand(bot, key)
    go(bot, key)
    assert bot.mode is Mode.LIVE
    assert revisions.stands(bot)


@pytest.mark.parametrize("said", ["", "yes", "Never proven at another exchange."])
def test_no_bot_goes_live_where_nobody_has_seen_it_unless_that_is_acknowledged(
    bot, key, monkeypatch, said
):
    golive.seen(bot, key)
    golive.nobody_has_seen_it(monkeypatch)
    for act in (going_live.demand, bot_raises.go_live):
        by = {"by": TESTER, "now": NOW} if act is bot_raises.go_live else {"now": NOW}
        with pytest.raises(Invalid, match="Nobody has seen plutarc trade") as refusal:
            act(bot, key, Safety(), **by, acknowledged=said)
        assert refusal.value.field == "acknowledged"
    db.session.rollback()
    assert bot.mode is Mode.PAPER


def test_what_was_acknowledged_stands_in_the_log_of_going_live(bot, key, monkeypatch):
    golive.seen(bot, key)
    golive.nobody_has_seen_it(monkeypatch)
    venue, *_ = going_live.guards(bot, key, Safety(), NOW)
    assert (venue.standing, "nobody has seen" in venue.found) == (Standing.THINK, True)
    go(bot, key, acknowledged=golive.UNSEEN)
    assert bot.mode is Mode.LIVE
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "bot.mode")).one()
    (told,) = [it["after"] for it in event.changes if it["field"] == "acknowledged"]
    assert told == golive.UNSEEN


def test_each_new_approval_of_a_live_bot_is_acknowledged_too(bot, key, monkeypatch):
    golive.seen(bot, key)
    golive.nobody_has_seen_it(monkeypatch)
    go(bot, key, acknowledged=golive.UNSEEN)
    with pytest.raises(Invalid, match="Nobody has seen"):
        go(bot, key, Safety(Decimal(4)))


@pytest.mark.parametrize("venue", [BINANCE, BYBIT, OKX, KUCOIN], ids=lambda it: it.id)
def test_every_real_exchange_is_open_to_who_acknowledges(bot, key, venue):
    """Under all guards: the same bot without its limits, its stop or its look stays out."""
    bot.exchange = key.exchange = venue.id
    golive.seen(bot, key)
    with pytest.raises(Invalid, match=f"trade with real money at {venue.title}"):
        demand(bot, key)
    with pytest.raises(Refused, match="24 hours ago"):
        going_live.demand(bot, key, Safety(), NOW + timedelta(days=2), venue.unproven)
    bounds, bot.limits = bot.limits, {}
    with pytest.raises(Refused, match="Risk limits"):
        going_live.demand(bot, key, Safety(), NOW, venue.unproven)
    bot.limits = bounds
    go(bot, key, acknowledged=venue.unproven)
    assert bot.mode is Mode.LIVE


def test_an_exchange_elsewhere_is_not_said_to_see_an_address_of_this_computer(
    bot, key, monkeypatch
):
    golive.seen(bot, key)

    def told():
        found = {line.name: line.found for line in going_live.guards(bot, key, Safety(), NOW)}
        return found["checked"]

    assert "from 127." in told()
    monkeypatch.setitem(VENUES, PRACTICE.id, replace(VENUES[PRACTICE.id], built_in=False))
    assert "127." not in told()
    assert "its own address is what the exchange sees" in told()


@pytest.mark.parametrize("age", [timedelta(), going_live.CHECK_AGE])
def test_a_look_counts_for_a_day(bot, key, age):
    golive.seen(bot, key, NOW - age)
    demand(bot, key)
    with pytest.raises(Refused, match="24 hours ago"):
        demand(bot, key, now=NOW - age + going_live.CHECK_AGE + timedelta(seconds=1))


def test_a_key_that_nobody_looked_at_does_not_do(bot, key):
    with pytest.raises(Refused, match="not been looked at"):
        demand(bot, key)


def test_a_look_from_another_bot_or_address_does_not_count(bot, key, desk):
    other = factories.bot(desk, limits=LOW)
    golive.seen(other, key)
    with pytest.raises(Refused, match="own address"):
        demand(bot, key)
    golive.seen(bot, key)
    db.session.get_one(BotAddress, bot.id).ip = "127.66.0.78"
    with pytest.raises(Refused, match="own address"):
        demand(bot, key)


@pytest.mark.parametrize("right", [False, None])
def test_a_key_that_may_withdraw_or_of_which_nobody_knows_does_not_do(bot, key, right):
    golive.seen(bot, key, withdrawal_right=right)
    with pytest.raises(Refused, match="Withdrawal right"):
        demand(bot, key)


def test_a_look_that_asked_for_no_rights_does_not_do(bot, key):
    golive.seen(bot, key)
    checks = [it for it in key.findings["checks"] if it["name"] != going_live.WITHDRAWAL]
    key.findings = key.findings | {"checks": checks}
    with pytest.raises(Refused, match="not told whether"):
        demand(bot, key)


@pytest.mark.parametrize("name", ["key", "trading right", "position mode", "address"])
def test_whatever_the_look_found_bad_keeps_it_out(bot, key, name):
    golive.seen(bot, key, **{name.replace(" ", "_"): False})
    with pytest.raises(Refused, match=name.capitalize()):
        demand(bot, key)


def test_a_strategy_without_a_stop_needs_the_bots_own(bot, key):
    golive.seen(bot, key)
    exits = [it for it in bot.version.rules["exits"] if it["kind"] != "stop_loss"]
    off = [{"kind": "stop_loss", "enabled": False, "params": {"percent": 1}}]
    bot.version.rules = bot.version.rules | {"exits": exits + off}
    with pytest.raises(Refused, match="disaster stop"):
        demand(bot, key)
    demand(bot, key, Safety(Decimal(8)))


@pytest.mark.parametrize("what", ["limits", "off", "flat", "no mode"])
def test_each_other_guard_is_met_alone(bot, key, monkeypatch, what):
    golive.seen(bot, key)
    if what == "limits":
        bot.limits = to_plain(replace(LOW, max_daily_loss=None))
    elif what == "off":
        key.inactive_at = NOW
    elif what == "flat":
        awake(bot, PositionState.OPEN)
    else:
        monkeypatch.setitem(VENUES, PRACTICE.id, PRACTICE)
    db.session.flush()
    with pytest.raises((Refused, Invalid)):
        demand(bot, key)
    lines = list(going_live.guards(bot, key, Safety(), NOW))
    (missing,) = [line for line in lines if line.standing is Standing.MISSING]
    assert missing.cure


def test_a_live_bot_keeps_its_key(bot, key, desk, sealer):
    golive.seen(bot, key)
    go(bot, key)
    other = golive.key(desk, sealer, "Other")
    golive.seen(bot, other)
    with pytest.raises(Refused, match="keeps its key"):
        go(bot, other)


# -- what it goes live with ------------------------------------------------------------------------


@pytest.mark.parametrize("percent", ["0", "0.09", "50.1", "-1", "NaN", "Infinity", "five", "1e9"])
def test_a_disaster_stop_is_a_distance(percent):
    with pytest.raises(Invalid) as refusal:
        revisions.parse({"disaster_stop_percent": percent, "on_end": "protected"})
    assert refusal.value.field == "disaster_stop_percent"


@pytest.mark.parametrize("minutes", ["-1", "1.5", "1441", "ten", "\u0661"])
def test_a_grace_is_a_number_of_minutes_within_a_day(minutes):
    with pytest.raises(Invalid) as refusal:
        revisions.parse({"grace_minutes": minutes, "on_end": "protected"})
    assert refusal.value.field == "grace_minutes"


def test_an_end_is_one_of_those_there_are():
    with pytest.raises(Invalid) as refusal:
        revisions.parse({"on_end": "leave"})
    assert refusal.value.field == "on_end"


def test_what_was_prepared_travels_with_the_next_claim(bot, key):
    bot_safety.prepare(bot, key, Safety(Decimal("7.50"), OnEnd.CANCEL, 5), by=TESTER, now=NOW)
    db.session.commit()
    told = briefing.configuration(bot, runs.begin(bot, NOW), {}, draining=False)
    assert told.disaster_stop_percent == Decimal("7.5")
    assert told.on_end is OnEnd.CANCEL
    assert told.grace_seconds == 300
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "bot.safety")).one()
    assert {it["field"] for it in event.changes} == {
        "disaster_stop_percent",
        "on_end",
        "grace_minutes",
        "live_connection",
    }
    bot_safety.prepare(bot, key, Safety(Decimal("7.5"), OnEnd.CANCEL, 5), by=TESTER, now=NOW)
    db.session.commit()
    actions = db.session.scalars(select(AuditEvent.action)).all()
    assert actions.count("bot.safety") == 1


@pytest.mark.parametrize(("mode", "seconds"), [(Mode.PAPER, 3600), (Mode.LIVE, 0)])
def test_without_a_grace_of_its_own_the_mode_decides(bot, mode, seconds):
    assert revisions.grace_seconds(bot, mode) == seconds
    bot.grace_minutes = 0
    assert revisions.grace_seconds(bot, mode) == 0


def test_a_testnet_key_is_prepared_for_nothing(bot, desk, sealer):
    testnet = factories.connection(desk, sealer)
    with pytest.raises(Invalid, match="live connection"):
        bot_safety.prepare(bot, testnet, Safety(), by=TESTER, now=NOW)


def test_a_key_that_a_bot_is_to_go_live_with_is_not_deleted(bot, key):
    bot_safety.prepare(bot, key, Safety(), by=TESTER, now=NOW)
    with pytest.raises(Refused, match="Tide uses it"):
        connections.delete(key, by=TESTER, now=NOW)


def test_looking_again_has_the_machine_claim_anew(bot, key):
    with pytest.raises(Refused, match="no live key"):
        bot_safety.look_again(bot, by=TESTER, now=NOW)
    bot_safety.prepare(bot, key, Safety(), by=TESTER, now=NOW)
    bot_safety.look_again(bot, by=TESTER, now=NOW)
    assert [kind.value for kind in commands_of(bot)] == ["reload"]


# -- the runner is told ----------------------------------------------------------------------------


def live_life(keys, key_sealer):
    life = Life(keys)
    life.bot.limits = to_plain(LOW)
    key = golive.key(life.bot.workspace, key_sealer)
    db.session.commit()
    return life, key


def test_a_live_key_is_looked_at_and_not_traded_with(app, keys, sealer, monkeypatch):
    golive.open_live(monkeypatch)
    life, key = live_life(keys, sealer)
    bot_safety.prepare(life.bot, key, Safety(), by=TESTER, now=NOW)
    db.session.commit()
    life.wake()
    answer = life.claim()
    assert answer.credentials is None
    assert answer.configuration.mode is Mode.PAPER
    assert answer.live_key.connection == key.id
    key.inactive_at = NOW
    db.session.commit()
    assert life.claim().live_key is None


def test_a_live_bot_is_given_its_key_and_the_exchanges_own_hosts(bot, key, opener):
    golive.seen(bot, key)
    go(bot, key)
    run = runs.begin(bot, NOW)
    told = briefing.configuration(bot, run, {"practice": "http://127.0.0.1:1"}, draining=False)
    assert told.mode is Mode.LIVE
    assert told.endpoint is None
    assert told.account == key.account_digest[:16]
    assert not told.paused
    assert briefing.credentials(run, opener) is not None
    assert briefing.live_key(bot, run, opener) is None


def test_a_live_bot_that_is_not_what_was_approved_makes_no_entries(bot, key, opener):
    golive.seen(bot, key)
    go(bot, key)
    run = runs.begin(bot, NOW)
    bot.disaster_stop_percent = Decimal(3)
    assert briefing.configuration(bot, run, {}, draining=False).paused
    assert briefing.credentials(run, opener) is not None, "its exits need the key"


def test_a_key_of_another_environment_is_handed_to_nobody(bot, desk, sealer, opener):
    testnet = factories.connection(desk, sealer)
    bot.mode, bot.live_connection_id = Mode.LIVE, testnet.id
    assert briefing.credentials(runs.begin(bot, NOW), opener) is None


def test_from_paper_to_live_and_back_on_one_machine(app, keys, sealer, monkeypatch):
    golive.open_live(monkeypatch)
    life, key = live_life(keys, sealer)
    bot_safety.prepare(life.bot, key, Safety(), by=TESTER, now=NOW)
    db.session.commit()
    life.wake()
    assert life.claim().live_key.connection == key.id
    checks = tuple(Check(*check) for check in golive.GOOD)
    seen = KeyCheck(key.id, Preflight(True, checks))
    event = Event(life.machine.ack_seq + 1, EventKind.KEY_CHECK, life.now, to_plain(seen))
    ingest.take(life.bot, life.machine, (event,), life.now)
    life.report()
    go(life.bot, key, now=life.now)
    assert CommandKind.RELOAD in life.report()
    answer = life.claim()
    assert (answer.configuration.mode, answer.configuration.paused) == (Mode.LIVE, False)
    assert answer.credentials is not None
    assert answer.live_key is None
    assert answer.configuration.grace_seconds == 0
    life.report()
    bots.switch_mode(life.bot, Mode.PAPER, None, by=TESTER, now=life.now)
    db.session.commit()
    assert CommandKind.RELOAD in life.report()
    answer = life.claim()
    assert (answer.configuration.mode, answer.credentials) == (Mode.PAPER, None)
    assert answer.live_key.connection == key.id, "it is looked at again, for the next time"


# -- what was seen ---------------------------------------------------------------------------------


def looked(connection, account=None, ok=True):
    checks = [Check("key", ok, "the venue accepts the key" if ok else "the key has expired")]
    if account is not None:
        checks.append(Check("account", True, account))
    return KeyCheck(connection.id, Preflight(ok, tuple(checks)))


def test_what_was_seen_of_the_live_key_is_kept_with_who_saw_it(bot, key):
    bot_safety.prepare(bot, key, Safety(), by=TESTER, now=NOW)
    machine = told(bot, EventKind.KEY_CHECK, looked(key, "acc-1"))
    assert key.checked_at == NOW
    assert key.findings["made_by"] == bot.id
    assert key.findings["made_at"] == machine.ip
    assert key.venue_account == rivals.account_of(key, "acc-1")


def test_a_clock_that_is_ahead_makes_no_look_last_longer(bot, key):
    bot_safety.prepare(bot, key, Safety(), by=TESTER, now=NOW)
    ahead = NOW + timedelta(days=300)
    told(bot, EventKind.KEY_CHECK, looked(key, "acc-1"), at=ahead)
    assert key.checked_at == NOW
    machine = told(bot, EventKind.PREFLIGHT, looked(key).result, at=ahead)
    assert machine.preflight_at == NOW


def test_a_machine_says_nothing_of_a_key_its_bot_was_not_given(bot, desk, key, sealer):
    told(bot, EventKind.KEY_CHECK, looked(key))
    assert key.checked_at is None
    elsewhere = golive.key(factories.organisation(), sealer)
    told(bot, EventKind.KEY_CHECK, looked(elsewhere))
    assert elsewhere.checked_at is None


def test_a_replaced_key_has_to_be_looked_at_anew(bot, key, sealer):
    bot_safety.prepare(bot, key, Safety(), by=TESTER, now=NOW)
    machine = told(bot, EventKind.KEY_CHECK, looked(key, "acc-1"))
    machine.claimed_at = machine.synced_at = machine.report_sent_at = NOW
    fields = dict(zip(("api_key", "secret"), new_key(), strict=True))
    later = NOW + timedelta(seconds=5)
    connections.edit(key, label="New", fields=fields, sealer=sealer, by=TESTER, now=later)
    assert (key.checked_at, key.findings, key.venue_account) == (None, {}, None)
    told(bot, EventKind.KEY_CHECK, looked(key, "acc-1"), at=NOW + timedelta(seconds=4))
    assert key.checked_at is None


# -- one account -----------------------------------------------------------------------------------


def at_testnet(workspace, sealer, name, **values):
    account = factories.connection(workspace, sealer, label=f"{name}'s")
    made = factories.bot(workspace, name=name, mode=Mode.TESTNET, connection=account, **values)
    return made, account


def test_two_keys_of_one_account_are_one_account_in_all_workspaces(desk, sealer):
    first, one = at_testnet(desk, sealer, "First")
    second, two = at_testnet(factories.organisation(), sealer, "Second")
    assert rivals.find(second, two) is None
    one.venue_account = rivals.account_of(one, "acc-1")
    two.venue_account = rivals.account_of(two, "acc-1")
    db.session.flush()
    assert rivals.find(second, two).id == first.id
    with pytest.raises(Invalid, match="A bot elsewhere trades") as refusal:
        rivals.check(second, two)
    assert "First" not in str(refusal.value)
    second.symbols = ["ETH/USDT:USDT"]
    assert rivals.find(second, two) is None


def switched_while_awake(desk, sealer):
    """A bot that left its account this second, and another one whose key is of the same."""
    first, one = at_testnet(desk, sealer, "First")
    second, two = at_testnet(desk, sealer, "Second")
    one.venue_account = two.venue_account = rivals.account_of(one, "acc-1")
    runs.begin(first, NOW)
    machine = awake(first, PositionState.FLAT)
    machine.open_orders, machine.report_sent_at = 0, NOW
    bots.switch_mode(first, Mode.PAPER, None, by=TESTER, now=NOW)
    db.session.flush()
    return first, second, two, machine


def test_a_bot_that_was_switched_has_the_account_until_its_machine_has_heard(desk, sealer):
    """In that second the old run goes on, and may enter."""
    first, second, two, _ = switched_while_awake(desk, sealer)
    assert runs.is_flat(first, NOW)
    assert rivals.find(second, two).id == first.id
    assert rivals.find_in_the_way(second, two, NOW).id == first.id
    runs.begin(first, NOW)
    assert rivals.find(second, two) is None
    assert rivals.find_in_the_way(second, two, NOW) is None


def test_a_run_that_nobody_carries_on_is_in_nobodys_way(desk, sealer):
    first, second, two, machine = switched_while_awake(desk, sealer)
    machine.gone_at, machine.proven_flat = NOW, True
    db.session.flush()
    assert runs.current(first.id) is not None
    assert rivals.find(second, two) is None
    machine.proven_flat = False
    db.session.flush()
    assert rivals.find(second, two).id == first.id, "nobody has seen what it left there"


def test_a_testnet_account_is_no_live_one_though_the_venue_calls_both_the_same(desk, sealer, key):
    testnet = factories.connection(desk, sealer)
    assert rivals.account_of(key, "acc-1") != rivals.account_of(testnet, "acc-1")


def test_two_live_bots_do_not_share_an_account(desk, bot, key, sealer):
    golive.seen(bot, key)
    go(bot, key)
    late = factories.bot(desk, name="Late", limits=LOW)
    other = golive.key(desk, sealer, "Other")
    golive.seen(late, other)
    key.venue_account = other.venue_account = rivals.account_of(key, "acc-9")
    db.session.flush()
    with pytest.raises(Invalid, match="Tide trades the same symbol"):
        go(late, other)


def test_who_turns_out_to_share_an_account_makes_no_entries(desk, sealer):
    first, one = at_testnet(desk, sealer, "First")
    second, two = at_testnet(factories.organisation(), sealer, "Second")
    for bot in (first, second):
        bots.start(bot, by=TESTER, now=NOW)
    told(first, EventKind.PREFLIGHT, looked(one, "acc-1").result)
    assert asked_of_workers() == []
    for _ in range(2):
        told(second, EventKind.PREFLIGHT, looked(two, "acc-1").result)
    assert not second.paused, "a report holds its bot's row, and waits for no other one"
    assert asked_of_workers() == [{"bot_id": second.id}] * 2
    for _ in range(2):
        account_rule.look(second.id, NOW)
    assert second.paused
    assert not first.paused
    (alarm,) = db.session.scalars(select(BotAlarm))
    assert (alarm.bot_id, alarm.code) == (second.id, account_rule.CODE)
    assert "First" not in alarm.text
    with pytest.raises(Invalid, match="A bot elsewhere trades"):
        bots.resume(second, by=TESTER, now=NOW)
    assert [bot for bot, _ in paused_then_resumed(second)] == [second]
    reported_flat(second)
    told(first, EventKind.PREFLIGHT, looked(one, "acc-1").result)
    account_rule.look(first.id, NOW)
    assert not first.paused, "the one that is paused is in nobody's way"
    assert account_rule.due(NOW) == [first.id, second.id]
    first.symbols = ["ETH/USDT:USDT"]
    for bot_id in account_rule.due(NOW):
        account_rule.look(bot_id, NOW)
    db.session.refresh(alarm)
    assert alarm.ended_at == NOW
    assert second.paused, "who enters again is for people to say"
    bots.resume(second, by=TESTER, now=NOW)


@pytest.mark.parametrize(
    ("wish", "paused", "state", "in_the_way"),
    [
        (Wish.FOLLOW, False, PositionState.FLAT, True),
        (Wish.REST, False, PositionState.FLAT, False),
        (Wish.FOLLOW, True, PositionState.FLAT, False),
        (Wish.FOLLOW, True, PositionState.OPEN, True),
        (Wish.REST, False, PositionState.UNKNOWN, True),
    ],
)
def test_who_enters_or_may_hold_is_in_the_way_and_nobody_else(
    desk, sealer, wish, paused, state, in_the_way
):
    first, one = at_testnet(desk, sealer, "First")
    second, two = at_testnet(factories.organisation(), sealer, "Second")
    one.venue_account = two.venue_account = rivals.account_of(one, "acc-1")
    first.wish, first.paused = wish, paused
    awake(first, state)
    reported_flat(first)
    second.wish = Wish.FOLLOW
    db.session.flush()
    account_rule.look(second.id, NOW)
    assert second.paused is in_the_way


def reported_flat(bot):
    """Its machine has said just now what it holds."""
    machines.current_machine(bot.id).report_sent_at = NOW
    db.session.flush()


def paused_then_resumed(bot):
    """What a resume of one press of the kill switch, which paused the bot, refuses."""
    order = panic.Order(KillAct.PAUSE)
    bot.paused = False
    kill = panic.press(bot.workspace, order, author=None, by=TESTER, now=NOW)
    return panic.resume(kill, by=TESTER, now=NOW).refused


def asked_of_workers():
    query = select(OutboxMessage.arguments).where(OutboxMessage.job == account_rule.JOB)
    return list(db.session.scalars(query))


def test_a_lost_hint_is_made_good_and_the_later_one_is_paused(desk, sealer):
    first, one = at_testnet(desk, sealer, "First")
    second, two = at_testnet(factories.organisation(), sealer, "Second")
    for bot, account, at in ((first, one, NOW), (second, two, NOW + timedelta(seconds=1))):
        assert account_rule.due(NOW) == []
        bots.start(bot, by=TESTER, now=NOW)
        machine = told(bot, EventKind.PREFLIGHT, looked(account, "acc-1").result)
        machine.preflight_at, machine.report_sent_at = at, NOW
    assert account_rule.due(NOW) == [second.id, first.id]
    for bot_id in account_rule.due(NOW):
        account_rule.look(bot_id, NOW)
    assert (first.paused, second.paused) == (False, True)
