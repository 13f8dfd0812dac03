"""An orderly end: by policy, in time, and never with an unprotected position unsaid."""

import asyncio
import os
import re
import signal
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from app.gateways.compute import local
from app.supervisor import minder
from runner import ending, environment, loop
from runner.clock import Clock
from runner.environment import Stopper
from runner.errors import Temporary
from runner.exchange.base import OrderKind
from runner.protocol import EventKind, OnEnd, ProtectionState
from tests.runner.hand_desk import ENTRY, story
from tests.runner.machine import ROOT

RESTING = replace(ENTRY, kind=OrderKind.LIMIT, price=Decimal(90_000), leg="resting")


def end(hand):
    return hand.loop._ending.run()


def test_the_intent_to_stop_is_seen_at_once(tmp_path):
    async def act(hand):
        hand.bench.standing.preflight_passed = True
        hand.loop.stop()
        assert hand.bench.standing.blocked(hand.clock.now(), 0) == "the runner is stopping"

    story(tmp_path, act)


def test_protected_looks_at_the_stop_and_leaves_it(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick()
        hand.broker.vanish()
        said = await end(hand)
        (stop,) = hand.broker.stops()
        assert f"stop {stop.price:f} seen at the venue" in said
        assert hand.broker.held
        assert hand.last.state is ProtectionState.VERIFIED
        assert not hand.notices("left_unprotected")

    story(tmp_path, act)


def test_protected_rings_when_there_is_no_stop(tmp_path):
    async def act(hand):
        await hand.enter()
        hand.broker.refuses = True
        said = await end(hand)
        (alarm,) = hand.notices("left_unprotected")
        assert alarm.level == "alarm"
        assert "refused" in alarm.text
        assert "refused" in said

    story(tmp_path, act)


def test_protected_says_that_an_entry_is_left(tmp_path):
    async def act(hand):
        await hand.desk.submit(RESTING)
        await end(hand)
        assert hand.notices("entry_left")
        assert len(await hand.broker.open_orders("")) == 1

    story(tmp_path, act)


def test_cancel_takes_entries_back_and_keeps_stops(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick()
        await hand.desk.submit(RESTING)
        said = await end(hand)
        (left,) = await hand.broker.open_orders("")
        assert left.kind is OrderKind.STOP_MARKET
        assert "seen at the venue" in said
        assert not hand.notices("entry_left")

    story(tmp_path, act, on_end=OnEnd.CANCEL)


def test_flatten_leaves_nothing(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick()
        await hand.desk.submit(RESTING)
        assert await end(hand) == "flat, no open orders"
        assert not hand.broker.held
        assert not await hand.broker.open_orders("")

    story(tmp_path, act, on_end=OnEnd.FLATTEN)


@pytest.mark.parametrize("policy", OnEnd)
def test_a_venue_that_hangs_does_not_keep_the_process(policy, tmp_path, monkeypatch):
    monkeypatch.setattr("runner.ending.FLATTEN_SECONDS", 0.05)
    monkeypatch.setattr("runner.ending.LOOK_SECONDS", 0.05)

    async def act(hand):
        await hand.enter()
        await hand.tick()

        async def hang(*_):
            await asyncio.Event().wait()

        for call in ("open_orders", "positions", "find", "place", "cancel", "executions"):
            setattr(hand.broker, call, hang)
        await end(hand)
        assert hand.notices("end_unproven")

    story(tmp_path, act, on_end=policy)


@pytest.mark.parametrize("call", ["positions", "open_orders"])
def test_a_venue_that_answers_with_errors_proves_nothing(call, tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick()
        setattr(hand.broker, call, refuse)
        await end(hand)
        (alarm,) = hand.notices("end_unproven")
        assert alarm.level == "alarm"

    async def refuse(*_):
        raise Temporary("not now")

    story(tmp_path, act)


def test_the_last_words_tell_what_is_left(tmp_path):
    async def act(hand):
        hand.loop._link.finish = nothing
        await hand.enter()
        await hand.tick()
        await hand.loop._end()
        states = [s.state for s in hand.told(EventKind.STATE)]
        assert states == ["stopping"]
        (ended,) = hand.notices("ended")
        assert "0.012 held, stop" in ended.text

    async def nothing(*_):
        pass

    story(tmp_path, act)


@pytest.mark.parametrize("signals", [1, 2])
def test_the_second_signal_forces_the_end(signals):
    async def go():
        stopper, heard = Stopper(Clock()), asyncio.Queue()
        stopper.loop = SimpleNamespace(stop=lambda: heard.put_nowait("stop"))
        try:
            for _ in range(signals):
                os.kill(os.getpid(), signal.SIGTERM)
                await heard.get()
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return stopper, True
        return stopper, False

    stopper, cut_off = asyncio.run(go())
    assert stopper.asked
    assert cut_off is stopper.forced is (signals == 2)


def test_the_whole_end_fits_into_what_a_machine_gives():
    whole = loop._TICK_GRACE + 3 * ending.LOOK_SECONDS + ending.FLATTEN_SECONDS
    assert whole + loop._LAST_WORDS_SECONDS < environment._LONGEST_END < 20
    assert local._TERM_SECONDS > 20
    assert minder._RUNNER_SECONDS > 20
    unit = (ROOT / "app/gateways/compute/startup.sh").read_text()
    assert int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]) > 20
