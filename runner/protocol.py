"""The wire between a bot's machine and the platform's gate: frozen dataclasses, stdlib only.

Both sides import this module; ``tests/contract`` holds one golden JSON per message. Amounts travel
as decimal strings, times as ISO 8601 in UTC with a trailing ``Z``, enums as their values. A reader
ignores keys it does not know, so that an older runner survives a newer platform.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

VERSION = 1
CLAIM_PATH = "/runner/v1/claim"
SYNC_PATH = "/runner/v1/sync"
PRACTICE_LIVE = "PLUTARC_PRACTICE_LIVE"
"""The variable that opens the live path on a practice market of this machine, for tests alone."""
CODE_ALLOWED = "PLUTARC_CODE"
"""Where it is 1, a runner may start the process of a code strategy."""
WORK, TASK = "PLUTARC_WORK", "task"
"""Where the first is the second, a machine carries out one task and trades nothing."""
TASK_PATH = "/runner/v1/task"
TASK_REPORT_PATH = "/runner/v1/task/report"
TASK_PART_PATH = "/runner/v1/task/part"
CERTIFY_PATH = "/runner/v1/certify"
TASK_PART = 1024 * 1024
TASK_LARGEST = 24 * TASK_PART
"""Bytes of a part of a task's answer, and of the whole of it, compressed."""


class Mode(StrEnum):
    """Whose money an order would move: nobody's, play money at a venue, or real money."""

    PAPER = "paper"
    TESTNET = "testnet"
    LIVE = "live"


class PositionState(StrEnum):
    """What the runner can vouch for. Unknown is not flat."""

    FLAT = "flat"
    OPEN = "open"
    UNKNOWN = "unknown"


class CommandKind(StrEnum):
    """What the platform may ask of a running bot."""

    DRAIN = "drain"
    CANCEL_DRAIN = "cancel_drain"
    PAUSE_ENTRIES = "pause_entries"
    RESUME = "resume"
    CANCEL_ENTRIES = "cancel_entries"
    FLATTEN = "flatten"
    RELOAD = "reload"
    WRITE_OFF = "write_off"  # arguments: symbol, reason


class SignalAction(StrEnum):
    """What a program outside asks of a bot: to be long, to be short, or to hold nothing."""

    LONG = "long"
    SHORT = "short"
    CLOSE = "close"


class SignalOutcome(StrEnum):
    """What a bot made of an external signal.

    Kept: it lets entries pass or keeps them back, and is no reason to act. Nothing: no trade, and
    the words say why.
    """

    ENTERED = "entered"
    EXITED = "exited"
    KEPT = "kept"
    NOTHING = "nothing"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class EventKind(StrEnum):
    """What a runner tells. The payload of each kind is the dataclass named beside it."""

    STATE = "state"  # StateChange
    PREFLIGHT = "preflight"  # Preflight
    CANDLES = "candles"  # Candles
    DECISION = "decision"  # Decision
    ORDER = "order"  # Order
    FILL = "fill"  # Fill
    POSITION = "position"  # Position
    EQUITY = "equity"  # Equity
    CHECKPOINT = "checkpoint"  # Checkpoint
    COMMAND_DONE = "command_done"  # CommandDone
    NOTICE = "notice"  # Notice
    FLOW = "flow"  # Flow
    PROTECTION = "protection"  # Protection
    BREACH = "breach"  # Breach
    KEY_CHECK = "key_check"  # KeyCheck
    SIGNAL = "signal"  # SignalDone


class FlowKind(StrEnum):
    """What moved a balance that was no fill."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    FUNDING = "funding"
    OTHER = "other"


class ProtectionState(StrEnum):
    """Whether a position's stop was seen resting at the venue. Missing rings an alarm."""

    VERIFIED = "verified"
    MISSING = "missing"
    NONE = "none"


class OnBreach(StrEnum):
    """What follows when a limit is passed: no entries, also flat, or flat and stopped."""

    PAUSE = "pause"
    FLATTEN = "flatten"
    STOP = "stop"


class OnEnd(StrEnum):
    """What an orderly end leaves: its stops alone, no entries either, or nothing at all."""

    PROTECTED = "protected"
    CANCEL = "cancel"
    FLATTEN = "flatten"


