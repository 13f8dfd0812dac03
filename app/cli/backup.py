"""``backup``: one consistent copy of the database, taken while plutarc runs."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import URL, make_url

from app import current
from app.cli.base import Command, NewFile, shown

_PAGES_AT_ONCE = 1000
_DUMP_SECONDS = 6 * 3600


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path), required=False)
def backup(file: Path | None) -> None:
    """Copy the database to FILE (default: a new name under backups/ in VAR_DIR).

    SQLite becomes a database file, PostgreSQL a custom-format archive for pg_restore. In it are
    all rows, connections as they are sealed. Not in it are MASTER_KEYS and SECRET_KEY: keep
    MASTER_KEYS apart, without them no connection in a backup can be used. Nor are the files of
    STORAGE_URL, attachments of tickets among them: copy those after the database.
    """
    url = make_url(current.config().database_url)
    embedded = url.get_backend_name() == "sqlite"
    target = file or _default_name("db" if embedded else "dump")
    with NewFile(target) as draft:
        (_copy_sqlite if embedded else _dump_postgresql)(url, draft)
        size, digest = draft.stat().st_size, _sha256(draft)
    click.echo(f"file     {shown(target)}")
    click.echo(f"size     {size} bytes")
    click.echo(f"sha-256  {digest}")
    click.echo("not in it: MASTER_KEYS, SECRET_KEY, files of STORAGE_URL")


def _default_name(ending: str) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return current.config().var_dir / "backups" / f"plutarc-{moment}.{ending}"


def _copy_sqlite(url: URL, draft: Path) -> None:
    """By SQLite's online backup: writers go on, the copy is of one moment."""
    source = Path(url.database or "")
    if not source.is_file():
        raise click.ClickException(f"There is no database at {source}; check DATABASE_URL.")
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as original,
        closing(sqlite3.connect(draft)) as copy,
    ):
        # A read transaction, or each commit of a running plutarc would start the copy anew.
        original.isolation_level = None
        original.execute("BEGIN")
        original.backup(copy, pages=_PAGES_AT_ONCE)
        original.execute("ROLLBACK")
        # One file that is whole by itself, not one that expects a write-ahead log beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
        (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise click.ClickException(
            f"The database is damaged ({verdict}); restore an older backup. Nothing was kept."
        )


def _dump_postgresql(url: URL, draft: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise click.ClickException(
            "PostgreSQL is copied by pg_dump, which is not on the PATH here; install the client "
            "programs of your server's version (postgresql-client) and try again."
        )
    # A role that the row policies bind may dump what it sees, and PGOPTIONS shows it everything.
    command = [program, "--format=custom", "--no-password", "--enable-row-security"]
    command.append(f"--file={draft}")
    try:
        done = subprocess.run(  # noqa: S603 -- the program found above, no shell
            command,
            env=os.environ | _libpq(url),
            capture_output=True,
            text=True,
            timeout=_DUMP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise click.ClickException("pg_dump did not finish in time; nothing was kept.") from error
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise click.ClickException(
            f"pg_dump refused, nothing was kept. It must be of the server's version or newer. "
            f"It said: {said}"
        )


def _libpq(url: URL) -> dict[str, str]:
    """The address as libpq's variables: a command line, with a password in it, all can read."""
    query = {key: value for key, value in url.query.items() if isinstance(value, str)}
    named = {
        "PGHOST": query.get("host") or url.host,
        "PGPORT": query.get("port") or (str(url.port) if url.port else None),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGOPTIONS": "-c plutarc.workspace=*",
        "PGSSLMODE": query.get("sslmode"),
        "PGSSLROOTCERT": query.get("sslrootcert"),
    }
    return {key: value for key, value in named.items() if value}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
