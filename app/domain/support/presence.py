"""Who is at a ticket just now, and what they do there; each word counts for half a minute."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from app.extensions import db
from app.models import Presence, PresenceMode, Ticket, User

WORTH = timedelta(seconds=30)


@dataclass(frozen=True)
class Seen:
    """A colleague at the same ticket."""

    name: str
    mode: PresenceMode

    @property
    def words(self) -> str:
        """As a sentence."""
        doing = "typing an answer" if self.mode is PresenceMode.TYPING else "looking at it"
        return f"{self.name} is {doing}."


def beat(ticket: Ticket, operator: User, mode: PresenceMode, now: datetime) -> None:
    """Say that an operator is there."""
    values = {"mode": mode, "seen_at": now}
    row = _insert().values(ticket_id=ticket.id, operator_id=operator.id, **values)
    keys = ["ticket_id", "operator_id"]
    db.session.execute(row.on_conflict_do_update(index_elements=keys, set_=values))


def others(ticket: Ticket, operator: User, now: datetime) -> list[Seen]:
    """The colleagues who are there."""
    query = select(User.name, Presence.mode).join(User, User.id == Presence.operator_id)
    query = query.where(
        Presence.ticket_id == ticket.id,
        Presence.operator_id != operator.id,
        Presence.seen_at > now - WORTH,
        User.operator.is_(True),
    )
    return [Seen(*row) for row in db.session.execute(query.order_by(User.name))]


def _insert() -> Any:
    dialect = db.session.get_bind().dialect.name
    return (postgresql if dialect == "postgresql" else sqlite).insert(Presence)
