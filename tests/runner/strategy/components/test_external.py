"""What is said outside: it counts for its time, and as a signal until an entry was made on it."""

from datetime import UTC, datetime, timedelta

import pytest

from runner.strategy.components.external import Heard
from runner.strategy.registry import assemble, listens
from tests.runner.strategy.hand import answers, closes

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
CASES = [("external_signal", {"valid": 60}, closes(1, 2, 3), [0, 0, 0])]


def made(**params):
    entry = {"kind": "external_signal", "params": params}
    return assemble({"timeframe": "1m", "signals": [entry]})[0].component


def heard(direction, *, spent=False):
    return Heard("sig_1", direction, AT, spent)


@pytest.mark.parametrize(("kind", "params", "candles", "expected"), CASES)
def test_candles_alone_say_nothing(kind, params, candles, expected):
    assert answers(kind, params, candles) == expected


@pytest.mark.parametrize("direction", [1, -1, 0])
def test_it_says_what_was_said_until_its_time_is_over(direction):
    component = made(valid=60)
    for seconds, value in ((0, direction), (59.999, direction), (60, 0)):
        told = component.hear(heard(direction), AT + timedelta(seconds=seconds), spendable=True)
        assert told == value
        assert component.update(closes(1)[0]) == value


def test_a_signal_is_spent_by_an_entry_and_a_filter_is_not():
    component = made(valid=60)
    assert component.hear(heard(1, spent=True), AT, spendable=True) == 0
    assert "an entry was made on it" in component.detail()
    assert component.hear(heard(1, spent=True), AT, spendable=False) == 1


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, "no external signal was received yet"),
        (heard(1), "the external signal of 23 Nov 09:00:00 UTC says long"),
        (heard(0), "the newest external signal closed (23 Nov 09:00:00 UTC)"),
    ],
)
def test_its_words(said, words):
    component = made()
    component.hear(said, AT, spendable=True)
    assert component.detail() == words


def test_rules_that_listen():
    own = {"kind": "external_signal"}
    assert listens({"signals": [own]})
    assert listens({"filters": [own]})
    assert not listens({"filters": [own]}, ("signals",))
    assert not listens({"signals": [own | {"enabled": False}]})
    assert not listens({"signals": [{"kind": "ema_cross"}]})
