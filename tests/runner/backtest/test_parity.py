"""What a runner decided on the practice market, a backtest of its recording decides as well."""

import asyncio

import pytest

from runner.protocol import Mode
from tests.runner.backtest.alike import again, agrees, live, logged
from tests.runner.backtest.hand_history import rules

WHOLE = {
    **rules(
        [{"kind": "ema_cross", "params": {"fast": 2, "slow": 3}}],
        [
            {"kind": "stop_loss", "params": {"percent": 0.05}},
            {"kind": "take_profit", "params": {"percent": 0.05}},
            {"kind": "time_stop", "params": {"candles": 4}},
        ],
        "both",
    ),
    "timeframe": "1s",
    "filters": [{"kind": "min_volatility", "params": {"period": 2, "percent": 0.002}}],
}
# Where the venue fills by itself, no text may depend on the price of its fills.
BY_TIME = {**WHOLE, "exits": [{"kind": "time_stop", "params": {"candles": 3}}]}
# As both rates are read from the venue, an entry proves that the recording had them as well.
BY_RATES = {
    **WHOLE,
    "filters": [{"kind": "open_interest_change", "params": {"period": 1, "percent": -50}}],
    "gates": [{"kind": "funding_gate", "params": {"percent": 1}}],
}


@pytest.fixture(scope="module")
def paper(practice, tmp_path_factory):
    """A recording of a paper runner, and what it decided."""
    directory = tmp_path_factory.mktemp("paper")
    told = asyncio.run(live(directory, practice.url, Mode.PAPER, WHOLE, trades=3))
    return directory, told


def test_paper_and_its_recording_decide_alike(paper):
    directory, told = paper
    rows = logged(again(directory, WHOLE))
    assert len(told) == len(rows)
    assert sum(decision.action.startswith("enter") for decision in told) > 3
    for decision, row in zip(told, rows, strict=True):
        agrees(decision, row)


def test_rates_that_were_read_decide_alike(practice, tmp_path):
    told = asyncio.run(live(tmp_path, practice.url, Mode.PAPER, BY_RATES, trades=1))
    rows = logged(again(tmp_path, BY_RATES))
    assert len(told) == len(rows)
    for decision, row in zip(told, rows, strict=True):
        agrees(decision, row)


def test_the_practice_market_and_its_recording_decide_alike(practice, tmp_path):
    told = asyncio.run(live(tmp_path, practice.url, Mode.TESTNET, BY_TIME, trades=3))
    rows = logged(again(tmp_path, BY_TIME))
    assert len(told) == len(rows)
    for decision, row in zip(told, rows, strict=True):
        agrees(decision, row)


def test_a_recording_gives_the_same_result_each_time(paper):
    first, second = again(paper[0], WHOLE).plain(), again(paper[0], WHOLE).plain()
    assert first == second
    assert first["pinned"]["model"] == {"name": "recording"}
    assert first["trades_total"] > 2


def test_other_rules_decide_otherwise_on_the_same_recording(paper):
    other = {**WHOLE, "direction": "long"}
    assert again(paper[0], other).plain()["digest"] != again(paper[0], WHOLE).plain()["digest"]


@pytest.mark.parametrize("cut", [1, 7, 100])
def test_a_recording_that_was_cut_off_is_read_to_its_end(paper, tmp_path, cut):
    whole = (paper[0] / "seen.jsonl.gz").read_bytes()
    (tmp_path / "seen.jsonl.gz").write_bytes(whole[:-cut])
    assert 0 < len(logged(again(tmp_path, WHOLE))) <= len(paper[1])
