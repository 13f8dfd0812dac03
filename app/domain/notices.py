"""The inbox: what a person should know (notices) or do something about (alarms)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from app import tenancy
from app.extensions import db
from app.models import Notice, NoticeKind
from app.models.base import new_id

TITLE, BODY = 120, 500
"""The room a title and a body have in their rows."""


def tell(
    user_ids: Iterable[str],
    title: str,
    *,
    key: str,
    now: datetime,
    body: str = "",
    path: str = "",
    workspace_id: str | None = None,
    kind: NoticeKind = NoticeKind.NOTICE,
) -> None:
    """Put an entry into the inbox of each person; telling the same ``key`` again changes nothing.

    Args:
        user_ids: whom it concerns.
        title: one line, without secrets: it is also read by whoever looks over the shoulder.
        key: what makes it one thing, e.g. ``invitation inv_…``.
        now: the moment, UTC.
        body: a sentence or two.
        path: the page where something can be done, beginning with ``/``.
        workspace_id: the workspace it is about, if any.
        kind: notice or alarm.
    """
    rows = [
        {
            "id": new_id("ntc"),
            "user_id": user_id,
            "workspace_id": workspace_id,
            "kind": kind,
            "key": key,
            "title": _fitted(title, TITLE),
            "body": _fitted(body, BODY),
            "path": path,
            "created_at": now,
        }
        for user_id in sorted(set(user_ids))
    ]
    if rows:
        with tenancy.everywhere("an inbox is its person's, whichever workspace tells"):
            db.session.execute(_unless_told().values(rows))


def told(user_id: str, key: str) -> bool:
    """Whether a person was told of this already, so that no second letter goes out for it."""
    with tenancy.everywhere("an inbox is its person's, whichever workspace tells"):
        return find(user_id, key) is not None


def find(user_id: str, key: str) -> Notice | None:
    """What a person was told under a key; the caller opens what is needed to see it."""
    mine = Notice.user_id == user_id, Notice.key == key[:120]
    return db.session.scalar(select(Notice).where(*mine))


def _unless_told() -> Any:
    """An INSERT that leaves alone what was told already, also by somebody else just now."""
    dialect = db.session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(Notice).on_conflict_do_nothing(index_elements=["user_id", "key"])


def _fitted(text: str, room: int) -> str:
    """What is too long for its column is cut: names in it may be of any length."""
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"
