"""From the machine's environment to a running loop: claim, live, claim again on reload."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import uuid

from runner import __version__, outbox
from runner.client import GateClient
from runner.clock import Clock
from runner.environment import Environment, Stopper
from runner.errors import Operational, Superseded, Temporary
from runner.exchange.transport import session
from runner.life import Life
from runner.loop import Outcome
from runner.protocol import Claim, ClaimAnswer
from runner.store import Store

log = logging.getLogger("runner")

_GATE_SECONDS = 10.0
_LONGEST_PAUSE = 30.0


async def run(environment: Environment) -> int:
    """Live until told to stop; the exit status of the process."""
    try:
        return await _live(environment)
    except sqlite3.Error as error:
        # Without its records it must not trade, nor could it say what it left.
        log.error("giving up: the machine's disk cannot be used: %s", error)  # noqa: TRY400 - it says all
        return 1


async def _live(environment: Environment) -> int:
    clock = Clock()
    stopper = Stopper(clock)
    store = Store(environment.directory / "journal.sqlite")
    gate = session([environment.gate], environment.source_address, _GATE_SECONDS)
    client = GateClient(gate, environment.gate)
    try:
        while not stopper.asked:
            answer = await _claim(client, environment, outbox.holds(store), clock, stopper)
            if answer is None:
                break
            life = Life(answer, client, environment, store, clock)
            outcome = await life.run(stopper)
            if outcome is not Outcome.RELOAD:
                break
    except Superseded as error:
        log.warning("superseded: %s", error)
    except asyncio.CancelledError:
        # The orderly end took too long. All that matters is on disk, so this is no failure,
        # unless someone insisted.
        if stopper.forced or not stopper.asked:
            raise
    except Operational as error:
        log.error("giving up: %s", error)  # noqa: TRY400 - the sentence says it all
        return 1
    finally:
        await gate.close()
        store.close()
    return 0


async def _claim(
    client: GateClient, environment: Environment, holds: int, clock: Clock, stopper: Stopper
) -> ClaimAnswer | None:
    """Claim until the gate answers; ``None`` when asked to stop meanwhile."""
    claim = Claim(
        bot=environment.bot,
        generation=environment.generation,
        token=environment.token,
        boot_id=uuid.uuid4().hex,
        runner_version=__version__,
        holds=holds,
    )
    pause = 0.5
    while not stopper.asked:
        try:
            return await client.claim(claim)
        except Temporary as error:
            log.warning("claim: %s; trying again", error)
            await clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
    return None
