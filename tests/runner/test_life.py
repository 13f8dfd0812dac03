"""What a runner refuses to run with, said in words before anything is traded."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from runner import boot
from runner.environment import Environment
from runner.errors import Operational, Temporary
from runner.life import Life, _refuse_what_cannot_run
from runner.link import Link
from runner.protocol import (
    ClaimAnswer,
    Credentials,
    EventKind,
    Lease,
    Mode,
    PositionState,
    SyncAnswer,
    payload,
)
from tests.runner.hand_desk import rules, story
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
    with pytest.raises(Operational, match="stop in the strategy, or the bot's disaster stop"):
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


class Heard:
    """A platform that takes in whatever it is told."""

    def __init__(self):
        self.notices = []

    async def sync(self, sync):
        said = [payload(e) for e in sync.batch if e.kind is EventKind.NOTICE]
        self.notices += [(notice.level, notice.code, notice.text) for notice in said]
        assert sync.position_state is PositionState.UNKNOWN
        last = max((event.seq for event in sync.batch), default=0)
        return SyncAnswer(ack_seq=last, server_time=NOW, lease=Lease(NOW), commands=())


async def opened(hand, heard, *faults):
    """Wait for a venue that fails these times before its rules can be read."""
    left = list(faults)

    async def load(wanted):
        assert wanted == hand.bench.configuration.symbols
        if left:
            raise left.pop(0)

    hand.market.open = load
    environment = Environment("http://127.0.0.1:9", "bot_a", 1, "t", Path(), None)
    life = Life(answer(Mode.TESTNET), heard, environment, hand.store, hand.clock)
    link = Link(heard, hand.bench.outbox, hand.clock)
    await life._open(hand.bench, link, SimpleNamespace(asked=False))
    assert not left


def test_the_platform_hears_why_a_start_waits(tmp_path):
    async def act(hand):
        heard = Heard()
        await opened(hand, heard, Temporary("load instruments: out"), Temporary("still out"))
        assert [(level, code) for level, code, _ in heard.notices] == [
            ("warning", "venue_not_ready")
        ] * 2
        assert "load instruments: out" in heard.notices[0][2]

    story(tmp_path, act)


def test_a_venue_that_refuses_for_good_ends_it_with_a_word(tmp_path):
    async def act(hand):
        heard = Heard()
        with pytest.raises(Operational):
            await opened(hand, heard, Operational("not from this country"))
        assert heard.notices == [("alarm", "cannot_run", "not from this country")]

    story(tmp_path, act)
