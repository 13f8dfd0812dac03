"""The loop: commands, then data, then exits, then entries, then telemetry; once a second."""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
from collections.abc import Awaitable
from enum import Enum

from runner.bench import Bench
from runner.commands import Commands
from runner.custodians import Custodians
from runner.desk import Desk
from runner.ending import Ending
from runner.errors import Operational, RunnerError, Superseded
from runner.health import Health
from runner.link import Link, deadline
from runner.preflight import preflight
from runner.protocol import ClaimAnswer, Command, EventKind, Preflight, SyncAnswer
from runner.reconcile import reconcile
from runner.reporter import Reporter
from runner.rounds import Rounds
from runner.states import State
from runner.store import Store
from runner.trader import Trader

log = logging.getLogger("runner")

TICK_SECONDS = 1.0
_FAST, _SLOW = 2.0, 10.0
_EQUITY_FAST, _EQUITY_SLOW = 5.0, 60.0
_SETTLE_FAST, _SETTLE_SLOW = 2.0, 30.0
_LONGEST_PAUSE = 60.0
# With what ``ending`` takes, less than the twenty seconds an orderly end may take.
_TICK_GRACE, _LAST_WORDS_SECONDS = 1.0, 3.0


class Outcome(Enum):
    """Why a loop ended. ``UNTOLD``: to reload, with something the platform does not know yet."""

    STOPPED = "stopped"
    SUPERSEDED = "superseded"
    RELOAD = "reload"
    UNTOLD = "untold"


