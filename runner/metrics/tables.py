"""Results cut by hour, month, exit reason and side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from runner.metrics.facts import ClosedTrade
from runner.protocol import Side

Key = TypeVar("Key")


@dataclass(slots=True)
class Cell:
    """The trades of one row or field of a table."""

    count: int = 0
    wins: int = 0
    net: float = 0.0

    def add(self, net: float) -> None:
        """One trade more."""
        self.count += 1
        self.wins += net > 0
        self.net += net

    @property
    def win_rate(self) -> float | None:
        """In percent."""
        return 100 * self.wins / self.count if self.count else None


def hour_of_week(moment: datetime) -> int:
    """0 is Monday 00:00 to 01:00 UTC, 167 the last hour of Sunday."""
    there = moment.astimezone(UTC)
    return there.weekday() * 24 + there.hour


def by_hour(trades: Iterable[ClosedTrade]) -> dict[int, Cell]:
    """By hour of the week of the entry."""
    return _cut(trades, lambda it: hour_of_week(it.opened_at))


def by_month(trades: Iterable[ClosedTrade]) -> dict[date, Cell]:
    """By the month of the closing (UTC), named by its first day, oldest first."""
    found = _cut(trades, lambda it: it.closed_at.astimezone(UTC).date().replace(day=1))
    return dict(sorted(found.items()))


def by_exit_reason(trades: Iterable[ClosedTrade]) -> dict[str, Cell]:
    """By what closed them, most frequent first."""
    found = _cut(trades, lambda it: it.exit_reason)
    return dict(sorted(found.items(), key=lambda item: (-item[1].count, item[0])))


def by_side(trades: Iterable[ClosedTrade]) -> dict[Side, Cell]:
    """Long (buy) and short (sell)."""
    return _cut(trades, lambda it: it.side)


def _cut(trades: Iterable[ClosedTrade], key: Callable[[ClosedTrade], Key]) -> dict[Key, Cell]:
    found: dict[Key, Cell] = {}
    for trade in trades:
        found.setdefault(key(trade), Cell()).add(float(trade.net))
    return found
