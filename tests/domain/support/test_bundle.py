"""A bundle holds what is allowed and no secret, wherever one was left lying about."""

import json
from decimal import Decimal

import pytest

from app.domain.support import bundle
from app.domain.support.scrub import GONE, clean
from app.extensions import db
from app.models import BotCommand, BotCompute, RunnerNotice
from runner.protocol import CommandKind
from tests import factories, telling
from tests.factories import NOW, TEMPO

SEED = "abandon ability able about above absent absorb abstract absurd abuse access accident"
SECRETS = {
    "API key": "practice-0f1e2d3c4b5a69788796a5b4",
    "mixed key": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
    "short key": "aB3dE6gH9jK2mN5p",
    "hex key": "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
    "named": "password=correcthorse",
    "PEM": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhki\n-----END PRIVATE KEY-----",
    "broken PEM": "-----BEGIN EC PRIVATE KEY----- MHcCAQEEIIrYSSNQ",
    "seed phrase": SEED,
    "numbered seed phrase": " ".join(f"{n}. {it}" for n, it in enumerate(SEED.split(), 1)),
    "webhook URL": "https://hooks.example.com/services/T0/B0/hook",
    "webhook path": "discord.example.com/api/webhooks/12/hook",
    "DSN": "postgresql://trader:swordfish@db.internal/books",
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0cmFkZXIifQ.sflKxwRJSMeKKF2QT4",
    "bot token": "12345678:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "bearer": "Authorization: Bearer swordfishes",
    "mailbox": "somebody@example.com",
}
TELLING = {
    "named": "correcthorse",
    "PEM": "MIIEvQIBADANBgkqhki",
    "broken PEM": "MHcCAQEEIIrYSSNQ",
    "seed phrase": "absent",
    "numbered seed phrase": "absent",
    "webhook URL": "/hook",
    "webhook path": "/hook",
    "DSN": "swordfish",
    "JWT": "eyJzdWIi",
    "bearer": "swordfishes",
}
"""What of a secret would give it away; the whole of it for the others."""

HARMLESS = (
    "no trading yet: address: the venue sees 127.64.0.3, the bot's address is 127.64.0.9",
    'create order: InsufficientFunds binance {"code":-2019,"msg":"Margin is insufficient."}',
    "+1400 ms against the venue; set the machine's clock by NTP",
    "BTC/USDT:USDT: tick 0.10, lot 0.001, minimum 100 USDT",
    "stop loss at the venue, for when the runner cannot act",
    "America/Argentina/Buenos_Aires",
    "1000000BABYDOGE/USDT:USDT",
    "bot_abcdefghijklmnopqrstuvwxyz",
    "2026-11-24T12:00:00+00:00",
    "max_position_notional",
)


@pytest.fixture
def bot(app):
    return factories.bot(factories.organisation())


def collected(bot, **options):
    return bundle.collect(bot, NOW, TEMPO, **({"rules": True} | options))


def left_about(bot, machine, kind, secret):
    """Put it wherever a person, a venue or a runner can write words or values of their own."""
    order = factories.order(bot, machine.run_id, kind, "rejected")
    order.reason, order.venue_id = secret, secret[:60]
    bot.name, bot.version.strategy.name = secret[:60], secret[:80]
    bot.version.strategy.summary = bot.version.note = machine.end_reason = secret[:180]
    rules = json.loads(json.dumps(bot.version.rules))
    rules["direction"] = rules["timeframe"] = secret
    rules["signals"][0]["params"]["fast"] = rules["sizing"]["value"] = secret
    rules["signals"].append({"kind": secret, "params": {secret: 1}})
    bot.version.rules = rules
    bot.limits = bot.limits | {"max_daily_loss": secret, secret: secret}
    bot.schedule = bot.schedule | {"note": secret}
    machine.health = {"backlog": secret, "latency_p50_ms": 12, "secret": secret}
    check = {"name": "key", "ok": False, "detail": secret}
    machine.preflight = {"passed": False, "checks": [check], "clock_skew_ms": secret, "x": secret}
    db.session.get_one(BotCompute, bot.id).problem = secret[:300]
    own = {"workspace_id": bot.workspace_id, "bot_id": bot.id}
    db.session.add_all(
        [
            RunnerNotice(
                **own, run_id=machine.run_id, level="alarm", code="odd", message=secret, at=NOW
            ),
            BotCommand(
                **own, kind=CommandKind.RELOAD, arguments={"a": secret}, created_at=NOW,
                outcome=secret[:200],
            ),
        ]
    )  # fmt: skip
    db.session.flush()


