"""What the platform lists, compared with what the runner can trade and what the documents say."""

import re
from pathlib import Path

import pytest

from app.domain.venues import VENUES, known, listed
from runner.bundle import build
from runner.exchange.quirks import catalog, venue_of
from runner.protocol import PRACTICE_LIVE, Mode

TOLD = " ".join((Path(__file__).parents[2] / "docs" / "venues.md").read_text().split())
EVERY = listed({PRACTICE_LIVE: "http://127.0.0.1:1"})


def test_venues_are_listed_beside_the_practice_market_and_its_twin_is_not():
    assert list(listed({})) == ["practice", "binance", "bybit", "okx", "kucoin"]
    assert list(listed({PRACTICE_LIVE: " "})) == list(listed({})) == list(VENUES)
    assert set(EVERY) == catalog.VENUES.keys() | catalog.UNLISTED.keys()


@pytest.mark.parametrize("venue", EVERY.values(), ids=list(EVERY))
def test_the_runner_has_every_mode_that_is_offered_and_no_other(venue):
    assert set(venue.modes) == set(venue_of(venue.id, Mode.PAPER).facts.modes)


@pytest.mark.parametrize("venue", EVERY.values(), ids=list(EVERY))
def test_the_documents_say_of_a_dead_machine_what_the_pages_say(venue):
    assert f"`{venue.id}`" in TOLD
    assert venue.if_machine_dies in TOLD
    for symbol in venue.symbols:
        assert re.fullmatch(rf"[A-Z]+/{venue.quote}:{venue.quote}", symbol)


@pytest.mark.parametrize("name", ["binance", "bybit", "okx", "kucoin"])
def test_what_a_real_venue_has_not_shown_is_told_with_how_to_see_it(name):
    assert VENUES[name].unproven.startswith("Never proven at the real exchange")
    how = "testnet key" if Mode.TESTNET in VENUES[name].modes else "only real orders can prove it"
    assert how in VENUES[name].unproven
    assert re.search(rf"{VENUES[name].unbound_key_days} days", TOLD)


def test_an_exchange_that_closed_is_known_by_its_title_and_offered_nowhere():
    assert known("bitmex").title == "BitMEX"
    assert known("bitmex").gone
    assert "bitmex" not in EVERY


def test_candles_an_exchange_does_not_have_are_named_with_those_it_has():
    assert VENUES["practice"].frame_fault("1s") is None
    told = VENUES["okx"].frame_fault("1s")
    assert told == "OKX has no 1s candles; choose a strategy on 1m, 5m, 15m, 1h, 4h, 1d."


@pytest.mark.parametrize("name", ["binance", "okx", "kucoin"])
def test_a_bundle_is_built_for_each(name, tmp_path):
    assert build(name, tmp_path)["size"] > 100_000


KEYS = {
    "binance": ({"api_key": "a1" * 32, "secret": "B2" * 32}, {"api_key": "a" * 63}),
    "bybit": ({"api_key": "aB3" * 6, "secret": "aB3" * 12}, {"secret": "short"}),
    "okx": (
        {
            "api_key": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            "secret": "0A1B2C3D" * 4,
            "passphrase": "Open-Sesame-7",
        },
        {"api_key": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
    ),
    "kucoin": (
        {
            "api_key": "6705f5c311545b000157d3eb",
            "secret": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            "passphrase": "Open-Sesame-7",
        },
        {"api_key": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "passphrase": "short"},
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_as_the_exchange_issues_it_is_taken_and_another_is_not(name):
    good, bad = KEYS[name]
    patterns = {field.name: field.pattern for field in VENUES[name].key_fields}
    assert patterns.keys() == good.keys()
    assert all(re.fullmatch(patterns[field], text) for field, text in good.items())
    assert not any(re.fullmatch(patterns[field], text) for field, text in bad.items())
