"""The bundle as a process: it certifies the practice market, signs, verifies, and cleans up."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys

import pytest

from runner.certify.plan import STEPS
from tests.runner.certify.hand import asked, held, place_at
from tests.waiting import PATIENCE


class Person:
    """A person with a bundle, a key of the practice market and nothing else."""

    def __init__(self, pyz, practice, directory):
        self.pyz, self.directory = pyz, directory
        self.place = place_at(practice, directory / "look")
        keys = self.place.credentials
        self.secrets = (keys.api_key, keys.secret)
        self.environment = {
            "PATH": os.environ["PATH"],
            "PLUTARC_API_KEY": keys.api_key,
            "PLUTARC_API_SECRET": keys.secret,
        }
        self.key_file = directory / "keys" / "tester.key"

    def arguments(self, *more):
        command = [sys.executable, "-I", str(self.pyz), "certify", *more]
        return [*command, "--key-file", str(self.key_file)]

    def certify(self):
        return self.arguments(
            *("--exchange", "practice", "--env", "testnet", "--yes"),
            *("--endpoint", self.place.endpoint, "--source-address", self.place.source_address),
            *("--out", str(self.directory / "out")),
        )

    def run(self, *more):
        return subprocess.run(
            self.arguments(*more), capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env=self.environment, cwd=self.directory, check=False,
        )  # fmt: skip

    def reports(self):
        found = {path.suffix: path for path in (self.directory / "out").iterdir()}
        return found[".json"], found[".html"]


@pytest.fixture(scope="module")
def certified(pyz, practice, tmp_path_factory):
    """One whole run, looked at from several sides."""
    tester = Person(pyz, practice, tmp_path_factory.mktemp("tester"))
    done = subprocess.run(
        tester.certify(), capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env=tester.environment, cwd=tester.directory, check=False,
    )  # fmt: skip
    return tester, done


def test_the_practice_market_is_certified_by_each_step(certified):
    tester, done = certified
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(tester.reports()[0].read_text())["report"]
    assert report["passed"]
    assert not report["left"]
    assert [step["step"] for step in report["steps"]] == [step.id for step in STEPS]
    assert {step["verdict"] for step in report["steps"]} == {"passed"}
    assert f"{report['bundle']}.pyz" == tester.pyz.rpartition("/")[2]
    assert done.stdout.startswith("This certifies practice (testnet)")
    assert asyncio.run(held(tester.place)) == ([], [])


def test_the_report_keeps_secrets_and_addresses_to_itself(certified):
    tester, _done = certified
    for path in tester.reports():
        text = path.read_text()
        assert not [s for s in (*tester.secrets, tester.place.source_address) if s in text]
    step = next(
        s
        for s in json.loads(tester.reports()[0].read_text())["report"]["steps"]
        if s["step"] == "address"
    )
    assert step["detail"] == "the venue sees [address], twice the same"


def test_the_page_says_what_the_report_says(certified):
    tester, _done = certified
    report, page = tester.reports()
    text = page.read_text()
    assert "practice, testnet: certified" in text
    for step in json.loads(report.read_text())["report"]["steps"]:
        assert step["title"] in text
    assert "<script" not in text


def test_the_key_of_the_tester_is_for_its_owner_alone(certified):
    tester, _done = certified
    assert stat.S_IMODE(tester.key_file.stat().st_mode) == 0o600
    before = tester.key_file.read_bytes()
    tester.key_file.chmod(0o640)
    try:
        refused = tester.run("--exchange", "practice", "--yes")
    finally:
        tester.key_file.chmod(0o600)
    assert refused.returncode == 2
    assert "chmod 600" in refused.stderr
    assert tester.key_file.read_bytes() == before


def test_a_report_is_verified_by_the_bundle_that_made_it(certified):
    tester, _done = certified
    path, _page = tester.reports()
    sound = tester.run("--verify", str(path))
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert "not changed since" in sound.stdout
    key = json.loads(path.read_text())["public_key"]
    assert tester.run("--verify", str(path), "--public-key", key).returncode == 0
    other = tester.run("--verify", str(path), "--public-key", "A" * 43 + "=")
    assert other.returncode == 1
    assert "not the key it should be signed with" in other.stdout
    bundle = tester.run("--verify", str(path), "--bundle", str(path))
    assert bundle.returncode == 1
    assert "here it is" in bundle.stdout


@pytest.mark.parametrize(
    "change",
    [
        {"passed": False},
        {"bundle": "0" * 64},
        {"runner_version": "9.9.9"},
        {"steps": []},
    ],
)
def test_a_report_that_was_changed_is_told(certified, tmp_path, change):
    tester, _done = certified
    envelope = json.loads(tester.reports()[0].read_text())
    envelope["report"] |= change
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(envelope))
    found = tester.run("--verify", str(path))
    assert found.returncode == 1
    assert "the signature does not belong to this report" in found.stdout


def test_a_signal_ends_it_and_leaves_nothing(pyz, practice, tmp_path):
    tester = Person(pyz, practice, tmp_path)
    child = subprocess.Popen(
        tester.certify(), stdout=subprocess.PIPE, text=True, env=tester.environment, cwd=tmp_path
    )
    seen = []
    for line in child.stdout:
        seen.append(line)
        if "the stop rests" in line:
            child.send_signal(signal.SIGINT)
    assert child.wait(PATIENCE) == 3, seen
    child.stdout.close()
    report = json.loads(tester.reports()[0].read_text())["report"]
    assert report["stopped"]
    assert not report["passed"]
    assert not report["left"]
    verdicts = {step["step"]: step["verdict"] for step in report["steps"]}
    assert verdicts["market"] == "passed"
    assert verdicts["stop"] == verdicts["restart"] == "skipped"
    assert asyncio.run(held(tester.place)) == ([], [])


def test_nothing_of_it_is_a_violation(practice, certified):
    """Of its own account: others at the same market may be made to break a rule."""
    key, _secret = certified[0].secrets
    found = asked(practice, "GET", "/practice/v1/violations")
    assert [it for it in found if it["account"] == f"{key[:13]}…{key[-4:]}"] == []
