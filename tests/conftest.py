"""Fixtures for every test: real services started on demand, once per test process."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import flask_migrate
import hypothesis
import psycopg
import pytest
from argon2 import PasswordHasher
from playwright.sync_api import expect, sync_playwright
from sqlalchemy import NullPool, create_engine, text

from app import create_app
from app.config import Config
from app.domain import accounts, clock
from app.extensions import db
from app.gateways import vault
from tests import engines, services
from tests.waiting import PATIENCE

DATABASE_GUIDE = Path(__file__).parents[1] / "docs" / "database.md"

services.block_the_internet()
engines.share_what_is_compiled()
# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")
expect.set_options(timeout=PATIENCE * 1000)
# What makes passwords slow to guess makes hundreds of test accounts slow to create.
accounts.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="session")
def valkey():
    server = services.Valkey()
    yield server
    server.stop()


@pytest.fixture
def redis_url(valkey):
    """An empty Valkey."""
    valkey.flush()
    return valkey.url


@pytest.fixture(scope="session")
def postgres():
    server = services.Postgres()
    yield server
    server.stop()


def migrate(url: str) -> None:
    """Bring an empty database to the newest schema, by the migrations an operator runs."""
    app = create_app(Config.from_environment({"DATABASE_URL": url}, "worker"), "worker")
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "plutarc.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_database(postgres):
    """One migrated PostgreSQL database for the whole process; `postgres_url` empties it."""
    postgres.execute("CREATE DATABASE plutarc")
    url = postgres.url("plutarc")
    migrate(url)
    return url


@pytest.fixture
def sqlite_url(sqlite_template, tmp_path):
    """A migrated, empty SQLite database of the test's own."""
    shutil.copy(sqlite_template, tmp_path / "plutarc.db")
    return f"sqlite:///{tmp_path}/plutarc.db"


def empty(url):
    """As a superuser, whom no policy hides a row from and no order of deletion binds.

    Deleting the few rows of a test takes a quarter of the time of truncating every table.
    """
    tables = (f'DELETE FROM "{name}"' for name in db.metadata.tables)
    numbers = "SELECT setval(seqrelid, seqstart, false) FROM pg_sequence"
    with psycopg.connect(services.plain(url), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("; ".join((*tables, numbers)))


@pytest.fixture
def postgres_url(postgres_database):
    """A migrated, empty PostgreSQL database; emptying takes a tenth of the time of making one."""
    empty(postgres_database)
    return postgres_database


@pytest.fixture(scope="session")
def fenced_template(postgres):
    """A database, to be copied, as docs/database.md says: one role owns it, another one uses it."""
    postgres.execute("CREATE DATABASE fenced_template")
    as_superuser = postgres.url("fenced_template")
    making = DATABASE_GUIDE.read_text().partition("```sql")[2].partition("```")[0]
    engine = create_engine(as_superuser, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in filter(str.strip, making.split(";")):
            connection.execute(text(statement))
    migrate(as_superuser.replace("app@", "plutarc_owner@"))
    return "fenced_template"


@pytest.fixture(scope="session")
def fenced_database(postgres, fenced_template):
    """One such database for the whole process; `fenced_url` empties it."""
    postgres.execute(f"CREATE DATABASE fenced TEMPLATE {fenced_template}")
    return postgres.url("fenced")


@pytest.fixture
def fenced_url(fenced_database):
    """It, migrated and empty, as the role that owns nothing and that every row policy binds."""
    empty(fenced_database)
    return fenced_database.replace("app@", "plutarc@")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_url(request):
    """Each database in turn, migrated and empty; PostgreSQL as a role that the policies bind."""
    fixtures = {"sqlite": "sqlite_url", "postgresql": "fenced_url"}
    return request.getfixturevalue(fixtures[request.param])


@pytest.fixture(scope="session")
def keys():
    """A master key and the public key that seals for it."""
    private, public = vault.generate()
    return SimpleNamespace(private=(private,), public=public)


@pytest.fixture
def app(engine_url, keys, monkeypatch):
    """The application without a web, in its context, on each database.

    Tests tell the time; that leases go by the database's own clock is proven in tests/model.
    """
    monkeypatch.setattr(clock, "has_clock", lambda: False)
    settings = {"DATABASE_URL": engine_url, "SEAL_PUBLIC_KEY": keys.public}
    built = create_app(Config.from_environment(settings, "worker"), "worker")
    with built.app_context():
        yield built
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium. Where there is none the test is skipped, or fails if it is required.

    Playwright keeps an event loop running in this thread as long as it lives; it ends with the
    module, so that tests elsewhere can run a loop of their own.
    """
    found = services.find_chromium()
    if found is None:
        how = "install Chromium (apt-get install chromium) or name it in CHROMIUM"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(f"browser tests are required here: {how}")
        pytest.skip(f"no Chromium found: {how}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=found, headless=True, args=list(services.BROWSER_FLAGS)
        )
        yield chromium
        chromium.close()
