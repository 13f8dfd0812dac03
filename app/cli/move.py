"""``move-database``: from SQLite to PostgreSQL and back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from app import current
from app.cli.base import Command
from app.config import is_database, with_driver
from app.domain import relocation
from app.extensions import db


@click.command("move-database", cls=Command)
@click.argument("url")
def move_database(url: str) -> None:
    """Copy every row of the present database into the empty, migrated one at URL.

    Stop plutarc first. All is copied in one transaction and compared afterwards, row by row, and
    every audit log is verified; if anything differs the target stays empty. The present database
    is only read. Give a password by PGPASSWORD or ~/.pgpass: others can read a command line.
    """
    target_engine = _engine(url)
    try:
        moved = _move(target_engine)
    finally:
        target_engine.dispose()
    rows = sum(table.rows for table in moved)
    where = target_engine.url.render_as_string(hide_password=True)
    click.echo(f"{rows} rows of {len(moved)} tables moved and compared; every audit log verifies.")
    click.echo(f"Now set DATABASE_URL to {where} and start plutarc.")


def _engine(url: str) -> Engine:
    address = with_driver(url)
    wrong = click.ClickException(
        "This is no database we know; give sqlite:///… or postgresql://user@host/name."
    )
    if not is_database(address):
        raise wrong
    try:
        parsed = make_url(address)
    except ArgumentError:
        raise wrong from None
    if parsed == make_url(current.config().database_url):
        raise click.ClickException("This is the present database; name another one.")
    embedded = parsed.get_backend_name() == "sqlite"
    if embedded and not Path(parsed.database or "").is_file():
        raise click.ClickException(
            "There is no database there; make it first: DATABASE_URL=… flask --app wsgi db upgrade."
        )
    return create_engine(parsed, connect_args={} if embedded else {"connect_timeout": 5})


def _move(target_engine: Engine) -> list[relocation.Moved]:
    snapshot: dict[str, Any] = {"read_only": True}
    if db.engine.dialect.name == "postgresql":
        snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        target = target_engine.connect()
    except SQLAlchemyError as error:
        raise click.ClickException(
            "The target does not answer; check its address, and that the server runs and lets you "
            "in."
        ) from error
    with target, db.engine.connect().execution_options(**snapshot) as source, target.begin():
        source.begin()
        return relocation.move(source, target, datetime.now(UTC), _tell)


def _tell(table: relocation.Moved) -> None:
    click.echo(f"{table.table:16} {table.rows}", err=True)