class Side(StrEnum):
    """The side of an order or a fill."""

    BUY = "buy"
    SELL = "sell"


class OrderStatus(StrEnum):
    """Life of an order: planned before it is sent, unknown when an answer was lost."""

    PLANNED = "planned"
    SENT = "sent"
    OPEN = "open"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


# -- configuration, platform to runner ---------------------------------------------------------


@dataclass(frozen=True)
class Limits:
    """Risk limits above any strategy. Amounts in quote currency; ``None`` is no limit.

    ``max_leverage``: value of all positions as a multiple of equity. ``max_drawdown``: below the
    highest equity since the run began, deposits and withdrawals taken out.
    ``price_collar_percent``: how far from the mark an order may trade. ``max_error_streak``:
    refused orders in a row. ``cooldown_seconds``: no entry so long after a losing trade.
    ``allowed_symbols``: all where ``None``. ``balance_reserve``: equity that entries leave alone.
    """

    max_position_notional: Decimal | None = None
    max_order_notional: Decimal | None = None
    max_open_positions: int | None = None
    max_orders_per_minute: int | None = None
    max_daily_loss: Decimal | None = None
    max_leverage: Decimal | None = None
    max_drawdown: Decimal | None = None
    price_collar_percent: Decimal | None = None
    max_error_streak: int | None = None
    cooldown_seconds: int | None = None
    allowed_symbols: tuple[str, ...] | None = None
    balance_reserve: Decimal | None = None
    on_breach: OnBreach = OnBreach.PAUSE


@dataclass(frozen=True)
class Configuration:
    """All a runner needs to know to trade; carries no secret.

    ``account``: opaque id of the venue account the credentials belong to; empty for paper.
    ``disaster_stop_percent``: distance from the entry price of the stop that a position gets
    where the strategy has none.
    ``streams``: whether the venue's streams are listened to, where it has any.
    """

    bot: str
    bot_name: str
    run: str
    mode: Mode
    exchange: str
    market_type: str
    symbols: tuple[str, ...]
    strategy: str
    strategy_version: int
    rules: dict[str, Any]
    limits: Limits = field(default_factory=Limits)
    starting_balance: Decimal = Decimal(10_000)
    quote: str = "USDT"
    endpoint: str | None = None
    grace_seconds: int = 3600
    paused: bool = False
    draining: bool = False
    account: str = ""
    disaster_stop_percent: Decimal | None = None
    on_end: OnEnd = OnEnd.PROTECTED
    streams: bool = False


class Hearing(StrEnum):
    """How a runner hears of its venue; ``Sync.health`` tells, with why it is not by streams."""

    REQUESTS = "requests"
    STREAMS = "streams"


@dataclass(frozen=True)
class Credentials:
    """A connection's opened fields. Never logged: ``repr`` hides them."""

    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class LiveKey:
    """A live key to be looked at before its bot is live; nothing is ever traded with it."""

    connection: str
    credentials: Credentials


