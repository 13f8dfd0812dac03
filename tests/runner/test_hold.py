"""A hold of the platform keeps entries back, and alarms that end are told as ended."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from runner.life import _standing
from runner.loop import Loop
from runner.protocol import ClaimAnswer, EventKind, Lease, Mode, Notice, SyncAnswer, payload
from runner.reconcile import reconcile
from tests.runner.gate import always
from tests.runner.workshop import at_bench

TEXT = "the exchange is away"


def claim_answer(bench, **values):
    now = bench.clock.now()
    return ClaimAnswer(
        claim_id="c",
        server_time=now,
        address="127.0.0.1",
        configuration=bench.configuration,
        windows=bench.standing.windows,
        end_policy="hold",
        lease=Lease(now + timedelta(seconds=60)),
        **values,
    )


def sync_answer(bench, hold):
    now = bench.clock.now()
    return SyncAnswer(0, now, Lease(now + timedelta(seconds=60)), hold=hold)


def blocked(standing, bench):
    return standing.blocked(bench.clock.now(), bench.clock.monotonic())


def test_each_answer_says_what_holds_and_silence_changes_nothing(practice, tmp_path):
    async def go():
        async with at_bench(tmp_path, practice.url, Mode.PAPER, None) as (bench, desk):
            bench.standing.windows = always()
            loop = Loop(claim_answer(bench), bench, desk, None, bench.outbox._store)
            bench.standing.preflight_passed = True
            for hold, reason in ((TEXT, f"held: {TEXT}"), (None, f"held: {TEXT}"), ("", None)):
                await loop._heed(sync_answer(bench, hold))
                assert blocked(bench.standing, bench) == reason

    asyncio.run(go())


def test_a_claim_under_a_hold_begins_held_and_flattens_all_the_same(practice, tmp_path):
    async def go():
        async with at_bench(tmp_path, practice.url, Mode.PAPER, None) as (bench, _):
            answer = claim_answer(bench, hold=TEXT)
            standing = _standing(answer, answer.configuration, bench.clock)
            standing.preflight_passed = standing.flattening = True
            assert standing.way_out(bench.clock.now()) == "asked to flatten"
            free = replace(standing, flattening=False)
            assert blocked(free, bench) == f"held: {TEXT}"

    asyncio.run(go())


def test_what_is_over_is_told_once_and_also_to_who_never_heard_of_it(practice, tmp_path):
    async def go():
        async with at_bench(tmp_path, practice.url, Mode.PAPER, None) as (bench, desk):
            for _ in range(2):
                assert (await reconcile(bench, desk)).ok
            assert told(bench) == [Notice("over", "foreign", "")]
            bench.notice("alarm", "foreign", "Not ours.")
            for _ in range(2):
                bench.settled("foreign")
            assert told(bench)[1:] == [
                Notice("alarm", "foreign", "Not ours."),
                Notice("over", "foreign", ""),
            ]

    def told(bench):
        found = [payload(e) for e in bench.outbox.pending(99) if e.kind is EventKind.NOTICE]
        return [notice for notice in found if notice.code == "foreign"]

    asyncio.run(go())
