"""What is refused before any request, and what a report must not hold or lose."""

import io
import json
from dataclasses import replace

import pytest

from runner.capabilities import TABLE
from runner.certify.command import command
from runner.certify.envelope import is_signed, signed
from runner.certify.needs import endpoint_of
from runner.certify.report import redacted
from runner.certify.signing import key_of_tester
from runner.certify.verdict import Cause, Verdict, cause_of
from runner.errors import Operational
from runner.exchange.quirks.binance import Binance
from runner.exchange.quirks.catalog import VENUES
from runner.protocol import Credentials, Mode
from tests.runner.certify.hand import certified, place_at

KEY = Credentials("the-key", "the-secret", "the-phrase")


@pytest.fixture(autouse=True)
def _nobody_at_the_terminal(monkeypatch, tmp_path):
    for name in ("KEY", "SECRET", "PASSPHRASE"):
        monkeypatch.delenv(f"PLUTARC_API_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.StringIO())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--exchange", "practice", "--env", "live"], "never does so with real money"),
        (["--exchange", "okx", "--env", "paper"], "use --env testnet"),
        (["--exchange", "kucoin", "--yes"], "it has no test environment"),
        (["--exchange", "binance", "--endpoint", "https://fapi.binance.com"], "on this machine"),
        (["--exchange", "practice"], "say --yes"),
        (["--exchange", "practice", "--yes"], "set PLUTARC_API_KEY and PLUTARC_API_SECRET"),
        (["--exchange", "okx", "--yes"], "PLUTARC_API_PASSPHRASE"),
        ([], "name an exchange"),
        (["--verify", "nowhere.json"], "the report cannot be read"),
    ],
)
def test_a_refusal_comes_before_any_request(capsys, arguments, sentence):
    assert command(arguments) == 2
    assert sentence in capsys.readouterr().err


def test_no_argument_takes_a_key(capsys):
    for name in ("--api-key", "--secret", "--key"):
        with pytest.raises(SystemExit):
            command(["--exchange", "practice", name, "abc"])


@pytest.mark.parametrize("exchange", [it for it in VENUES if Mode.TESTNET in TABLE[it].modes])
def test_each_exchange_is_led_to_its_test_environment(exchange):
    endpoint = endpoint_of(exchange, "testnet", None)
    assert (endpoint is not None) == (exchange == "practice")


def test_a_test_host_that_is_the_real_one_is_refused(monkeypatch):
    facts = Binance.facts
    hosts = {**facts.hosts, Mode.TESTNET: facts.hosts[Mode.LIVE]}
    monkeypatch.setattr(Binance, "facts", replace(facts, hosts=hosts))
    with pytest.raises(Operational, match=r"fapi\.binance\.com trades real money"):
        endpoint_of("binance", "testnet", None)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("IP 203.0.113.7 is not bound", "IP [address] is not bound"),
        ("from 203.0.113.7:4431, twice", "from [address], twice"),
        ("sees 2001:db8::17.", "sees [address]."),
        ("the-key and the-secret", "[secret] and [secret]"),
        ("BTC/USDT:USDT at 08:51:12 for 58434.45", "BTC/USDT:USDT at 08:51:12 for 58434.45"),
    ],
)
def test_addresses_and_secrets_are_taken_out(text, left):
    assert redacted({"a": [text]}, KEY) == {"a": [left]}


def test_a_signature_is_of_this_report_by_this_key(tmp_path):
    key, other = (key_of_tester(tmp_path / name / "key") for name in ("one", "two"))
    envelope = signed({"passed": True, "left": ["ü"]}, key)
    assert is_signed(json.loads(json.dumps(envelope)))
    assert not is_signed({**envelope, "public_key": signed({}, other)["public_key"]})
    assert not is_signed({**envelope, "signature": "AA"})
    assert not is_signed({"report": {}})
    again = key_of_tester(tmp_path / "one" / "key")
    assert signed({}, again) == signed({}, key)


def test_a_fault_of_the_runner_is_told_and_cleaned_up_after(practice, tmp_path, monkeypatch):
    async def broken(*_):
        raise ZeroDivisionError("nothing to divide by?signature=abc")

    monkeypatch.setattr("runner.certify.resting._one_rests", broken)
    outcome, lines = certified(place_at(practice, tmp_path), "limit", "pace")
    assert lines["limit"].cause is Cause.FAULT
    assert lines["limit"].detail == "the runner failed: ZeroDivisionError: nothing to divide by"
    assert lines["pace"].verdict is Verdict.PASSED
    assert not outcome.left
    assert cause_of(ValueError()) is Cause.FAULT
