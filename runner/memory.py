"""What a runner must remember across kill, sleep and a new machine; travels as the checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from runner.protocol import Breach, Configuration, Mode, from_plain, to_plain
from runner.store import Store

_OVERLAP = timedelta(seconds=60)


@dataclass
class Entry:
    """How the open position of a symbol came to be; ``stop_id`` is its stop at the venue."""

    client_id: str
    side: int
    entry_price: Decimal
    candle_at: datetime
    stop_id: str | None = None


@dataclass(frozen=True)
class Halt:
    """A limit that was passed at ``at`` and still keeps the bot from entering."""

    breach: Breach
    at: datetime


@dataclass
class Guarded:
    """What the limits are measured by besides the day's first equity.

    ``peak``: highest equity of ``run``. ``lost_at``: end of the last losing trade.
    ``refused_since``: refused orders before it count no more.
    """

    run: str = ""
    peak: Decimal | None = None
    lost_at: datetime | None = None
    refused_since: datetime | None = None
    halts: tuple[Halt, ...] = ()


@dataclass(frozen=True)
class _Saved:
    account: str
    generation: int
    revision: int
    entries: dict[str, Any]
    day: str
    day_equity: Decimal
    fills_since: datetime
    paper: dict[str, Any]
    guarded: Guarded = field(default_factory=Guarded)


class Memory:
    """The newer of the disk's and the platform's memory wins; another account's is ignored."""

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
        self._account = _account_of(configuration)
        candidates = [self._read(store.note("memory")), self._read(restored)]
        found = [saved for saved in candidates if saved is not None]
        saved = max(found, key=lambda s: (s.generation, s.revision), default=None)
        self._revision = 0 if saved is None else saved.revision
        self.entries: dict[str, Entry] = {}
        self.day, self.day_equity = "", Decimal(0)
        self.fills_since = now
        self.paper: dict[str, Any] = {}
        self.guarded = Guarded()
        if saved is not None:
            self.entries = {s: from_plain(Entry, e) for s, e in saved.entries.items()}
            self.day, self.day_equity = saved.day, saved.day_equity
            self.fills_since, self.paper = saved.fills_since, saved.paper
            self.guarded = saved.guarded
        floor = store.note(f"fills_floor {self._account}")
        self._floor = self.fills_since if floor is None else datetime.fromisoformat(floor)
        store.remember(f"fills_floor {self._account}", self._floor.isoformat())

    def plain(self) -> dict[str, Any]:
        """The JSON-safe whole."""
        saved = _Saved(
            account=self._account,
            generation=self._generation,
            revision=self._revision,
            entries=to_plain(self.entries),
            day=self.day,
            day_equity=self.day_equity,
            fills_since=self.fills_since,
            paper=self.paper,
            guarded=self.guarded,
        )
        plain: dict[str, Any] = to_plain(saved)
        return plain

    def save(self) -> None:
        self._revision += 1
        self._store.remember("memory", self.plain())

    def look_for_fills_since(self, last_known: datetime | None) -> datetime:
        """From when to ask the venue: a minute of overlap (ids remove repeats), but nothing from
        before this disk's first start, which a former machine has told already.
        """
        if last_known is None:
            return self._floor
        return max(self._floor, last_known - _OVERLAP)

    def note_fills(self, last_known: datetime | None) -> None:
        """Where the next machine begins to look: just behind the last fill that was told."""
        if last_known is not None:
            self.fills_since = max(self.fills_since, last_known + timedelta(milliseconds=1))
            self.save()

    def keep_paper(self, snapshot: dict[str, Any]) -> None:
        """Make the paper account durable, as a venue would before it answers."""
        self.paper = snapshot
        self.save()

    def start_of_day(self, now: datetime, equity: Decimal) -> Decimal:
        """Equity at the first look on this UTC day; daily losses count from it."""
        today = now.date().isoformat()
        if self.day != today:
            self.day, self.day_equity = today, equity
            self.save()
        return self.day_equity

    def peak_equity(self, run: str, equity: Decimal) -> Decimal:
        """Highest equity that was seen since this run began; drawdown counts from it."""
        if self.guarded.run != run:
            self.guarded.run, self.guarded.peak = run, None
        if self.guarded.peak is None or equity > self.guarded.peak:
            self.guarded.peak = equity
            self.save()
        return self.guarded.peak

    def _read(self, plain: dict[str, Any] | None) -> _Saved | None:
        if not plain or plain.get("account") != self._account:
            return None
        saved: _Saved = from_plain(_Saved, plain)
        return saved


def _account_of(configuration: Configuration) -> str:
    """Whose memory it is: a venue account's, or that of one run, as each opens a paper account."""
    paper = configuration.mode is Mode.PAPER
    owner = configuration.run if paper else configuration.account or "unnamed"
    return f"{configuration.exchange}/{configuration.mode}/{owner}"
