"""How far a list of the venue was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

_OVERLAP = timedelta(seconds=60)
_QUIET_OVERLAP = timedelta(hours=1)


@dataclass
class Reading:
    """How far a list of the venue was read. Ids of its newest items tell repeats from news.

    ``newest`` is by the venue's clock, ``until`` by ours: the overlap is short behind what was
    seen, and long where nothing was, as our clock may have been wrong meanwhile. Nothing from
    before ``start`` is ours to tell.
    """

    start: datetime
    newest: datetime | None = None
    until: datetime | None = None
    ids: dict[str, Any] = field(default_factory=dict)

    @property
    def since(self) -> datetime:
        """From when on to ask next."""
        since = self.start
        if self.newest is not None:
            since = max(since, self.newest - _OVERLAP)
        if self.until is not None:
            since = max(since, self.until - _QUIET_OVERLAP)
        return since

    def note(self, name: str, at: datetime) -> None:
        self.newest = at if self.newest is None else max(self.newest, at)
        self.ids[name] = at.isoformat()

    def finish(self, asked: datetime) -> None:
        """The list was read to its end by a request made at ``asked``."""
        self.until = asked
        floor = self.since.isoformat()
        self.ids = {name: at for name, at in self.ids.items() if at >= floor}
