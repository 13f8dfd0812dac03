"""The gate is killed at lines around what it keeps; the runner, unanswered, says it again."""

import json

import pytest
from sqlalchemy import func, select

from app import create_app
from app.config import Config
from app.domain import bots
from app.extensions import db
from app.gateways import vault
from app.models import RunnerNotice
from runner.protocol import Claim, dumps
from tests.factories import TEMPO
from tests.kill.cutting import killed_at
from tests.model import checks
from tests.model.conftest import clock, house, world  # noqa: F401 -- fixtures

COMMIT, DOMAIN = "app/web/transactions.py", "app/domain/"
CUTS = [*((COMMIT, n) for n in range(1, 8)), *((DOMAIN, n) for n in range(5, 130, 60))]


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def engine_url(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def gate(engine_url, tmp_path):
    """A real gate on the same database; each call is one request."""
    private, _public = vault.generate()
    config = Config(
        role="gate",
        var_dir=tmp_path,
        database_url=engine_url,
        redis_url="",
        tempo=TEMPO,
        master_keys=(private,),
    )
    client = create_app(config, role="gate").test_client()

    def call(path, message, address="127.0.0.1"):
        base = {"REMOTE_ADDR": address}
        return client.post(f"/runner/v1/{path}", data=dumps(message), environ_base=base)

    return call


@pytest.fixture
def awake(world):  # noqa: F811 -- the fixture
    world.steps(2)
    world.wish(bots.start)
    world.wake()
    return world


def told():
    found = db.session.scalar(select(func.count()).select_from(RunnerNotice))
    db.session.rollback()
    return found


@pytest.mark.parametrize(("place", "line"), CUTS)
def test_a_report_cut_short_is_taken_in_once(awake, gate, place, line):
    runner = awake.runner
    for _ in range(3):
        runner.tell()
    report = runner.report()
    assert killed_at(line, place, lambda: gate("sync", report))
    assert told() in (0, 3), "half of a report was kept"
    for _ in range(2):
        answer = gate("sync", report)
        assert json.loads(answer.data)["ack_seq"] == len(runner.vm.disk["told"])
    assert told() == 3
    checks.everything(awake)


@pytest.mark.parametrize(("place", "line"), CUTS)
def test_a_claim_cut_short_leaves_one_runner(awake, gate, place, line):
    vm, before = awake.vm, awake.runner
    claim = Claim(vm.bot, vm.generation, vm.token, "another-boot", "0")
    assert killed_at(line, place, lambda: gate("claim", claim, vm.ip))
    assert gate("claim", claim, vm.ip).status_code == 200
    assert gate("sync", before.report()).status_code == 410
    before.stop()
    checks.everything(awake)
