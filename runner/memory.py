"""What a runner must remember across kill, sleep and a new machine; travels as the checkpoint."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from runner.capital import Capital
from runner.halts import Guarded
from runner.ledger import Lot, apply, signed
from runner.lists import Reading
from runner.protocol import Configuration, Fill, Flow, Mode, from_plain, to_plain
from runner.store import Store
from runner.strategy.components.external import Heard

_MOST_UNTOLD = 200


@dataclass
class Entry:
    """How the open position of a symbol came to be; ``stop_id`` is its stop at the venue.

    ``best``: the most favourable price since; ``steps``: steps of a ladder taken; ``anchors``: what
    exits want to be reminded of, as text.

    ``exit_purpose``: of an exit that was decided and holds until it is done, else empty. It closes
    all, or ``exit_quantity`` base units so that ``exit_keep`` are left; ``exit_leg`` is the first
    of its orders. ``told_at``: until when the platform knows whether a stop stands behind it.
    """

    client_id: str
    side: int
    entry_price: Decimal
    candle_at: datetime
    stop_id: str | None = None
    exit_purpose: str = ""
    exit_reason: str = ""
    exit_quantity: Decimal | None = None
    exit_keep: Decimal = Decimal(0)
    exit_leg: str = ""
    best: Decimal | None = None
    steps: int = 0
    anchors: dict[str, Any] = field(default_factory=dict)
    told_at: datetime | None = None


@dataclass
class Booked:
    """What the recorded fills of one symbol add up to, and how far its trades were read."""

    trades: Reading
    lot: Lot = field(default_factory=Lot)


@dataclass
class Memo:
    """What a code strategy keeps of a symbol, and fills it has not been told of, by trade id."""

    state: dict[str, Any] = field(default_factory=dict)
    fills: dict[str, Any] = field(default_factory=dict)

    def add(self, fill: Fill) -> None:
        """Keep a fill until it is told; a class that is not asked any more hears of the last."""
        self.fills[fill.trade_id] = to_plain(fill)
        for old in list(self.fills)[:-_MOST_UNTOLD]:
            del self.fills[old]


@dataclass
class Hearing:
    """What external signals said: the newest of each symbol, and ids of those that are decided."""

    newest: dict[str, Any] = field(default_factory=dict)
    decided: tuple[str, ...] = ()

    def of(self, symbol: str) -> Heard | None:
        found = self.newest.get(symbol)
        return None if found is None else from_plain(Heard, found)

    def keep(self, symbol: str, heard: Heard) -> None:
        self.newest[symbol] = to_plain(heard)


@dataclass(frozen=True)
class _Saved:
    account: str
    generation: int
    revision: int
    entries: dict[str, Any]
    fills_since: datetime
    paper: dict[str, Any]
    booked: dict[str, Any] = field(default_factory=dict)
    capital: Capital = field(default_factory=Capital)
    flows: Reading | None = None
    guarded: Guarded = field(default_factory=Guarded)
    written_off: tuple[str, ...] = ()
    hearing: Hearing = field(default_factory=Hearing)
    memos: dict[str, Any] = field(default_factory=dict)


class Memory:
    """The newer of the disk's and the platform's memory wins; another account's is ignored.

    For limits: ``day_result(equity)`` and ``drawdown(equity)`` in quote currency, with deposits and
    withdrawals taken out. They hold for an equity read after the last ``weigh``.

    ``began``: since when this disk has been told to go on with the run it is in.
    ``fresh``: nothing of this account was known; of an ``earlier`` run it takes over the day.
    ``before_books``: written by a runner that kept none, so that the fills on its disk are all
    there is to begin them with.
    """

    def __init__(
        self,
        store: Store,
        configuration: Configuration,
        generation: int,
        restored: dict[str, Any],
        now: datetime,
    ) -> None:
        self._store = store
        self._generation = generation
        self._run, self._quote = configuration.run, configuration.quote
        self._account = _account_of(configuration)
        candidates = [self._read(store.note("memory")), self._read(restored)]
        found = [saved for saved in candidates if saved is not None]
        saved = max(found, key=lambda s: (s.generation, s.revision), default=None)
        self.fresh = saved is None
        self.before_books = saved is not None and not saved.booked
        self._revision = 0
        self.entries: dict[str, Entry] = {}
        self.fills_since = now
        self.paper: dict[str, Any] = {}
        self.booked: dict[str, Booked] = {}
        self.capital = Capital()
        self.flows = Reading(now)
        self.guarded = Guarded()
        self.written_off: tuple[str, ...] = ()
        self.hearing = Hearing()
        self.memos: dict[str, Memo] = {}
        if saved is not None:
            self._revision = saved.revision
            self.entries = {s: from_plain(Entry, e) for s, e in saved.entries.items()}
            self.fills_since, self.paper = saved.fills_since, saved.paper
            self.booked = {s: from_plain(Booked, b) for s, b in saved.booked.items()}
            self.capital, self.flows = saved.capital, saved.flows or self.flows
            self.guarded, self.written_off = saved.guarded, saved.written_off
            self.hearing = saved.hearing
            self.memos = {s: from_plain(Memo, m) for s, m in saved.memos.items()}
        elif (earlier := self._read(restored.get("earlier"))) is not None:
            self.capital = earlier.capital.for_another_run(now.date())
            self.guarded = earlier.guarded.for_another_run(now.date())
        self._inherited = self._inherit()
        self.began = self._begun(now)

    def plain(self) -> dict[str, Any]:
        """The JSON-safe whole."""
        saved = _Saved(
            account=self._account,
            generation=self._generation,
            revision=self._revision,
            entries=to_plain(self.entries),
            fills_since=self.fills_since,
            paper=self.paper,
            booked=to_plain(self.booked),
            capital=self.capital,
            flows=self.flows,
            guarded=self.guarded,
            written_off=self.written_off,
            hearing=self.hearing,
            memos=to_plain(self.memos),
        )
        plain: dict[str, Any] = to_plain(saved)
        return plain

    def save(self) -> None:
        self._revision += 1
        self._store.remember("memory", self.plain())

    @contextlib.contextmanager
    def whole(self, symbol: str = "") -> Iterator[None]:
        """What is changed within, of one symbol's books, counts only if it could be written.

        Put it around the transaction: a disk that is full may fail at its very end.
        """
        booked = copy.deepcopy(self.booked.get(symbol))
        rest = copy.deepcopy((self.capital, self.flows, self.guarded))
        try:
            yield
        except BaseException:
            self.capital, self.flows, self.guarded = rest
            if booked is not None:
                self.booked[symbol] = booked
            raise

    def keep_paper(self, snapshot: dict[str, Any]) -> None:
        """Make the paper account durable, as a venue would before it answers."""
        self.paper = snapshot
        self.save()

    def book(self, fill: Fill) -> None:
        """Add a fill to the books; together with the fill itself, or not at all."""
        booked = self.booked[fill.symbol]
        change = signed(fill.side, fill.quantity)
        booked.lot, realised = apply(booked.lot, change, fill.price)
        booked.trades.note(fill.trade_id, fill.at)
        self.capital.book(realised)
        if fill.fee_currency == self._quote:
            self.capital.book(-fill.fee)
        if fill.symbol in self.memos:
            self.memos[fill.symbol].add(fill)
        self.save()

    def note_flow(self, flow: Flow) -> None:
        """Add a flow to the books; what came before the first look was there at the beginning."""
        self.flows.note(flow.id, flow.at)
        if self.capital.wallet is not None:
            self.capital.flow(flow, self._quote)
        self.save()

    def write_off(self, symbol: str) -> None:
        """A position the venue may show there for ever is nobody's concern from now on."""
        self.entries.pop(symbol, None)
        self.written_off = tuple(sorted({*self.written_off, symbol}))
        self.save()

    def inherited_until(self, symbol: str) -> datetime | None:
        """Up to when former machines have told the trades of a symbol, as far as is known.

        What is older and not on this disk may be on theirs; ``None`` where there was none.
        """
        if self._inherited is None:
            return None
        told = self._inherited.get(symbol)
        return self.fills_since if told is None else datetime.fromisoformat(told)

    def weigh(self, now: datetime, equity: Decimal, wallet: Decimal) -> None:
        """Take a look at the account into the day's beginning, the best moment and the books."""
        first = self.capital.wallet is None
        self.capital.look(wallet, now)
        if self.capital.weigh(now, self._run, equity) or first:
            self.save()

    def day_result(self, equity: Decimal) -> Decimal:
        """Gain or loss since the UTC day began; see ``Capital``."""
        return self.capital.day_result(equity)

    def drawdown(self, equity: Decimal) -> Decimal:
        """How far below the best moment of this run the account stands; see ``Capital``."""
        return self.capital.drawdown(equity)

    def _inherit(self) -> dict[str, str] | None:
        """Where reading began on this disk, by symbol; remembered at its first start."""
        name = f"fills_floor {self._account}"
        known = self._store.note(name)
        if known is None:
            floors = {s: b.trades.since.isoformat() for s, b in self.booked.items()}
            known = {"symbols": None if self.fresh else floors}
            self._store.remember(name, known)
        symbols: dict[str, str] | None = known["symbols"] if isinstance(known, dict) else {}
        return symbols

    def _begun(self, now: datetime) -> datetime:
        """What was decided before, on the same disk, belongs to another run's ledger."""
        known = self._store.note("run")
        if known is None or known["id"] != self._run:
            known = {"id": self._run, "since": now.isoformat()}
            self._store.remember("run", known)
        return datetime.fromisoformat(known["since"])

    def _read(self, plain: dict[str, Any] | None) -> _Saved | None:
        if not plain or plain.get("account") != self._account:
            return None
        # What is changed here must not change the words it was read from.
        saved: _Saved = from_plain(_Saved, copy.deepcopy(plain))
        return saved


def _account_of(configuration: Configuration) -> str:
    """Whose memory it is: a venue account's, or that of one run, as each opens a paper account."""
    paper = configuration.mode is Mode.PAPER
    owner = configuration.run if paper else configuration.account or "unnamed"
    return f"{configuration.exchange}/{configuration.mode}/{owner}"
