"""What the platform may trade on, and what a person should know of each before choosing it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from runner.protocol import PRACTICE_LIVE, Mode


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
    """One exchange as the forms need it.

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
    unproven: str = ""
    unbound_key_days: int | None = None
    built_in: bool = False
    gone: bool = False


_LINEAR = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
_EVERY_MODE = (Mode.PAPER, Mode.TESTNET, Mode.LIVE)
_KEY = "As the exchange shows it. Only its last four characters stay visible."
_SECRET = "Shown by the exchange once. It must not be allowed to withdraw."  # noqa: S105 - a hint


def _pair(key: str, key_example: str, secret: str, secret_example: str) -> tuple[KeyField, ...]:
    """A key and its secret, each with its pattern and what one looks like."""
    return (
        KeyField("api_key", "API key", _KEY, key, key_example),
        KeyField("secret", "Secret", _SECRET, secret, secret_example),
    )


def _unproven(title: str, where: str) -> str:
    return (
        f"Never proven at the real exchange: that {title} takes an order, fires a stop and fills "
        f"it as its documentation says. To prove it, make a testnet key at {where}, save it under "
        "Connections, run a bot in testnet mode, and compare its page with the exchange's."
    )


PRACTICE = Venue(
    id="practice",
    title="Practice market",
    symbols=_LINEAR,
    modes=(Mode.PAPER, Mode.TESTNET),
    quote="USDT",
    key_fields=_pair(
        r"practice-[0-9a-f]{16,64}",
        "practice-0f1e2d3c4b5a69788796a5b4",
        r"[\x21-\x7e]{16,200}",
        "64 letters and digits",
    ),
    if_machine_dies=(
        "The stop rests at the practice market, fires on the last price and closes the position."
    ),
    built_in=True,
)
BINANCE = Venue(
    id="binance",
    title="Binance USD-M",
    symbols=_LINEAR,
    modes=_EVERY_MODE,
    quote="USDT",
    key_fields=_pair(
        r"[A-Za-z0-9]{64}",
        "64 letters and digits",
        r"[A-Za-z0-9]{64}",
        "64 letters and digits",
    ),
    if_machine_dies=(
        "The stop rests at Binance as a reduce-only algo order, fires on the last price and closes "
        "the position at market. No dead man's switch is armed, as Binance has none."
    ),
    unproven=_unproven("Binance", "demo.binance.com"),
    unbound_key_days=30,
)
BYBIT = Venue(
    id="bybit",
    title="Bybit",
    symbols=_LINEAR,
    modes=_EVERY_MODE,
    quote="USDT",
    key_fields=_pair(
        r"[A-Za-z0-9]{16,64}",
        "18 letters and digits",
        r"[A-Za-z0-9]{32,128}",
        "36 letters and digits",
    ),
    if_machine_dies=(
        "The stop rests at Bybit as a reduce-only conditional order, fires on the last price and "
        "closes the position at market; other orders give way if the margin is short. Bybit's dead "
        "man's switch is never armed, as it would cancel the stop."
    ),
    unproven=_unproven("Bybit", "testnet.bybit.com"),
    unbound_key_days=90,
)
OKX = Venue(
    id="okx",
    title="OKX",
    symbols=_LINEAR,
    modes=_EVERY_MODE,
    quote="USDT",
    key_fields=(
        *_pair(
            r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}",
            "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            r"[0-9A-F]{32}",
            "32 digits and letters from A to F",
        ),
        KeyField(
            "passphrase",
            "Passphrase",
            "The one you chose when you made the key, not your password at the exchange.",
            r"[\x21-\x7e]{6,64}",
            "eight or more letters, digits and signs",
        ),
    ),
    if_machine_dies=(
        "The stop rests at OKX as a reduce-only algo order, fires on the last price and closes the "
        "position at market. OKX's dead man's switch is never armed, as it would cancel the stop."
    ),
    unproven=_unproven("OKX", "www.okx.com under Demo trading"),
    unbound_key_days=14,
)


def listed(environ: Mapping[str, str]) -> dict[str, Venue]:
    """What there is to choose from, by id.

    Where the environment names a practice market for it, its live twin stands there too, so that
    the whole live path can be walked with play money.
    """
    found = [PRACTICE, BINANCE, BYBIT, OKX]
    if environ.get(PRACTICE_LIVE, "").strip():
        title, modes = "Practice market, live for tests", (Mode.PAPER, Mode.LIVE)
        found.append(replace(PRACTICE, id="practice-live", title=title, modes=modes))
    return {venue.id: venue for venue in found}


VENUES = listed(os.environ)


def known(exchange: str) -> Venue:
    """The exchange of a row that is kept; one that is listed no more can only be named."""
    return VENUES.get(exchange) or Venue(
        id=exchange,
        title=exchange,
        symbols=(),
        modes=(),
        quote="",
        key_fields=(),
        if_machine_dies="What rests at the exchange stays there, and nobody here can look at it.",
        gone=True,
    )
