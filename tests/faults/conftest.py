"""A stage on each database, made once per test process, and a bot of its own for each test."""

import pytest

from app.extensions import db
from tests.faults.databases import Postgres, Sqlite
from tests.faults.life import Life
from tests.faults.stage import Stage


@pytest.fixture(scope="session")
def stages(request, tmp_path_factory):
    """Made when first asked for. No parameters here: tests come in any order."""
    place = tmp_path_factory.mktemp("faults")
    made = {}

    def find(kind):
        if kind not in made:
            made[kind] = Stage(_DATABASES[kind](request.getfixturevalue, place), place / "bundles")
        return made[kind]

    (place / "bundles").mkdir()
    yield find
    for stage in made.values():
        stage.close()


_DATABASES = {
    "sqlite": lambda fixture, place: Sqlite(fixture("sqlite_template"), place),
    "postgresql": lambda fixture, _: Postgres(fixture("postgres"), fixture("fenced_template")),
}


@pytest.fixture(params=list(_DATABASES))
def stage(request, stages):
    found = stages(request.param)
    with found.app.app_context():
        found.reset()
        yield found
        db.session.rollback()
        assert found.cloud.violations() == []
        assert found.cloud.problems() == []
        assert found.failed() == []
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def life(stage, keys):
    """One bot, stopped, of which nothing is in the cloud yet."""
    return Life(stage, keys)
