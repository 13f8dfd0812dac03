"""What a runner refuses to run with, said in words before anything is traded."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from runner import boot
from runner.environment import Environment
from runner.errors import Operational
from runner.life import _refuse_what_cannot_run
from runner.protocol import ClaimAnswer, Credentials, Lease, Mode
from tests.runner.hand_desk import rules
from tests.runner.machine import configuration

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def answer(mode, **changes):
    key = None if mode is Mode.PAPER else Credentials("k", "s")
    return ClaimAnswer(
        claim_id="c",
        server_time=NOW,
        address="",
        configuration=configuration("", mode, **changes),
        windows=(),
        end_policy="hold",
        lease=Lease(NOW),
        credentials=key,
    )


def switched_off():
    plain = rules()
    for rule in plain["exits"]:
        rule["enabled"] = rule["kind"] != "stop_loss"
    return plain


@pytest.mark.parametrize("without", [rules(stop=None), switched_off()])
def test_live_needs_a_stop_of_some_kind(without):
    with pytest.raises(Operational, match="stop loss in the strategy, or the bot's disaster stop"):
        _refuse_what_cannot_run(answer(Mode.LIVE, rules=without))
    _refuse_what_cannot_run(answer(Mode.LIVE, rules=rules()))
    _refuse_what_cannot_run(answer(Mode.LIVE, rules=without, disaster_stop_percent=Decimal(12)))
    _refuse_what_cannot_run(answer(Mode.TESTNET, rules=without))


@pytest.mark.parametrize("share", ["0", "-1", "100"])
def test_a_disaster_stop_is_a_distance(share):
    with pytest.raises(Operational, match="no distance"):
        _refuse_what_cannot_run(answer(Mode.PAPER, disaster_stop_percent=Decimal(share)))


def test_a_disk_that_cannot_be_used_is_said_and_ends_it(tmp_path, caplog):
    (tmp_path / "journal.sqlite").write_bytes(b"this is no database, " * 500)
    environment = Environment("http://127.0.0.1:9", "bot_a", 1, "t", tmp_path, None)
    assert asyncio.run(boot.run(environment)) == 1
    assert "disk cannot be used" in caplog.text
