"""What a person should know of an exchange before choosing it, and how its keys look."""

from __future__ import annotations

from dataclasses import dataclass

from runner.capabilities.table import Capabilities, Sandbox
from runner.protocol import Mode

_KEY = "As the exchange shows it. Only its last four characters stay visible."
_SECRET = "Shown by the exchange once. It must not be allowed to withdraw."  # noqa: S105 - a hint


@dataclass(frozen=True)
class KeyField:
    """One field of a key as an exchange issues it.

    ``pattern`` is what the whole of it looks like; ``example`` is made up. Secret ones are typed
    unseen. The gate hands ``api_key``, ``secret`` and ``passphrase`` to the runner.
    """

    name: str
    title: str
    help: str
    pattern: str
    example: str
    secret: bool = True


@dataclass(frozen=True)
class Venue:
    """One exchange as the forms need it; what it can do is its row of the capability table.

    ``built_in``: it runs where plutarc runs.
    ``if_machine_dies``: what becomes of a protected position when the bot's machine is gone.
    ``unproven``: what nobody has seen at the real exchange yet, and how to see it; empty where
    everything was. ``unbound_key_days``: after how many days a key that is bound to no address
    lapses or loses its trading right; ``None`` where the exchange has no such rule.
    ``gone``: bots and keys know it, and this installation lists it no more.
    """

    id: str
    title: str
    symbols: tuple[str, ...]
    modes: tuple[Mode, ...]
    quote: str
    key_fields: tuple[KeyField, ...]
    if_machine_dies: str
    timeframes: tuple[str, ...] = ()
    unproven: str = ""
    unbound_key_days: int | None = None
    built_in: bool = False
    gone: bool = False

    def mode_fault(self, mode: Mode) -> str | None:
        """Why no bot runs here in this mode and no key is for it, or ``None``."""
        if mode in self.modes:
            return None
        alone = mode is Mode.TESTNET and not (self.built_in or self.gone)
        why = ": the exchange has no test environment; choose paper" if alone else ""
        return f"{self.title} has no {mode} mode{why}."

    def frame_fault(self, timeframe: str) -> str | None:
        """Why no strategy on these candles can run here, or ``None``."""
        if timeframe in self.timeframes:
            return None
        there = ", ".join(self.timeframes)
        return f"{self.title} has no {timeframe} candles; choose a strategy on {there}."


def pair(key: str, key_example: str, secret: str, secret_example: str) -> tuple[KeyField, ...]:
    """A key and its secret, each with its pattern and what one looks like."""
    return (
        KeyField("api_key", "API key", _KEY, key, key_example),
        KeyField("secret", "Secret", _SECRET, secret, secret_example),
    )


def venue_from(row: Capabilities, keys: tuple[KeyField, ...], if_machine_dies: str) -> Venue:
    """The exchange of a row of the table."""
    return Venue(
        id=row.exchange,
        title=row.title,
        symbols=row.symbols,
        modes=row.modes,
        quote=row.quote,
        key_fields=keys,
        if_machine_dies=if_machine_dies,
        timeframes=row.timeframes,
        unproven="" if row.sandbox is Sandbox.ENDPOINT else _unproven(row),
        unbound_key_days=row.unbound_key_days,
        built_in=row.sandbox is Sandbox.ENDPOINT,
    )


def _unproven(row: Capabilities) -> str:
    what = (
        f"Never proven at the real exchange: that {row.title.split()[0]} takes an order, fires a "
        "stop and fills it as its documentation says."
    )
    if Mode.TESTNET not in row.modes:
        return f"{what} It has no place to test without money, so only real orders can prove it."
    return (
        f"{what} To prove it, make a testnet key at {row.test_keys}, save it under Connections, "
        "and certify the exchange with it there."
    )
