"""A stretch of time of one workspace, and what happened in it, gathered from many tables."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, or_, select

from app.extensions import db


@dataclass(frozen=True)
class Span:
    """From when to when, where, and of which bot if only one; at most ``most`` of each kind."""

    workspace_id: str
    since: datetime
    until: datetime
    bot_id: str | None
    most: int

    def within(self, *columns: Any) -> ColumnElement[bool]:
        """Any of these moments lies inside."""
        return or_(*(column.between(self.since, self.until) for column in columns))

    def rows(self, kind: Any, *columns: Any) -> list[Any]:
        """Rows of the workspace, or of the one bot, with a moment inside; newest first."""
        query: Select[Any] = select(kind).where(
            kind.workspace_id == self.workspace_id, self.within(*columns)
        )
        if self.bot_id is not None:
            query = query.where(kind.bot_id == self.bot_id)
        return list(db.session.scalars(query.order_by(columns[0].desc()).limit(self.most)))

    def told(
        self, *moments: tuple[datetime | None, str, str]
    ) -> Iterator[tuple[datetime, str, str]]:
        """Those of a row's moments that lie inside, with text and tone."""
        for at, text, tone in moments:
            if at is not None and self.since <= at <= self.until:
                yield at, text, tone


Stretch = TypeVar("Stretch", bound=Span)
Found = TypeVar("Found")


def gather(
    sources: Mapping[str, Callable[[Stretch], Iterable[Found]]], span: Stretch
) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    """What all sources tell, in order of ``at``, and the names of those that told too much."""
    items: list[Found] = []
    cut = []
    for name, source in sources.items():
        found = list(source(span))
        if len(found) >= span.most:
            cut.append(name)
        items += found
    items.sort(key=attrgetter("at"))
    return tuple(items), tuple(cut)
