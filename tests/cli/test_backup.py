"""A backup is proven by restoring it."""

import hashlib
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select

from app.cli import backup
from app.extensions import db
from app.gateways.vault import Opener, Sealer
from app.models import Connection
from tests import factories, services
from tests.waiting import PATIENCE


def furnished(house):
    desk = factories.organisation()
    factories.connection(desk, Sealer(house.public))
    factories.bot(desk)
    db.session.commit()


def counts(bind):
    return {
        table.name: bind.execute(select(func.count()).select_from(table)).scalar()
        for table in db.metadata.sorted_tables
    }


def present():
    found = counts(db.session)
    db.session.rollback()
    return found


def told(output):
    return dict(line.split(None, 1) for line in output.splitlines()[:3])


def test_a_copy_of_sqlite_holds_every_row(house, tmp_path):
    furnished(house)
    file = tmp_path / "copy.db"
    done = house.run("backup", str(file))
    assert done.exit_code == 0, done.output
    said = told(done.stdout)
    assert said["size"] == f"{file.stat().st_size} bytes"
    assert said["sha-256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "MASTER_KEYS" in done.stdout
    assert oct(file.stat().st_mode)[-3:] == "600"
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert counts(connection) == present()
        (sealed,) = connection.execute(select(Connection.__table__.c.sealed)).scalars()
        (row,) = connection.execute(select(Connection.__table__))
    engine.dispose()
    assert Opener([house.private]).open(sealed, f"{row.workspace_id}|{row.id}")
    assert house.private.encode() not in file.read_bytes()


def test_by_default_it_gets_a_name_of_its_own(house):
    furnished(house)
    file = Path(told(house.run("backup").stdout)["file"])
    assert file.parent == Path(house.environ["VAR_DIR"]) / "backups"
    assert file.suffix == ".db"
    assert [item.name for item in file.parent.iterdir()] == [file.name]


def test_nothing_is_overwritten(house, tmp_path):
    file = tmp_path / "copy.db"
    file.write_text("precious")
    refused = house.run("backup", str(file))
    assert (refused.exit_code, file.read_text()) == (1, "precious")
    assert "name another file" in refused.stderr


def test_without_a_database_nothing_is_made(build, tmp_path):
    house = build(f"sqlite:///{tmp_path}/absent.db")
    refused = house.run("backup", str(tmp_path / "copy.db"))
    assert refused.exit_code == 1
    assert "check DATABASE_URL" in refused.stderr
    assert [item.name for item in tmp_path.iterdir()] == ["var"]


def test_it_is_of_one_moment_while_others_write(house, tmp_path, sqlite_url):
    """Two tables always written together must be equal in the copy."""
    source = sqlite_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(source, isolation_level=None)) as writer:
        writer.execute("CREATE TABLE one (x TEXT)")
        writer.execute("CREATE TABLE two (x TEXT)")
    stop, wrote = threading.Event(), threading.Event()

    def write():
        with closing(sqlite3.connect(source, isolation_level=None, timeout=PATIENCE)) as writer:
            while not stop.is_set():
                writer.execute("BEGIN IMMEDIATE")
                for table in ("one", "two"):
                    writer.execute(f"INSERT INTO {table} VALUES (hex(randomblob(2000)))")
                writer.execute("COMMIT")
                wrote.set()

    writing = threading.Thread(target=write)
    writing.start()
    try:
        assert wrote.wait(PATIENCE)
        done = house.run("backup", str(tmp_path / "copy.db"))
    finally:
        stop.set()
        writing.join()
    assert done.exit_code == 0, done.output
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        one, two = (
            copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("one", "two")
        )
    assert one == two > 0


@pytest.fixture
def server_programs(monkeypatch):
    """The programs that came with the server of the tests, first on the PATH."""
    programs = services._postgres_bin()
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return programs


def test_a_dump_can_be_restored(fenced_url, build, postgres, tmp_path, server_programs):
    house = build(fenced_url)
    furnished(house)
    file = tmp_path / "copy.dump"
    done = house.run("backup", str(file))
    assert done.exit_code == 0, done.output
    postgres.execute("CREATE DATABASE restored")
    try:
        target = postgres.url("restored")
        command = [server_programs / "pg_restore", "--no-owner", "-h", postgres.dir, "-U", "app"]
        subprocess.run([*command, "-d", "restored", file], check=True, timeout=PATIENCE)
        engine = create_engine(target)
        with engine.connect() as connection:
            assert counts(connection) == present()
        engine.dispose()
    finally:
        postgres.execute("DROP DATABASE restored WITH (FORCE)")


def test_without_pg_dump_it_says_how(postgres_url, build, tmp_path, monkeypatch):
    house = build(postgres_url)
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = house.run("backup", str(tmp_path / "copy.dump"))
    assert refused.exit_code == 1
    assert "postgresql-client" in refused.stderr
    assert not (tmp_path / "copy.dump").exists()


def test_what_pg_dump_refuses_is_told_and_nothing_kept(build, tmp_path, server_programs):
    house = build(f"postgresql://app:hunter2@/absent?host={tmp_path}")
    refused = house.run("backup", str(tmp_path / "copy.dump"))
    assert refused.exit_code == 1
    assert "pg_dump refused, nothing was kept" in refused.stderr
    assert "hunter2" not in refused.output
    assert len(refused.stderr.strip().splitlines()) == 1
    assert sorted(item.name for item in tmp_path.iterdir()) == ["var"]


def test_the_password_is_on_no_command_line():
    url = backup.make_url("postgresql+psycopg://app:hunter2@db:5433/plutarc?sslmode=require")
    assert backup._libpq(url) == {
        "PGHOST": "db",
        "PGPORT": "5433",
        "PGUSER": "app",
        "PGPASSWORD": "hunter2",
        "PGOPTIONS": "-c plutarc.workspace=*",
        "PGDATABASE": "plutarc",
        "PGSSLMODE": "require",
    }
