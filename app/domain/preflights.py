"""What a runner verified at its wake, before any trading: kept with its machine and its key.

A look is no newer than the report that tells of it, whatever a runner's clock says.
"""

from datetime import datetime

from app.domain import account_rule, addresses, rivals
from app.domain.sources import Source
from app.extensions import db
from app.models import AddressEventKind, Bot, Connection, Run
from runner.protocol import KeyCheck, Mode, Preflight, to_plain

ACCOUNT = "account"
"""The check whose detail is the venue's own name of the account."""


def take(source: Source, data: Preflight, at: datetime) -> None:
    """Keep it; where the venue told which address it sees, that is one more proof of it."""
    at = min(at, source.now)
    machine = source.machine
    machine.preflight = to_plain(data)
    machine.preflight_at = at
    if data.address_seen is not None:
        addresses.seen(machine, AddressEventKind.SEEN_BY_VENUE, data.address_seen, source.now)
    run = db.session.get_one(Run, source.run_id)
    if run.mode is Mode.PAPER or run.connection_id is None:
        return
    connection = db.session.get_one(Connection, run.connection_id)
    if _keep(source, connection, data, at) and run.connection_id == _present(source.bot):
        account_rule.ask(source, connection)


def take_key_check(source: Source, data: KeyCheck, at: datetime) -> None:
    """What was seen of the live key of a bot that is not live yet."""
    connection = db.session.get(Connection, data.connection)
    if connection is None or connection.id != source.bot.live_connection_id:
        return
    _keep(source, connection, data.result, min(at, source.now))


def _keep(source: Source, connection: Connection, data: Preflight, at: datetime) -> bool:
    """Whether it says something: of a key that was replaced since, nothing."""
    if connection.rotated_at is not None and at < connection.rotated_at:
        return False
    connection.checked_at = at
    made = {"made_by": source.bot.id, "made_at": source.machine.ip}
    connection.findings = to_plain(data) | made
    account = next((check.detail for check in data.checks if check.name == ACCOUNT), None)
    if account is not None:
        connection.venue_account = rivals.account_of(connection, account)
    return True


def _present(bot: Bot) -> str | None:
    return bot.connection.id if bot.connection is not None else None
