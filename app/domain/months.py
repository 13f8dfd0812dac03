"""Months, as statements count them: in UTC, whatever zone anybody lives in. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_NAME = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True, order=True)
class Month:
    """One month, half-open: it ends where the next one starts."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return self.next.start

    @property
    def next(self) -> "Month":
        """The one after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> "Month":
        """The one before it."""
        return of(self.start - timedelta(days=1))

    @property
    def title(self) -> str:
        """As people say it."""
        return f"{self.start:%B %Y}"


def of(moment: datetime) -> Month:
    """The month of a moment."""
    there = moment.astimezone(UTC)
    return Month(there.year, there.month)


def parse(text: str) -> Month | None:
    """The month of ``2026-11``; ``None`` if it is none."""
    found = _NAME.fullmatch(text)
    return Month(int(found[1]), int(found[2])) if found else None
