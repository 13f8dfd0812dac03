"""A house on each database, with one workspace and strategy; each example makes a bot of its own.

PostgreSQL is told the time: its ``clock_timestamp()`` is covered by one of the test's own.
"""

from datetime import timedelta
from types import SimpleNamespace

import psycopg
import pytest

from app import create_app
from app.config import Config
from app.domain import places
from app.extensions import db
from app.gateways import vault
from app.models import Connection, StrategyVersion, Workspace
from tests import factories, services
from tests.model.world import World
from tests.waiting import PATIENCE

COVERED_CLOCK = """
CREATE SCHEMA model;
CREATE TABLE model.clock (moment timestamptz NOT NULL);
INSERT INTO model.clock VALUES (now());
CREATE FUNCTION model.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
  AS 'SELECT moment FROM model.clock';
"""
SEARCH_PATH = "options=-csearch_path%3Dmodel,pg_catalog,public"


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def engine_url(request):
    """On PostgreSQL as the owner of the database, who may put the clock's cover into it."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def clock(engine_url):
    """Sets the database's clock, where it has one."""
    if engine_url.startswith("sqlite"):
        yield lambda _now: None
        return
    with psycopg.connect(services.plain(engine_url), autocommit=True) as connection:
        connection.execute(COVERED_CLOCK)
        yield lambda now: connection.execute("UPDATE model.clock SET moment = %s", [now])
        connection.execute("DROP SCHEMA model CASCADE")


@pytest.fixture
def house(engine_url, clock, tmp_path):
    """What makes worlds."""
    url = engine_url if engine_url.startswith("sqlite") else f"{engine_url}&{SEARCH_PATH}"
    config = Config(
        role="worker",
        var_dir=tmp_path,
        database_url=url,
        redis_url="",
        tempo=factories.TEMPO,
    )
    private, public = vault.generate()
    app = create_app(config, role="worker")
    with app.app_context():
        workspace = factories.organisation()
        version = factories.strategy(workspace).latest
        connection = factories.connection(workspace, vault.Sealer(public))
        db.session.commit()
        keys = workspace.id, version.id, connection.id

        def home():
            kinds = (Workspace, StrategyVersion, Connection)
            return [db.session.get_one(*pair) for pair in zip(kinds, keys, strict=True)]

        def world(neighbour=None, make=World, **more):
            made = make(home(), (private,), clock, neighbour, **more)
            if not engine_url.startswith("sqlite"):
                made.skews = {"one": -timedelta(minutes=5), "two": timedelta(minutes=5)}
            return made

        world.home = home
        yield world
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def world(house):
    made = house()
    yield made
    made.close()


@pytest.fixture
def place(house, monkeypatch):
    """What makes installations on Compute Engine."""
    from app.gateways.compute import gce_calls
    from tests.model.place import Place, sleepers

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setitem(gce_calls._ONCE, "timeout", PATIENCE)  # a busy machine is no fault
    first = SimpleNamespace(crc32=lambda _id: 0)  # ids are random, and an example happens again
    monkeypatch.setattr(places, "zlib", first)
    person_id = factories.user("Olga").id
    asleep = sleepers(*house.home())
    return lambda: Place(house, person_id, asleep)
