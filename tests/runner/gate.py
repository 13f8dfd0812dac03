"""A small gate on loopback: one bot, one claim at a time, remembers every event it was told."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

from aiohttp import web

from runner.protocol import (
    CLAIM_PATH,
    SYNC_PATH,
    Claim,
    ClaimAnswer,
    Command,
    CommandKind,
    EventKind,
    Lease,
    PositionState,
    Sync,
    SyncAnswer,
    Window,
    dumps,
    loads,
    payload,
)
from tests.waiting import PATIENCE


def always():
    now = datetime.now(UTC)
    return (Window(now - timedelta(days=1), now + timedelta(days=8)),)


class Gate:
    """Runs in a thread of its own so that tests can wait on it plainly."""

    def __init__(self, configuration, credentials=None, windows=None):
        self.configuration = configuration
        self.credentials = credentials
        self.windows = always() if windows is None else windows
        self.restored = {}
        self.generation = 1
        self.token = "token-1"
        self.address = ""
        self.claims = []
        self.syncs = []
        self.events = []
        self.commands = []
        self.status = None
        self.deaf = False  # answers, and takes in nothing of what it is told
        self.lease_seconds = 60
        self.changed = threading.Condition()
        self._boot = None

    # -- what a test asks --------------------------------------------------------------------

    def told(self, kind):
        return [payload(e) for e in list(self.events) if e.kind is kind]

    def wait(self, condition):
        end = time.monotonic() + PATIENCE
        while not (met := condition()) and time.monotonic() < end:
            # Some conditions look at files, which notify nobody.
            with self.changed:
                self.changed.wait(0.2)
        assert met, f"waited in vain; last events: {self.events[-5:]}"

    def command(self, kind, name=None):
        command = Command(name or f"c{len(self.commands) + 1}", kind)
        with self.changed:
            self.commands.append(command)
        return command

    def done(self, command):
        return command.id in [d.id for d in self.told(EventKind.COMMAND_DONE)]

    def flat(self):
        last = self.syncs[-1] if self.syncs else None
        return bool(last and last.position_state is PositionState.FLAT and not last.open_orders)

    def closed_trades(self):
        """Exit fills so far."""
        purposes = {o.client_id: o.purpose for o in self.told(EventKind.ORDER)}
        return [f for f in self.told(EventKind.FILL) if purposes.get(f.client_id) != "entry"]

    # -- serving -----------------------------------------------------------------------------

    async def _claim(self, request):
        claim = loads(Claim, await request.read())
        if claim.generation != self.generation:
            return web.Response(status=410, text="stale generation")
        if claim.token != self.token:
            return web.Response(status=403, text="wrong token")
        self._boot = claim.boot_id
        with self.changed:
            self.claims.append((claim, request.remote))
            self.changed.notify_all()
        now = datetime.now(UTC)
        answer = ClaimAnswer(
            claim_id=claim.boot_id,
            server_time=now,
            address=self.address,
            configuration=self.configuration,
            windows=self.windows,
            end_policy="drain",
            lease=Lease(now + timedelta(seconds=self.lease_seconds)),
            credentials=self.credentials,
            restored=self.restored,
            next_seq=len(self.events) + 1,
        )
        return web.Response(body=dumps(answer), content_type="application/json")

    async def _sync(self, request):
        sync = loads(Sync, await request.read())
        if self.status is not None:
            return web.Response(status=self.status, text="as the test wants it")
        if sync.claim_id != self._boot:
            return web.Response(status=410, text="a newer boot claimed")
        with self.changed:
            for event in () if self.deaf else sync.batch:
                if event.seq == len(self.events) + 1:
                    payload(event)
                    self.events.append(event)
            self.syncs.append(sync)
            done = {d.id for d in self.told(EventKind.COMMAND_DONE)}
            waiting = tuple(c for c in self.commands if c.id not in done)
            self.changed.notify_all()
        now = datetime.now(UTC)
        answer = SyncAnswer(
            len(self.events),
            now,
            Lease(now + timedelta(seconds=self.lease_seconds)),
            waiting,
            self.windows,
        )
        return web.Response(body=dumps(answer), content_type="application/json")

    def __enter__(self):
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(PATIENCE)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)

    def _serve(self, ready):
        asyncio.run(self._main(ready))

    async def _main(self, ready):
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_post(CLAIM_PATH, self._claim)
        app.router.add_post(SYNC_PATH, self._sync)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await self._over.wait()
        await runner.cleanup()


__all__ = ["CommandKind", "Gate", "always"]