@dataclass(frozen=True)
class Window:
    """One trading session, half-open ``[opens, closes)``, UTC."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True)
class Lease:
    """Until when the platform vouches that this is the only runner of the bot."""

    expires_at: datetime


@dataclass(frozen=True)
class Claim:
    """First words of a runner: which generation it is, and the proof.

    ``holds``: the generation whose events are on its disk; 0 for an empty one.
    """

    bot: str
    generation: int
    token: str = field(repr=False)
    boot_id: str
    runner_version: str
    protocol: int = VERSION
    holds: int = 0


@dataclass(frozen=True)
class ClaimAnswer:
    """The right to trade, and everything needed for it.

    ``end_policy`` says what happens to a position when a window ends: ``flatten`` closes it,
    anything else holds and manages it. Nothing is entered in its last ``quiet_minutes``.
    ``unsettled``: orders of this run of which the platform does not know how they ended; the
    machine that placed them may be gone with its disk. ``hold`` as in ``SyncAnswer``. ``live_key``:
    see ``runner/key_check.py``. ``told``: the last event stored of the generation that the claim
    says it ``holds`` events of.
    """

    claim_id: str = field(repr=False)
    server_time: datetime
    address: str
    configuration: Configuration
    windows: tuple[Window, ...]
    end_policy: str
    lease: Lease
    quiet_minutes: int = 0
    credentials: Credentials | None = None
    restored: dict[str, Any] = field(default_factory=dict)
    next_seq: int = 1
    unsettled: tuple[Order, ...] = ()
    hold: str = ""
    live_key: LiveKey | None = None
    told: int = 0


@dataclass(frozen=True)
class Command:
    """One order of the platform; repeated in every answer until ``command_done`` names its id."""

    id: str
    kind: CommandKind
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One numbered fact. ``seq`` counts up without gaps within a generation of the machine."""

    seq: int
    kind: EventKind
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Sync:
    """Heartbeat and telemetry: all events not yet acknowledged, and where the bot stands now."""

    claim_id: str = field(repr=False)
    sent_at: datetime
    batch: tuple[Event, ...]
    position_state: PositionState
    open_orders: int
    drained: bool
    equity: Decimal | None = None
    health: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExternalSignal:
    """What a program outside asked for; repeated in every answer until ``SignalDone`` names its id.

    ``at``: when the platform received it. After ``expires_at`` nobody may begin to act on it.
    """

    id: str
    symbol: str
    action: SignalAction
    at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class SyncAnswer:
    """``ack_seq`` is the highest event stored without a gap; the runner forgets up to it.

    What is ``None`` stays as it was. ``hold``: why the installation lets no bot enter now;
    empty when it does.
    """

    ack_seq: int
    server_time: datetime
    lease: Lease
    commands: tuple[Command, ...] = ()
    windows: tuple[Window, ...] | None = None
    end_policy: str | None = None
    quiet_minutes: int | None = None
    hold: str | None = None
    signals: tuple[ExternalSignal, ...] = ()


# -- tasks: one request, carried out by a machine that has no keys --------------------------------


@dataclass(frozen=True)
class TaskClaim:
    """A machine without keys asks for what it was made for. ``boot_id``: of this process alone."""

    task: str
    token: str
    boot_id: str


@dataclass(frozen=True)
class Task:
    """What to run: ``request`` is a backtest's JSON, run ``runs`` times, ``seconds`` for each.

    Where ``runs`` is 0 there is nothing to do any more.
    """

    request: str
    runs: int
    seconds: int


@dataclass(frozen=True)
class TaskReport:
    """How far a task is; also that its machine is alive."""

    claim: TaskClaim
    step: str
    done: int
    of: int


@dataclass(frozen=True)
class TaskPart:
    """A piece of the answer, in base64; ``last``: the answer is whole."""

    claim: TaskClaim
    number: int
    last: bool
    content: str


@dataclass(frozen=True)
class TaskWanted:
    """Whether anybody still waits for the answer."""

    wanted: bool


@dataclass(frozen=True)
class TaskAnswer:
    """What came of the runs: of the first that failed, else of the first.

    ``status``: of its process; ``answer``: exactly what it wrote; ``late``: it was ended for want
    of time; ``steady``: every run wrote the same. It travels compressed.
    """

    status: int
    answer: str
    log: str
    late: bool
    steady: bool


# -- certifications: a process of the platform, handed one test key by the gate, once -------------


@dataclass(frozen=True)
class CertifyClaim:
    """A process that is to certify asks for what it needs; ``token`` is good once."""

    run: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Certify:
    """What to certify, and with which key."""

    exchange: str
    symbol: str
    credentials: Credentials
    endpoint: str | None = None


# -- payloads of events, runner to platform -------------------------------------------------------


@dataclass(frozen=True)
class StateChange:
    """The runner's own state: starting, preflight, trading, drained or stopping."""

    state: str
    reason: str = ""


@dataclass(frozen=True)
class Check:
    """One line of the preflight. ``ok`` is ``None`` where the venue offers no way to know."""

    name: str
    ok: bool | None
    detail: str


@dataclass(frozen=True)
class Preflight:
    """What was verified at this wake, before any trading.

    The check called "account" tells the venue's own name of the account, the same for each key.
    """

    passed: bool
    checks: tuple[Check, ...]
    address_seen: str | None = None
    clock_skew_ms: int | None = None