def test_a_secret_left_anywhere_is_not_in_it(bot):
    machine = telling.awake(bot, NOW)
    for kind, secret in SECRETS.items():
        left_about(bot, machine, kind, secret)
        text = bundle.canonical(collected(bot))
        for part in (secret, TELLING.get(kind, secret)):
            assert part not in text, kind
            assert json.dumps(part)[1:-1] not in text, kind
        assert '"latency_p50_ms":12' in text


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("around", ["{}", "see {} here", "the key:{}, and then", '{{"x":"{}"}}'])
def test_the_net_catches_it_in_any_sentence(kind, around):
    said = clean(around.format(SECRETS[kind]))
    assert TELLING.get(kind, SECRETS[kind]) not in said
    assert GONE in said


@pytest.mark.parametrize("text", HARMLESS)
def test_what_helps_is_left_as_it_is(text):
    assert clean(text) == text


def test_a_long_text_is_cut():
    assert len(clean("a word " * 100)) == 201


def test_it_says_what_the_desk_asks_for_anyway(bot):
    machine = telling.awake(bot, NOW)
    telling.session(bot, machine, NOW, candles=60, trades=1)
    order = factories.order(bot, machine.run_id, "o1", "rejected")
    order.reason = 'create order: InsufficientFunds {"code":-2019,"msg":"Margin is insufficient."}'
    found = collected(bot)
    assert found["bot"]["exchange"] == "practice"
    assert found["strategy"]["components"][0]["numbers"] == {"fast": 5, "slow": 20}
    assert found["strategy"]["components"][0]["choices"] == {}
    assert found["machine"]["clock_skew_ms"] == 4
    assert found["machines"][0]["generation"] == 1
    assert [it["code"] for it in found["orders"] if it["status"] == "rejected"] == ["-2019"]
    assert found["account"]["equity"] == "10,000 to 50,000"
    assert found["account"]["open_position"] is True
    assert {"bot.create"} <= {it["what"] for it in found["events"]}


def test_who_may_not_see_rules_sends_none(bot):
    assert set(collected(bot, rules=False)["strategy"]) == {"id", "name", "version"}


def test_no_amount_of_the_account_is_told(bot):
    machine = telling.awake(bot, NOW)
    telling.session(bot, machine, NOW, candles=60, trades=0)
    assert "10000" not in bundle.canonical(collected(bot)["account"])


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None),
        ("-3", "below 0"),
        ("0", "0 to 10"),
        ("9999.99", "5,000 to 10,000"),
        ("10000", "10,000 to 50,000"),
        ("7000000", "above 1,000,000"),
    ],
)
def test_amounts_become_ranges(value, told):
    assert bundle.in_range(None if value is None else Decimal(value)) == told


def test_the_fingerprint_is_of_the_content_alone(bot):
    found = collected(bot)
    again = dict(reversed(list(found.items())))
    assert bundle.fingerprint(found) == bundle.fingerprint(again)
    assert bundle.fingerprint(found | {"format": 2}) != bundle.fingerprint(found)


def test_events_are_the_last_two_hundred(bot):
    machine = telling.awake(bot, NOW)
    own = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "run_id": machine.run_id}
    db.session.add_all(
        RunnerNotice(**own, level="info", code=f"n{n}", message="", at=NOW) for n in range(250)
    )
    db.session.flush()
    found = collected(bot)["events"]
    assert len(found) == bundle.EVENTS
    assert {it["what"] for it in found} >= {"n249"}
