"""What the platform may ask of a running bot, and what is done about it."""

from __future__ import annotations

from runner import unlisted
from runner.bench import Bench
from runner.desk import Desk
from runner.protocol import Command, CommandDone, CommandKind, EventKind, Limits, from_plain
from runner.store import Store

_REMEMBERED = 100


class Commands:
    """Carries out each command once, however often it is repeated, also across a restart."""

    def __init__(self, bench: Bench, desk: Desk, store: Store) -> None:
        self._bench = bench
        self._desk = desk
        self._store = store
        self._flattening: list[Command] = []
        self.reload: Command | None = None

    async def take(self, commands: tuple[Command, ...]) -> bool:
        """Carry out what is new; whether anything was. May raise as trading does."""
        done = self._store.note("commands_done") or []
        waiting = [command.id for command in self._flattening]
        if self.reload is not None:
            # One start takes up all that they want.
            waiting += [c.id for c in commands if c.kind is CommandKind.RELOAD]
        if not self._desk.searched:
            # What the venue does not list is known only once all was looked through.
            waiting += [c.id for c in commands if c.kind is CommandKind.WRITE_OFF]
        fresh = [c for c in commands if c.id not in done and c.id not in waiting]
        self._bind(commands)
        for command in fresh:
            await self._carry_out(command)
        return bool(fresh)

    def look_after_flatten(self) -> None:
        """A flatten is done once nothing is held and nothing is pending."""
        if not self._flattening or not self._desk.holds_nothing():
            return
        self._bench.standing.flattening = False
        for command in self._flattening:
            self.done(command, "flat")
        self._flattening = []

    def must_reload(self) -> bool:
        """Asked to, and no position would be left alone for the length of a new start.

        Before the preflight has passed nothing is traded, and what keeps it from passing may be
        just what the new configuration cures.
        """
        if self.reload is None:
            return False
        return self._desk.holds_nothing() or not self._bench.standing.preflight_passed

    def done(self, command: Command, detail: str, outcome: str = "done") -> None:
        """Acknowledge; remembered on disk in the same transaction."""
        with self._store.transaction():
            ids = [*(self._store.note("commands_done") or []), command.id]
            self._store.remember("commands_done", ids[-_REMEMBERED:])
            message = CommandDone(command.id, command.kind, outcome, detail)
            self._bench.outbox.append(EventKind.COMMAND_DONE, message, self._bench.clock.now())

    async def _carry_out(self, command: Command) -> None:
        standing = self._bench.standing
        if command.kind is CommandKind.DRAIN:
            standing.draining = True
            await self._desk.cancel_entries()
            self.done(command, "no entries; exits are managed")
        elif command.kind is CommandKind.CANCEL_DRAIN:
            standing.draining = False
            self.done(command, "entries are allowed again")
        elif command.kind is CommandKind.PAUSE_ENTRIES:
            standing.paused = True
            self.done(command, "no entries until resumed")
        elif command.kind is CommandKind.RESUME:
            standing.paused = False
            self._bench.guard.resumed()
            self.done(command, "entries are allowed again")
        elif command.kind is CommandKind.RELOAD:
            self.reload = self.reload or command
            standing.reloading = True
        elif command.kind is CommandKind.WRITE_OFF:
            self._write_off(command)
        else:
            await self._cancel_or_flatten(command)

    def _write_off(self, command: Command) -> None:
        symbol, reason = (str(command.arguments.get(name, "")) for name in ("symbol", "reason"))
        if unlisted.write_off(self._bench, self._desk, symbol, reason):
            self.done(command, f"{symbol} is written off")
        else:
            said = f"{symbol} is listed by the venue, or nothing is left there"
            self.done(command, said, "refused")

    def _bind(self, commands: tuple[Command, ...]) -> None:
        """Limits do not wait until nothing is held, as the rest of a new configuration does.

        Only the newest count: older ones would drop, with each report, what the newest halted.
        """
        told = [c.arguments for c in commands if c.kind is CommandKind.RELOAD]
        limits = [arguments["limits"] for arguments in told if "limits" in arguments]
        if limits:
            self._bench.guard.bind(from_plain(Limits, limits[-1]))

    async def _cancel_or_flatten(self, command: Command) -> None:
        await self._desk.cancel_entries()
        if command.kind is CommandKind.CANCEL_ENTRIES:
            self.done(command, "resting entries cancelled")
            return
        self._bench.standing.flattening = True
        self._flattening.append(command)