@dataclass(frozen=True)
class KeyCheck:
    """What was seen of a live key that nothing is traded with yet, at one wake."""

    connection: str
    result: Preflight


@dataclass(frozen=True)
class Candle:
    """One closed candle; ``opened_at`` in UTC, prices in quote currency, volume in base."""

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True)
class Candles:
    """Closed candles of one symbol and timeframe, oldest first."""

    symbol: str
    timeframe: str
    candles: tuple[Candle, ...]


@dataclass(frozen=True)
class Verdict:
    """What one component concluded on one candle.

    ``value`` is -1, 0 or 1 for a signal, 1 or 0 (pass, block) for a filter, guard or gate, 1 or 0
    (fired, quiet) for an exit; ``None`` while warming up. A directional filter, guard or gate says
    -1, 0 or 1 and passes where that is the side asked for.
    """

    component: str
    role: str
    value: int | None
    detail: str


@dataclass(frozen=True)
class Decision:
    """The whole conclusion on one candle, or on a signal from outside that came after it.

    ``action`` is ``none``, ``enter_long``, ``enter_short`` or ``exit``; ``reason`` says in words
    why, also why nothing was done. ``code`` is the number of that reason (``runner.step.Reason``);
    older runners tell none, nor what follows. ``direction``: the side the signals ask for.
    ``blocker``: the place in ``verdicts`` of what blocked; ``blocked``: what else did, in words.
    ``signal``: the id of the signal from outside that asked for it; empty where a candle did.
    """

    symbol: str
    candle: Candle
    action: str
    reason: str
    verdicts: tuple[Verdict, ...]
    code: int | None = None
    direction: int = 0
    blocker: int = -1
    blocked: str = ""
    signal: str = ""


@dataclass(frozen=True)
class Order:
    """The present state of one order. ``client_id`` is ours and unique; quantity in base units."""

    client_id: str
    symbol: str
    side: Side
    kind: str
    quantity: Decimal
    status: OrderStatus
    purpose: str
    decided_at: datetime
    price: Decimal | None = None
    reduce_only: bool = False
    venue_id: str | None = None
    filled: Decimal = Decimal(0)
    average: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True)
class Fill:
    """One execution, deduplicated by ``trade_id``. Fee positive when paid.

    ``optimistic``, ``pessimistic``: on paper, the best and the worst price this fill may well have
    had; ``None`` at a real venue, where the price is no guess.
    """

    trade_id: str
    client_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: str
    at: datetime
    reason: str = ""
    optimistic: Decimal | None = None
    pessimistic: Decimal | None = None


@dataclass(frozen=True)
class Position:
    """Signed quantity in base units (short is negative); ``entry_price`` is ``None`` when flat."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal | None
    mark_price: Decimal
    unrealised: Decimal


@dataclass(frozen=True)
class Equity:
    """Account value in quote currency at one moment."""

    equity: Decimal
    balance: Decimal
    unrealised: Decimal


@dataclass(frozen=True)
class Checkpoint:
    """What the next generation needs to go on: strategy state, paper account, open orders."""

    state: dict[str, Any]


@dataclass(frozen=True)
class CommandDone:
    """Acknowledges one command."""

    id: str
    kind: CommandKind
    outcome: str
    detail: str = ""


ALARM, OVER = "alarm", "over"


@dataclass(frozen=True)
class Notice:
    """Something a person should read: ``level`` is info, warning or alarm; ``code`` is stable.

    Level over: what the code stood for has ended, if anything did; nobody need read that.
    """

    level: str
    code: str
    text: str


@dataclass(frozen=True)
class Flow:
    """Money that came or went without a trade; ``amount`` is positive when it came.

    ``id`` is the venue's own, unique on the account; ``symbol`` is that of a funding.
    """

    id: str
    kind: FlowKind
    amount: Decimal
    currency: str
    at: datetime
    symbol: str | None = None


@dataclass(frozen=True)
class Protection:
    """What stands behind one position: told when it changes, and from time to time.

    ``quantity`` is what the stop covers, in base units; ``price`` its trigger. ``verified_at``:
    when the venue last listed it.
    """

    symbol: str
    state: ProtectionState
    stop_id: str | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    verified_at: datetime | None = None
    why: str = ""


@dataclass(frozen=True)
class Breach:
    """A limit was passed. ``value`` and ``bound`` in the limit's own unit."""

    limit: str
    value: Decimal
    bound: Decimal
    policy: OnBreach
    text: str
    symbol: str | None = None


