"""What a row of the capability table holds; data alone, so that everybody may read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from runner.protocol import Mode

REAL_MODES = (Mode.PAPER, Mode.TESTNET, Mode.LIVE)
"""What an exchange with a test venue offers."""


class Contracts(StrEnum):
    """Kinds of contract by what they are settled in."""

    LINEAR = "linear"
    INVERSE = "inverse"
    SPOT = "spot"


class Sandbox(StrEnum):
    """Where orders without money go."""

    HOST = "test host"
    DEMO = "demo host"
    HEADER = "demo account, told by a header"
    ENDPOINT = "the endpoint given"
    NONE = "none"


@dataclass(frozen=True)
class Engine:
    """Where orders are matched and the region of Google's cloud nearest to it.

    ``documented``: the exchange says so itself; else it is what people measured and reported.
    """

    place: str
    cloud_region: str
    documented: bool = False


@dataclass(frozen=True)
class Capabilities:
    """One exchange as plutarc can trade it.

    ``hosts``: by mode, the first is where orders go; empty where an endpoint must be given.
    ``orders``: kinds whose requests are compared with the exchange's documentation, mode by mode
    (tests/runner/exchange/wire); no other is sent. ``refused``: why the others are not, by kind.
    ``post_only``: limit orders that may not take are among them.
    ``trims``: a reduce-only stop that fires for more than is held closes what is there.
    ``timeframes``: of candles; ``candles_at_once``: the most in one request.
    ``margin``: the margin modes the runner trades under. ``leverage``: how it is set.
    ``streams``: they are listened to; at ``stream_hosts``, or at an endpoint that was given.
    ``test_keys``: where a key for sandbox is made. ``unbound_key_days``: after how many days a key
    that is bound to no address lapses or loses its trading right; ``None``: no such rule is known.
    """

    exchange: str
    title: str
    ccxt_id: str
    quote: str
    symbols: tuple[str, ...]
    timeframes: tuple[str, ...]
    candles_at_once: int
    sandbox: Sandbox
    hosts: Mapping[Mode, tuple[str, ...]] = field(default_factory=dict)
    modes: tuple[Mode, ...] = REAL_MODES
    contracts: tuple[Contracts, ...] = (Contracts.LINEAR,)
    orders: tuple[str, ...] = ("market", "limit", "stop_market")
    refused: Mapping[str, str] = field(default_factory=dict)
    post_only: bool = False
    trims: bool = True
    margin: tuple[str, ...] = ("cross",)
    leverage: str = "by symbol"
    streams: bool = False
    stream_hosts: Mapping[Mode, str] = field(default_factory=dict)
    test_keys: str = ""
    unbound_key_days: int | None = None
    engine: Engine | None = None
