"""A position on a symbol that is no longer configured is never called flat, and can be left."""

import asyncio
from dataclasses import replace

import pytest

from runner.commands import Commands
from runner.custodians import Custodians
from runner.protocol import Command, CommandKind, EventKind, Mode, payload
from runner.reconcile import reconcile
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import ENTRY, at_bench

OTHER = "ETH/USDT:USDT"


@pytest.mark.parametrize(
    ("mode", "lost"),
    # A paper account that is lost with its disk comes back by the checkpoint.
    [(Mode.PAPER, False), (Mode.TESTNET, False), (Mode.TESTNET, True)],
)
def test_a_position_left_behind_is_open_until_it_is_flattened(mode, lost, practice, tmp_path):
    credentials = practice_credentials() if mode is Mode.TESTNET else None

    async def go():
        async with at_bench(tmp_path / "a", practice.url, mode, credentials) as (_, desk):
            await desk.submit(ENTRY)
        disk = tmp_path / ("b" if lost else "a")
        async with at_bench(disk, practice.url, mode, credentials) as (bench, desk):
            bench.configuration = replace(bench.configuration, symbols=(OTHER,))
            await desk.settle()
            assert not desk.holds_nothing()
            assert (await reconcile(bench, desk)).ok
            assert desk.quantity(SYMBOL) == ENTRY.quantity
            assert not desk.holds_nothing()
            told = [payload(e) for e in bench.outbox.pending(99) if e.kind is EventKind.NOTICE]
            assert "position_elsewhere" in [notice.code for notice in told]
            commands = Commands(bench, desk, bench.outbox._store)
            await commands.take((Command("c1", CommandKind.FLATTEN),))
            for custodian in Custodians(bench, desk, []).all():
                await custodian.watch()
            commands.look_after_flatten()
            assert desk.holds_nothing()
            assert not bench.standing.flattening

    asyncio.run(go())
