"""What is recorded of the practice market is read back, and a backtest runs on it."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from runner.exchange.base import Book, Funding
from runner.history.record import command
from runner.history.recording import BOTH, head_of, seen
from runner.protocol import Candle
from tests.runner.backtest.hand_history import asked, rules
from tests.runner.machine import SYMBOL


def told(wanted):
    out = io.StringIO()
    status = command(io.StringIO(json.dumps(wanted)), out, io.StringIO())
    return json.loads(out.getvalue()), status


def wanted(practice, tmp_path, **more):
    return {
        "exchange": "practice",
        "endpoint": practice.url,
        "symbols": [SYMBOL],
        "timeframe": "1s",
        "seconds": 8,
        "file": str(tmp_path / "seen.jsonl.gz"),
        **more,
    }


def test_a_backtest_runs_on_what_was_recorded(practice, tmp_path):
    answer, status = told(wanted(practice, tmp_path))
    assert (status, answer["ok"]) == (0, True)
    path = tmp_path / "seen.jsonl.gz"
    assert head_of(path).rules()[SYMBOL].quote == "USDT"
    kinds = {type(one.what) for one in seen(path)}
    assert {Book, Funding, list} <= kinds
    assert {one.who for one in seen(path)} == {BOTH}
    rows = [one.what for one in seen(path) if isinstance(one.what, list)]
    assert any(isinstance(row, Candle) for answered in rows for row in answered)
    now = datetime.now(UTC)
    result = asked(
        {
            "rules": {**rules(), "timeframe": "1s"},
            "exchange": "practice",
            "symbols": [SYMBOL],
            "since": (now - timedelta(hours=1)).isoformat(),
            "until": (now + timedelta(hours=1)).isoformat(),
            "folder": str(tmp_path),
            "recording": str(path),
        }
    )[0]["result"]
    assert result["pinned"]["model"] == {"name": "recording"}
    assert result["funnel"][SYMBOL]["candles"] > 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"timeframe": "3m"}, "choose one of"),
        ({"symbols": []}, "at least one symbol"),
        ({"symbols": ["GONE/USDT:USDT"]}, "does not list"),
        ({"seconds": "soon"}, "cannot be read"),
    ],
)
def test_what_cannot_be_recorded_is_said(practice, tmp_path, more, words):
    answer, status = told(wanted(practice, tmp_path, **more))
    assert (status, answer["ok"]) == (2, False)
    assert words in answer["error"]
