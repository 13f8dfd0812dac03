"""What operators have typed and not sent: kept per person and ticket, gone when it is sent."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.support.said import BODY
from app.extensions import db
from app.models import Draft, Ticket, User


def save(ticket: Ticket, operator: User, body: str, now: datetime) -> None:
    """Keep what is in the answer's field; nothing in it is no draft."""
    kept = body.replace("\r\n", "\n").replace("\x00", "")[:BODY]
    if not kept.strip():
        clear(ticket, operator)
        return
    values = {"body": kept, "saved_at": now}
    dialect = db.session.get_bind().dialect.name
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(Draft)
    row = insert.values(ticket_id=ticket.id, operator_id=operator.id, **values)
    keys = ["ticket_id", "operator_id"]
    db.session.execute(row.on_conflict_do_update(index_elements=keys, set_=values))


def of(ticket: Ticket, operator: User) -> str:
    """What the person left there."""
    found = db.session.get(Draft, (ticket.id, operator.id))
    return found.body if found else ""


def clear(ticket: Ticket, operator: User) -> None:
    """It was sent."""
    mine = (Draft.ticket_id == ticket.id, Draft.operator_id == operator.id)
    db.session.execute(delete(Draft).where(*mine))
