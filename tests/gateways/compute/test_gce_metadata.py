"""What a machine of the cloud is given: its program by digest, the claim's token, nothing more."""

import hashlib

import pytest

from app.gateways.compute import boot
from app.gateways.compute.driver import Outcome, Result
from app.gateways.compute.gce_metadata import Preparation

TOKEN = "t0ken-Zx98q"
ENVIRONMENT = {
    "PLUTARC_GATE": "https://gate.example.org/",
    "PLUTARC_BOT": "bot_one",
    "PLUTARC_GENERATION": "1",
    "PLUTARC_TOKEN": TOKEN,
    "HOME": "/home/somebody",
}


@pytest.fixture
def prepare(world, tmp_path):
    return Preparation(tmp_path / "bundles", world.root)


def test_the_program_is_named_by_its_digest(gce, prepare, tmp_path):
    items = prepare(gce.step("insert_machine", exchange="practice", environment=ENVIRONMENT))
    (bundle,) = (tmp_path / "bundles").iterdir()
    assert items["plutarc-bundle"] == hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert items["plutarc-bundle-url"] == (
        f"https://gate.example.org/runner/v1/bundle/{items['plutarc-bundle']}.pyz"
    )
    assert items["plutarc-token"] == TOKEN
    assert not any("/home/somebody" in text for text in items.values())


def test_a_program_that_cannot_be_built_is_a_refusal(gce, prepare):
    result = prepare(gce.step("insert_machine", exchange="nowhere", environment=ENVIRONMENT))
    assert isinstance(result, Result)
    assert result.outcome is Outcome.FAILED
    assert "no exchange nowhere" in result.detail


def test_the_script_holds_no_secret():
    assert TOKEN not in boot.startup_script()
