"""Certifying the practice market from a connection's page: passed, failed by a fault, ended."""

import json
import re
import subprocess
import sys

import pytest
import requests

from runner.certify import envelope, outline
from tests.e2e.conftest import ROOT, Installation
from tests.e2e.visitor import Visitor
from tests.waiting import PATIENCE, until

ALL = len(outline.STEPS)


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    made = Installation(tmp_path_factory.mktemp("here"), DEMO="0").start()
    yield made
    if made.process.poll() is None:
        made.stop()


@pytest.fixture
def key(installation, request):
    """Somebody with a practice account; ``certify`` starts one and answers its address."""
    visitor = Visitor(installation.base)
    email = f"{request.node.name.replace('_', '.')}@example.com"
    visitor.open("/signup").submit(
        "/signup", name="Ada", email=email, password="seven quiet harbours"
    )
    visitor.home = visitor.url
    visitor.open(f"{visitor.home}connections").submit("/practice")
    (found,) = set(re.findall(r"/connections/con_\w+", str(links(visitor))))
    visitor.key = f"{visitor.home}{found.removeprefix('/')}"
    return visitor


def links(visitor):
    return [a.get("href") for a in visitor.page.all("a")]


def certify(visitor):
    visitor.open(f"{visitor.key}/certify").submit("/certify")
    return visitor.url


def over(visitor, run):
    """The text of its page once it is over."""
    until("it is over", lambda: f"of {ALL} steps" not in visitor.open(run).text, 0.5)
    return visitor.text


def report(visitor, run):
    answer = visitor.session.get(f"{run}/report.json", timeout=PATIENCE)
    return answer.content, json.loads(answer.content)


def test_the_practice_market_passes_and_everybody_sees_it(key, installation, tmp_path):
    run = certify(key)
    text = over(key, run)
    content, plain = report(key, run)
    assert envelope.is_signed(plain)
    told = plain["report"]
    assert told["passed"], [it for it in told["steps"] if it["verdict"] != "passed"]
    assert [line["step"] for line in told["steps"]] == list(outline.STEPS)
    assert {line["verdict"] for line in told["steps"]} == {"passed"}
    assert "Every step passed or is not offered there, and nothing is left." in text
    assert b"practice-" not in content
    assert b"127.0.0.1" not in content
    path = tmp_path / "report.json"
    path.write_bytes(content)
    verified = subprocess.run(
        [
            *(sys.executable, "-m", "runner", "certify", "--verify", str(path)),
            *("--public-key", plain["public_key"]),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr

    everybody = Visitor(installation.base)
    until("it is public", lambda: f"{ALL} of {ALL}" in everybody.open("/exchanges").text)
    everybody.open("/exchanges/practice")
    public = next(it for it in links(everybody) if it and "/exchanges/reports/" in it)
    everybody.open(public)
    assert "this installation" in everybody.text
    assert "Market in and out" in everybody.text


def test_a_fault_of_the_market_shows_on_its_line(key, installation):
    fault = {"kind": "withdrawal_right"}
    faults = f"{installation.market}/practice/v1/faults"
    requests.post(faults, json=[fault], timeout=PATIENCE).raise_for_status()
    try:
        run = certify(key)
        text = over(key, run)
    finally:
        requests.delete(faults, timeout=PATIENCE)
    assert "Not certified" in text
    assert "the key may withdraw; make one that may not" in text
    assert "It says too little of the exchange to stand on the public page" in text
    _content, plain = report(key, run)
    failed = [it["step"] for it in plain["report"]["steps"] if it["verdict"] == "failed"]
    assert failed == ["key"]
    assert envelope.is_signed(plain)


def test_one_that_is_ended_takes_back_its_orders(key):
    run = certify(key)
    until("it trades", lambda: "Market in and out" in key.open(run).text, 0.5)
    key.submit("/cancel")
    text = over(key, run)
    assert "Something is left at the exchange" not in text
    _content, plain = report(key, run)
    assert plain["report"]["stopped"]
    assert plain["report"]["left"] == []
    again = certify(key)
    over(key, again)
    _content, plain = report(key, again)
    (balance,) = [it for it in plain["report"]["steps"] if it["step"] == "balance"]
    assert balance["verdict"] == "passed", balance
