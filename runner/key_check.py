"""Looks at the live key of a bot that is not live yet: from its address, and reading alone.

A key that is bound to the bot's address can be checked from nowhere else. What is made here shares
nothing with the desk that trades: it has a session of its own, which refuses whatever is no GET and
whatever is no host of the live mode, and it is closed once the venue has answered.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import Any

from runner.bench import Bench
from runner.errors import Operational, RunnerError, Temporary
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.transport import HostGuard
from runner.preflight import _address_check, rights_checks
from runner.protocol import Check, ClaimAnswer, EventKind, KeyCheck, LiveKey, Mode, Preflight

log = logging.getLogger("runner")

_PAUSE_SECONDS = 30.0


def begin(answer: ClaimAnswer, bench: Bench, source: str | None) -> asyncio.Task[None] | None:
    """Look beside the loop, which waits for nothing of it; ``None`` without such a key."""
    if answer.live_key is None:
        return None
    return asyncio.create_task(_look(answer.live_key, answer.address, bench, source))


async def end(looking: asyncio.Task[None] | None) -> None:
    """Stop looking, and be done with it."""
    if looking is not None:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _look(key: LiveKey, address: str, bench: Bench, source: str | None) -> None:
    """Once the venue answers, whatever it answers; while it cannot be reached, again and again."""
    while True:
        try:
            result = await _read(key, address, bench, source)
        except Temporary as error:
            log.warning("live key: %s; trying again", error)
            await bench.clock.sleep(_PAUSE_SECONDS)
            continue
        except RunnerError as error:
            result = Preflight(False, (Check("venue", False, str(error)),))
        bench.outbox.append(
            EventKind.KEY_CHECK, KeyCheck(key.connection, result), bench.clock.now()
        )
        return


async def _read(key: LiveKey, address: str, bench: Bench, source: str | None) -> Preflight:
    configuration = replace(bench.configuration, mode=Mode.LIVE, endpoint=None)
    exchange, venue, endpoint = connect(configuration, key.credentials, source)
    market = CcxtMarket(exchange, venue, endpoint)
    try:
        refuse_writes(exchange)
        broker = CcxtBroker(exchange, venue, configuration.quote)
        await market.open()
        seen = await market.address()
        checks = [_address_check(seen, address, source)]
        checks += await broker.check(configuration.symbols)
        if not any(check.name == "key" and check.ok is False for check in checks):
            rights = await broker.rights()
            checks += rights_checks(rights, address or source, bench.clock.now(), live=True)
    finally:
        await market.close()
    passed = not any(check.ok is False for check in checks)
    return Preflight(passed, tuple(checks), seen)


def refuse_writes(exchange: Any) -> None:
    """From here on its session sends GET alone. Raises ``Operational`` if it has none of ours."""
    guard = exchange.session.connector
    if not isinstance(guard, HostGuard):
        raise Operational("this key could not be kept from writing, so it was not used")
    guard.reads_only = True
