"""Each fault switch of the practice market: which step fails, as what, and with which sentence."""

import asyncio

import pytest

from app.practice.kinds import KINDS
from runner.certify import cleaning
from runner.certify.verdict import Cause, Verdict
from tests.runner.certify.hand import certified, held, place_at, switch_off, switch_on

ORDER = {"method": "POST", "path": "/fapi/v1/order"}
SOL = "SOL/USDT:USDT"
RESTS = "the stop rests"

# kind: the rest of the fault, the step it fails, the cause, what the line says
CASES = {
    "delay": (
        {"seconds": 4, "match": {"path": "/fapi/v1/time"}},
        ("connect", Cause.UNEXPECTED, "to answer; an exit would be as late"),
    ),
    "error_5xx": (
        {"count": 1, "match": ORDER},
        ("limit", Cause.UNKNOWN_OUTCOME, "asked for by its id: the venue never received it"),
    ),
    "error_after": (
        {"count": 1, "match": ORDER},
        ("limit", Cause.UNKNOWN_OUTCOME, "asked for by its id: it is open, 0.000 of"),
    ),
    "timeout_before_accept": (
        {"count": 1, "seconds": 1, "match": ORDER},
        ("limit", Cause.UNKNOWN_OUTCOME, "asked for by its id: the venue never received it"),
    ),
    "timeout_after_accept": (
        {"count": 1, "seconds": 1, "match": ORDER},
        ("limit", Cause.UNKNOWN_OUTCOME, "asked for by its id: it is open, 0.000 of"),
    ),
    "disconnect": (
        {"count": 1, "match": ORDER},
        ("limit", Cause.UNKNOWN_OUTCOME, "asked for by its id: it is open, 0.000 of"),
    ),
    "duplicate_answer": (
        {"count": 1, "match": ORDER},
        ("limit", Cause.UNKNOWN_OUTCOME, "the venue has an order with this id already"),
    ),
    "rate_ban": (
        {"count": 1, "seconds": 5, "match": {"path": "/fapi/v1/depth"}},
        ("prices", Cause.TEMPORARY, "the venue asks for fewer requests; the bot waits"),
    ),
    "maintenance": (
        {},
        ("connect", Cause.TEMPORARY, "the venue is closed for maintenance"),
    ),
    "clock_skew": (
        {"amount": 5000},
        ("clock", Cause.UNEXPECTED, "ms against the venue; set this machine's clock by NTP"),
    ),
    "key_refused": (
        {},
        ("key", Cause.UNEXPECTED, "the venue refuses the key: it is wrong or deleted"),
    ),
    "withdrawal_right": (
        {},
        ("key", Cause.UNEXPECTED, "the key may withdraw; make one that may not"),
    ),
    "stale_data": (
        {},
        ("prices", Cause.UNEXPECTED, "book and tape stood still for 20 s; nobody trades here"),
    ),
    "stream_drop": (
        {},
        ("streams", Cause.UNEXPECTED, "the streams ended: listen to the venue"),
    ),
    "stream_stall": (
        {},
        ("streams", Cause.UNEXPECTED, "the streams did not tell of a candle within"),
    ),
    "stream_gap": (
        {"match": {"path": "/private/*"}},
        ("streams", Cause.UNEXPECTED, "the streams did not tell of an order that was placed"),
    ),
    "stream_twice": (
        {},
        ("streams", Cause.UNEXPECTED, "the streams sent the same event twice"),
    ),
    "stream_swap": (
        {},
        ("streams", Cause.UNEXPECTED, "the streams sent events in the wrong order"),
    ),
    "listen_key_expiry": (
        {},
        ("streams", Cause.UNEXPECTED, "the streams ended: the venue ended the listen key"),
    ),
    "price_gap": (
        {"amount": -6, "match": {"symbol": SOL}},
        ("stop", Cause.UNEXPECTED, "should rest and has fired: the price went from"),
    ),
}


def test_every_switch_of_the_market_has_a_line():
    assert CASES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", CASES)
def test_a_switch_fails_its_step_with_its_sentence(practice, tmp_path, kind):
    fault, (failing, cause, sentence) = CASES[kind]
    gap = kind == "price_gap"
    place = place_at(practice, tmp_path, **({"symbol": SOL} if gap else {}))
    match = fault.get("match", {}) if gap else {"address": place.source_address}
    fault = {**fault, "kind": kind, "match": {**fault.get("match", {}), **match}}

    def tell(line):
        if gap and line.startswith(RESTS):  # a gap is a moment: it has to meet the resting stop
            switch_on(practice, fault)

    try:
        if not gap:
            switch_on(practice, fault)
        # One step more than the one that fails, where something stands on it.
        after = {"connect": "clock", "clock": "key", "key": "balance", "limit": "duplicate"}
        wanted = after.get(failing, failing)
        outcome, lines = certified(place, wanted, tell=tell)
    finally:
        switch_off(practice)
    assert not outcome.passed
    assert not outcome.left
    assert [n for n, line in lines.items() if line.verdict is Verdict.FAILED] == [failing]
    assert lines[failing].cause is cause
    assert sentence in lines[failing].detail
    if wanted != failing:
        assert lines[wanted].verdict is Verdict.SKIPPED
        assert f"“{lines[failing].title}”" in lines[wanted].detail
    assert asyncio.run(
        held(place_at(practice, tmp_path / "look", place.symbol, place.credentials))
    ) == ([], [])


def test_a_ban_is_waited_out_and_nothing_is_sent_before(practice, tmp_path):
    place = place_at(practice, tmp_path)

    def tell(line):
        if line.startswith("Rate limits …"):
            match = {"path": "/fapi/v1/depth", "address": place.source_address}
            switch_on(practice, {"kind": "rate_ban", "count": 1, "seconds": 5, "match": match})

    try:
        outcome, lines = certified(place, "pace", tell=tell)
    finally:
        switch_off(practice)
    assert not outcome.passed
    assert "the venue asks for fewer requests; the bot waits" in lines["pace"].detail
    assert "nothing is sent for" in lines["pace"].detail


def test_what_cannot_be_cleaned_up_is_named_and_found_by_the_next_run(
    practice, tmp_path, monkeypatch
):
    monkeypatch.setattr(cleaning, "MOST_SECONDS", 3)
    place = place_at(practice, tmp_path / "one")

    def tell(line):
        if line.startswith(RESTS):
            switch_on(practice, {"kind": "key_refused", "match": {"address": place.source_address}})

    try:
        outcome, lines = certified(place, "stop_trigger", tell=tell)
    finally:
        switch_off(practice)
    assert not outcome.passed
    assert lines["stop"].cause is Cause.REFUSED
    assert lines["stop_trigger"].verdict is Verdict.SKIPPED
    order, position, why = outcome.left
    assert "stop_market) may still rest; take it back at the venue" in order
    assert "is left; close it at the venue" in position
    assert "the venue refuses the key" in why
    again = place_at(practice, tmp_path / "two", credentials=place.credentials)
    outcome, lines = certified(again, "limit")
    assert "a position stands on BTC/USDT:USDT already; close it" in lines["balance"].detail
    assert lines["limit"].verdict is Verdict.SKIPPED
    orders, positions = asyncio.run(held(again))
    assert not orders
    assert len(positions) == 1
