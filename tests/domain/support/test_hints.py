"""What is known of a trouble before anybody asks, and what makes a ticket urgent."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.errors import Invalid
from app.domain.support import hints
from app.extensions import db
from app.gateways.vault import Sealer
from app.models import (
    BotCompute,
    Component,
    ComponentKind,
    Condition,
    Deflection,
    Incident,
    IncidentComponent,
    IncidentState,
    Phase,
    TicketPriority,
)
from runner.protocol import Mode
from tests import factories, telling
from tests.factories import NOW, TEMPO

pytestmark = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)

REFUSALS = {
    '{"code":-4164,"msg":"Order\'s notional must be no smaller than 100"}': "min_notional",
    '{"code":-2019,"msg":"Margin is insufficient."}': "margin",
    "InsufficientFunds okx": "margin",
    '{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}': "key",
    '{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}': "clock",
}


@pytest.fixture
def bot(app):
    return factories.bot(factories.organisation())


@pytest.fixture
def sealer(keys):
    return Sealer(keys.public)


def told(bot, now=NOW):
    return [it.key for it in hints.of_bot(bot, now, TEMPO)]


def failed(bot, *checks, skew=None):
    machine = telling.awake(bot, NOW)
    machine.preflight = {
        "passed": False,
        "checks": [{"name": name, "ok": False, "detail": "it says why"} for name in checks],
        "clock_skew_ms": skew,
    }
    return machine


def rejected(bot, machine, reason):
    order = factories.order(bot, machine.run_id, "o1", "rejected")
    order.reason, order.decided_at = reason, NOW
    db.session.flush()


def test_a_healthy_bot_has_none(bot):
    machine = telling.awake(bot, NOW)
    telling.session(bot, machine, NOW, candles=60, trades=0, holding=False)
    assert told(bot) == []


@pytest.mark.parametrize(
    ("check", "hint"),
    [("address", "address"), ("key binding", "address"), ("key", "key"), ("clock", "clock")],
)
def test_a_failed_preflight_names_the_cause(bot, check, hint):
    failed(bot, check)
    assert told(bot) == [hint]
    (found,) = hints.of_bot(bot, NOW, TEMPO)
    assert found.seen == "it says why"
    assert found.do


@pytest.mark.parametrize(("skew", "hint"), [(1000, []), (1001, ["clock"]), (-1500, ["clock"])])
def test_a_clock_more_than_a_second_off(bot, skew, hint):
    failed(bot, skew=skew)
    assert told(bot) == hint


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_refused_order_names_the_cause(bot, reason):
    rejected(bot, telling.awake(bot, NOW), reason)
    assert told(bot) == [REFUSALS[reason]]
    assert told(bot, NOW + timedelta(hours=25)) == ["lost_contact"]


def test_a_cause_seen_twice_is_told_once(bot):
    rejected(bot, failed(bot, "key"), "Invalid API-key")
    assert told(bot) == ["key"]


def test_a_secret_in_a_refusal_is_not_repeated(bot):
    secret = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv"
    rejected(bot, telling.awake(bot, NOW), f"Invalid API-key {secret}")
    (found,) = hints.of_bot(bot, NOW, TEMPO)
    assert secret not in found.seen


def test_blocked_and_lost_bots(bot):
    compute = db.session.get_one(BotCompute, bot.id)
    compute.phase, compute.problem = Phase.BLOCKED, "no address is left in this region"
    assert told(bot) == ["blocked"]
    telling.awake(bot, NOW)
    assert told(bot, NOW + timedelta(minutes=5)) == ["lost_contact"]


def hit(key, kind):
    incident = Incident(
        title="Orders are slow",
        state=IncidentState.IDENTIFIED,
        impact=Condition.DEGRADED,
        began_at=NOW,
        created_at=NOW,
    )
    part = Component(
        key=key, kind=kind, title=key, condition=Condition.DEGRADED, since=NOW, measured_at=NOW
    )
    db.session.add_all([incident, part])
    db.session.flush()
    db.session.add(IncidentComponent(incident_id=incident.id, component_key=key))
    db.session.flush()
    return incident


def test_an_incident_of_its_exchange_or_of_the_platform_alone(bot):
    hit("exchange:bybit", ComponentKind.EXCHANGE)
    assert told(bot) == []
    ours = hit("exchange:practice", ComponentKind.EXCHANGE)
    assert told(bot) == ["incident"]
    ours.state = IncidentState.RESOLVED
    db.session.flush()
    assert told(bot) == []
    hit("gate", ComponentKind.PLATFORM)
    assert told(bot) == ["incident"]


def test_a_connection_says_what_its_last_check_found(app, sealer):
    workspace = factories.organisation()
    found = factories.connection(workspace, sealer)
    assert hints.of_connection(found, NOW) == []
    found.findings = {"checks": [{"name": "key binding", "ok": False, "detail": "any address"}]}
    assert [it.key for it in hints.of_connection(found, NOW)] == ["address"]
    found.findings, found.inactive_at = {}, NOW
    assert [it.key for it in hints.of_connection(found, NOW)] == ["key"]


def test_a_testnet_bot_is_told_of_its_connection(app, sealer):
    workspace = factories.organisation()
    connection = factories.connection(workspace, sealer)
    bot = factories.bot(workspace, mode=Mode.TESTNET, connection=connection)
    connection.findings = {"checks": [{"name": "key", "ok": False, "detail": "gone"}]}
    found = {it.key: it for it in hints.of_bot(bot, NOW, TEMPO)}
    assert found["key"].path == f"/w/{workspace.id}/connections/{connection.id}"


def test_an_open_position_without_contact_is_urgent(bot):
    machine = telling.awake(bot, NOW)
    telling.holding(bot, machine, NOW)
    assert hints.raised(bot, NOW, TEMPO) is None
    found = hints.raised(bot, NOW + timedelta(minutes=5), TEMPO)
    assert found.priority is TicketPriority.URGENT
    assert found.why == "1 open position, and its machine has not reported"


def test_without_a_position_nothing_is_raised(bot):
    telling.awake(bot, NOW)
    assert hints.raised(bot, NOW + timedelta(minutes=5), TEMPO) is None


def test_what_helped_is_counted_and_nothing_else(app):
    hints.note(["key", "clock", "key"], NOW, helped=True)
    found = db.session.execute(select(Deflection.hint, Deflection.helped)).all()
    assert sorted(map(tuple, found)) == [("clock", True), ("key", True)]
    with pytest.raises(Invalid):
        hints.note(["key", "anything"], NOW, helped=True)
