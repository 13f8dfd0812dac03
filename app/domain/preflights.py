"""What a runner verified at its wake, before any trading: kept with its machine and its key."""

from datetime import datetime

from app.domain import addresses
from app.extensions import db
from app.models import AddressEventKind, Connection, Machine, Run
from runner.protocol import Mode, Preflight, to_plain


def take(machine: Machine, run_id: str, data: Preflight, at: datetime, now: datetime) -> None:
    """Keep it; where the venue told which address it sees, that is one more proof of it."""
    machine.preflight = to_plain(data)
    machine.preflight_at = at
    if data.address_seen is not None:
        addresses.seen(machine, AddressEventKind.SEEN_BY_VENUE, data.address_seen, now)
    run = db.session.get_one(Run, run_id)
    if run.mode is Mode.PAPER or run.connection_id is None:
        return
    connection = db.session.get_one(Connection, run.connection_id)
    # What was seen of the key before it was replaced says nothing about the new one.
    if connection.rotated_at is None or at >= connection.rotated_at:
        connection.checked_at = at
        connection.findings = to_plain(data)