class Loop:
    """One claim's life: preflight until it passes, then trading until told to stop."""

    def __init__(
        self, answer: ClaimAnswer, bench: Bench, desk: Desk, link: Link, store: Store
    ) -> None:
        self._address = answer.address
        self._bench = bench
        self._desk = desk
        self._link = link
        self._clock = bench.clock
        self._traders = [Trader(s, bench, desk) for s in bench.configuration.symbols]
        self._commands = Commands(bench, desk, store)
        self._custodians = Custodians(bench, desk, self._traders)
        self._reporter = Reporter(answer.claim_id, bench, desk, link, self._custodians)
        self._rounds = Rounds(bench, desk)
        self._health = Health(bench, store, self._custodians)
        self._ending = Ending(bench, desk, self._custodians, self._try)
        self._streams = bench.streams
        self._done = dict.fromkeys(("preflight", "settle", "equity"), -math.inf)
        self._pause = 0.5
        self._ticking: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Ask for an orderly end; called by the event loop on a signal."""
        self._bench.standing.stopping = True
        if self._ticking is not None:
            # An order cut off here is in the journal and will be asked for at the next start.
            asyncio.get_running_loop().call_later(_TICK_GRACE, self._ticking.cancel)
        self._clock.wake()

    def leave_nothing(self) -> None:
        """However the loop ended: no process of a code strategy is left behind."""
        for trader in self._traders:
            if trader.coder is not None:
                trader.coder.kill()

    async def run(self, source: str | None) -> Outcome:
        """Returns when asked to stop, to reload, or when another runner owns the bot."""
        self._reporter.change(State.PREFLIGHT, "checking before any trading")
        try:
            while not self._bench.standing.stopping and not self._commands.must_reload():
                started = self._clock.monotonic()
                self._ticking = asyncio.create_task(self._tick(source))
                await asyncio.wait([self._ticking])
                if not self._ticking.cancelled():
                    self._ticking.result()
                await self._clock.sleep(TICK_SECONDS - (self._clock.monotonic() - started))
        except Superseded as error:
            await self._step_down(error)
            return Outcome.SUPERSEDED
        return await self._end()

    async def _tick(self, source: str | None) -> None:
        await self._try(self._hear())
        if not self._bench.standing.preflight_passed and self._is_due("preflight", self._pause):
            await self._try(self._preflight(source))
        if self._desk.positions is not None:
            # Entries wait for the preflight; a position found at the start must not.
            await self._trade()
        else:
            await self._protect()
        self._bench.signals.look()
        await self._try(self._health.look())
        await self._tell()

    async def _hear(self) -> None:
        answer = self._link.poll(self._cadence())
        if answer is not None:
            if self._link.set_back:
                self._reporter.tell_again()
            await self._try(self._heed(answer))
        self._commands.look_after_flatten()

    async def _heed(self, answer: SyncAnswer) -> None:
        standing = self._bench.standing
        standing.lease_deadline = deadline(self._clock, answer.lease, answer.server_time)
        if answer.windows is not None:
            standing.windows = answer.windows
        if answer.end_policy is not None:
            standing.end_policy = answer.end_policy
        if answer.quiet_minutes is not None:
            standing.quiet_minutes = answer.quiet_minutes
        if answer.hold is not None:
            standing.hold = answer.hold
        self._bench.signals.take(answer.signals, answer.server_time)
        if await self._commands.take(answer.commands):
            self._link.hurry()

    async def _preflight(self, source: str | None) -> None:
        # Candles first: they need no check to pass, and the platform can show them meanwhile.
        warm = all([await self._try(t.warm_up()) for t in self._traders if not t.is_warm])
        result = await preflight(self._bench, self._desk, self._address, source)
        self._bench.outbox.append(EventKind.PREFLIGHT, result, self._clock.now())
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        if result.passed and warm:
            self._bench.standing.preflight_passed = True
            self._bench.settled("preflight_failed")
            self._health.passed()
            timeframe = self._bench.configuration.rules["timeframe"]
            self._streams.start(self._bench.market.candles, timeframe)
            self._reporter.change(State.TRADING, "preflight passed")
            log.info("trading")
        else:
            self._say_why_not(result)
        self._link.hurry()

    def _say_why_not(self, result: Preflight) -> None:
        faults = "; ".join(f"{c.name}: {c.detail}" for c in result.checks if c.ok is False)
        text = f"no trading yet: {faults or 'no candles'}"
        log.warning("%s", text)
        self._bench.notice("warning", "preflight_failed", text)

    async def _trade(self) -> None:
        held = self._desk.positions or self._bench.memory.entries or self._desk.books.differs
        busy = bool(self._desk.live() or held or self._desk.blind)
        due = self._is_due("settle", _SETTLE_FAST if busy else _SETTLE_SLOW)
        # What was heard is asked for: of all that a stream says, nothing is taken over.
        woken = self._streams.take()
        if woken or due or self._desk.behind:
            await self._try(self._desk.settle())
            if self._streams.take_missed():
                self._rounds.miss()
            await self._try(self._rounds.look(connected=self._link.connected))
            foreign = self._desk.foreign_trades or self._bench.standing.foreign
            # Whoever trades by hand wakes it with each order; a long look at them waits its turn.
            if (due or not woken) and (foreign or self._unattended()):
                await self._try(self._look_at_foreign())
        await self._try(self._bench.guard.watch(self._desk))
        if self._bench.standing.way_out(self._clock.now()) is not None:
            await self._try(self._desk.cancel_entries())
        for custodian in self._custodians.all():
            await self._try(custodian.watch())
        await self._protect()
        for trader in self._traders:
            await self._try(trader.on_candles())
            await self._try(trader.on_signal())

    async def _protect(self) -> None:
        for custodian in self._custodians.all():
            await self._try(custodian.protect())

    def _unattended(self) -> bool:
        """Whether the venue lists a position nobody looks after, as when it showed it late."""
        held = self._desk.positions or {}
        return any(symbol not in self._bench.memory.entries for symbol in held)

    async def _look_at_foreign(self) -> None:
        standing = self._bench.standing
        standing.foreign = standing.foreign or self._stranger()  # also while it cannot be looked
        await reconcile(self._bench, self._desk)
        text = self._stranger()
        if text is not None:
            standing.foreign = standing.foreign or text
            self._bench.notice("alarm", "foreign_trades", text)

    def _stranger(self) -> str | None:
        count = len(self._desk.foreign_trades)
        return f"{count} trades on this account were not made by this bot" if count else None

    async def _tell(self) -> None:
        await self._try(self._follow())
        reachable = self._bench.standing.preflight_passed and self._link.connected
        every = _EQUITY_FAST if self._is_lively() else _EQUITY_SLOW
        if reachable and self._is_due("equity", every):
            await self._try(self._reporter.weigh())
        if self._link.due():
            if self._link.connected:
                self._reporter.positions()
            self._link.start(self._reporter.sync())

    async def _follow(self) -> None:
        if self._reporter.follow():
            self._streams.fill_read()
            self._done["equity"] = -math.inf  # what a fill did to the account is news

    async def _try(self, step: Awaitable[object]) -> bool:
        """Do one step; trouble with it must not keep the others from theirs."""
        try:
            await step
        except Superseded:
            raise
        except RunnerError as error:
            log.warning("%s: %s", type(error).__name__, error)
            if isinstance(error, Operational):
                self._bench.notice("warning", "refused", str(error))
        except sqlite3.Error as error:
            self._health.disk_failed(error)
        except Exception as error:  # noqa: BLE001 - a position may be held: the loop goes on
            self._health.failed(error, getattr(step, "__qualname__", "a step"))
        else:
            return True
        return False

    async def _step_down(self, error: Superseded) -> None:
        """Another runner owns the bot: take back our entries, leave its protection alone."""
        log.warning("superseded: %s", error)
        self._bench.standing.stopping = True
        await self._try(self._desk.cancel_entries())

    async def _end(self) -> Outcome:
        reload = self._commands.reload if self._commands.must_reload() else None
        self._reporter.change(State.STOPPING, "reload" if reload else "asked to stop")
        if reload is not None:
            await self._try(self._acknowledge(reload))
        else:
            self._bench.notice("info", "ended", f"stopped: {await self._ending.run()}")
            await self._try(self._follow())
            self._reporter.positions()
        for trader in self._traders:
            await self._try(trader.close())
        if self._reporter.keeps_untold():
            self._reporter.checkpoint()
        await self._link.finish(self._reporter.sync, _LAST_WORDS_SECONDS)
        log.info("stopped")
        if reload is None:
            return Outcome.STOPPED
        return Outcome.UNTOLD if self._bench.outbox.count() else Outcome.RELOAD

    async def _acknowledge(self, reload: Command) -> None:
        self._commands.done(reload, "claiming again for the new configuration")

    def _is_due(self, what: str, every: float) -> bool:
        now = self._clock.monotonic()
        if now - self._done[what] < every:
            return False
        self._done[what] = now
        return True

    def _cadence(self) -> float:
        listens = any(trader.listens for trader in self._traders)
        fast = self._bench.standing.draining or listens or self._is_lively()
        return _FAST if fast else _SLOW

    def _is_lively(self) -> bool:
        """Whether something can change from one second to the next."""
        fast = self._bench.configuration.rules["timeframe"] == "1s"
        return fast or bool(self._desk.positions)