@dataclass(frozen=True)
class SignalDone:
    """What became of an external signal. Told again where more became of it later.

    ``order``: our id of the order it led to.
    """

    id: str
    outcome: SignalOutcome
    reason: str
    verdicts: tuple[Verdict, ...] = ()
    order: str = ""


PAYLOADS: dict[EventKind, type[Any]] = {
    EventKind.STATE: StateChange,
    EventKind.PREFLIGHT: Preflight,
    EventKind.CANDLES: Candles,
    EventKind.DECISION: Decision,
    EventKind.ORDER: Order,
    EventKind.FILL: Fill,
    EventKind.POSITION: Position,
    EventKind.EQUITY: Equity,
    EventKind.CHECKPOINT: Checkpoint,
    EventKind.COMMAND_DONE: CommandDone,
    EventKind.NOTICE: Notice,
    EventKind.FLOW: Flow,
    EventKind.PROTECTION: Protection,
    EventKind.BREACH: Breach,
    EventKind.KEY_CHECK: KeyCheck,
    EventKind.SIGNAL: SignalDone,
}


# -- to and from JSON ------------------------------------------------------------------------

T = TypeVar("T")


class ProtocolError(ValueError):
    """A message that does not have the agreed shape; says which field and why."""


def to_plain(value: Any) -> Any:
    """Turn a message into JSON-ready dicts, lists and strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def dumps(message: Any) -> bytes:
    """Encode a message as compact UTF-8 JSON."""
    return json.dumps(to_plain(message), separators=(",", ":"), allow_nan=False).encode()


def loads(kind: type[T], body: bytes) -> T:
    """Decode ``body`` as a message of ``kind``.

    Raises:
        ProtocolError: no JSON, a missing field, or a value of the wrong type.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from error
    return from_plain(kind, data)


def from_plain(kind: type[T], data: Any) -> T:
    """Build a message of ``kind`` from decoded JSON. Raises ``ProtocolError`` as ``loads`` does."""
    return typing.cast(T, _convert(kind, data, kind.__name__))


def payload(event: Event) -> Any:
    """The typed payload of ``event``. Raises ``ProtocolError``."""
    return from_plain(PAYLOADS[event.kind], event.data)


_HINTS: dict[type[Any], dict[str, Any]] = {}


def _convert(hint: Any, value: Any, where: str) -> Any:
    """Convert ``value`` to the annotated type ``hint``; ``where`` names the field in errors."""
    if hint is Any:
        return value
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None:
            return None
        inner = next(a for a in typing.get_args(hint) if a is not type(None))
        return _convert(inner, value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ProtocolError(f"{where}: expected a list")
        item = typing.get_args(hint)[0]
        return tuple(_convert(item, v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise ProtocolError(f"{where}: expected an object")
        return value
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _convert_message(hint, value, where)
    return _convert_scalar(hint, value, where)


def _convert_message(hint: type[Any], value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ProtocolError(f"{where}: expected an object")
    hints = _HINTS.get(hint)
    if hints is None:
        hints = _HINTS[hint] = typing.get_type_hints(hint)
    arguments = {}
    for f in dataclasses.fields(hint):
        if f.name in value:
            arguments[f.name] = _convert(hints[f.name], value[f.name], f"{where}.{f.name}")
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise ProtocolError(f"{where}.{f.name}: missing")
    return hint(**arguments)


def _convert_scalar(hint: type[Any], value: Any, where: str) -> Any:
    try:
        if hint is Decimal:
            return _decimal(value)
        if hint is datetime:
            return _moment(value)
        if issubclass(hint, StrEnum):
            return hint(value)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ProtocolError(f"{where}: {value!r:.80} is no {hint.__name__}") from error
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ProtocolError(f"{where}: expected {hint.__name__}")
    return value


def _decimal(value: Any) -> Decimal:
    if not isinstance(value, str):
        raise TypeError("decimals travel as strings")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("not finite")
    return number


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.astimezone(UTC)
