"""Which driver the settings mean, and that the cloud's library is loaded for the cloud alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from app.config import Config
from app.extensions import db
from app.gateways.compute import bundles
from app.gateways.compute.gce import GceDriver
from app.gateways.compute.local import LocalDriver
from app.jobs import effect
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
GCE = {
    "COMPUTE_DRIVER": "gce",
    "GCE_PROJECT": "demo-project",
    "GCE_REGIONS": "europe-west1",
    "RUNNER_BASE_URL": "https://gate.example.org",
}
PROBE = """
import json, sys
from app.config import Config
from app.jobs import effect, worker
from app.models import Bot

def loaded():
    return "google.cloud.compute_v1" in sys.modules

local, gce = Config.from_environment({}, "worker"), json.loads(sys.argv[1])
effect.compute_driver(local)
assert not Bot.__mapper__.configured
effect.preload(local)
assert Bot.__mapper__.configured
without = loaded()
effect.preload(Config.from_environment(gce, "cli"))
print(json.dumps([without, loaded()]))
"""


@pytest.mark.parametrize(
    ("environ", "role", "kind"), [({}, "worker", LocalDriver), (GCE, "cli", GceDriver)]
)
def test_the_driver_of_the_settings(tmp_path, environ, role, kind):
    config = Config.from_environment(environ | {"VAR_DIR": str(tmp_path)}, role)
    assert isinstance(effect.compute_driver(config), kind)


def test_before_the_fork_mappers_are_made_and_the_library_is_loaded_for_the_cloud_alone():
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROBE, json.dumps(GCE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == [False, True]


def test_while_programs_are_built_others_may_write(app, tmp_path, monkeypatch):
    bot = factories.bot(factories.organisation())
    exchange, built = bot.exchange, []
    db.session.commit()

    def build(wanted, out, _root):
        with db.engine.begin() as other:  # SQLite: as a writer, whatever is said
            other.execute(text("SELECT 1"))
        built.append(wanted)
        return out

    monkeypatch.setattr(bundles, "build", build)
    effect.prepare(Config.from_environment(GCE | {"VAR_DIR": str(tmp_path)}, "cli"))
    assert built == [exchange]
