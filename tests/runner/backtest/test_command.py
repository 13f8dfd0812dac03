"""The command: the same request gives the same bytes, a wrong one names what to change."""

import json
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from runner.backtest import command
from runner.backtest.result import engine_files
from runner.history.files import Files, Series
from tests.runner.backtest.hand_history import EXCHANGE, asked, keep, plain, rules, steps, walk
from tests.runner.hand_market import SYMBOL
from tests.runner.machine import ROOT

CANDLES = walk(2000)
WARM = 60


@pytest.fixture
def wanted(tmp_path):
    keep(tmp_path, CANDLES)
    return plain(tmp_path, CANDLES, WARM)


def test_two_runs_give_the_same_answer(wanted):
    first, second = asked(wanted), asked(wanted)
    assert first[1] == 0
    assert first[0]["result"]["trades_total"] > 10
    assert first[0] == second[0]


def test_two_processes_give_the_same_bytes(wanted):
    told = {
        subprocess.run(
            [sys.executable, "-m", "runner", "backtest"],
            cwd=ROOT,
            input=json.dumps(wanted).encode(),
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


def test_what_pins_a_result_changes_with_what_it_depends_on(tmp_path, wanted):
    pinned = asked(wanted)[0]["result"]["pinned"]
    other = asked({**wanted, "rules": rules(direction="both")})[0]["result"]["pinned"]
    assert other["strategy"] != pinned["strategy"]
    assert other["data"] == pinned["data"]
    changed = [*CANDLES[:-1], walk(2000, seed=2)[-1]]
    folder = tmp_path / "other"
    keep(folder, changed)
    third = asked({**wanted, "folder": str(folder)})[0]["result"]["pinned"]
    assert third["data"] != pinned["data"]
    assert third["engine"] == pinned["engine"]


def test_all_that_decides_is_pinned(wanted):
    """Every file of the runner that works on a run is part of what its result calls engine."""
    called = set()
    before = sys.getprofile()
    sys.setprofile(lambda frame, *_: called.add(frame.f_code.co_filename))
    try:
        asked({**wanted, "mode": "monte_carlo"})
    finally:
        sys.setprofile(before)
    worked = {it for it in called if it.startswith(str(ROOT / "runner"))}
    assert str(ROOT / "runner" / "sizing.py") in worked
    assert worked <= {str(it) for it in engine_files()}


def test_a_candle_after_the_period_changes_nothing(tmp_path, wanted):
    shorter = {**wanted, "until": CANDLES[1500].opened_at.isoformat()}
    before = asked(shorter)[0]["result"]
    folder = tmp_path / "cut"
    keep(folder, CANDLES[:1500])
    after = asked({**shorter, "folder": str(folder)})[0]["result"]
    assert before == after


def test_no_decision_knows_a_later_candle(tmp_path, wanted):
    """The log up to a candle is the same whatever comes after it."""
    log = asked(wanted)[0]["result"]["trades"]
    folder = tmp_path / "turned"
    turned = [*CANDLES[:1000], *steps(*[(5, 6, 4, 5)] * 1000)]
    turned = [
        candle if n < 1000 else candle.__class__(CANDLES[n].opened_at, *_numbers(candle))
        for n, candle in enumerate(turned)
    ]
    keep(folder, turned)
    other = asked({**wanted, "folder": str(folder)})[0]["result"]["trades"]
    edge = CANDLES[1000].opened_at.isoformat().replace("+00:00", "Z")
    assert [t for t in log if t["closed_at"] < edge] == [t for t in other if t["closed_at"] < edge]


def _numbers(candle):
    return candle.open, candle.high, candle.low, candle.close, candle.volume


def test_progress_is_told_line_by_line(wanted):
    said = [json.loads(line) for line in asked(wanted)[2].splitlines()]
    assert said[-1]["done"] == said[-1]["of"]
    assert all(one["step"] == "simulation" for one in said)


@pytest.mark.parametrize(
    ("change", "component", "field", "words"),
    [
        (
            {"rules": rules([{"kind": "ema_cross", "params": {"fast": 900}}])},
            "ema_cross",
            "params.fast",
            "from 2 to",
        ),
        ({"rules": rules([{"kind": "crystal_ball"}])}, "crystal_ball", "kind", "no signal"),
        ({"since": "2026-07-10"}, "request", "since", "needs its zone"),
        ({"until": "2026-07-01T00:00:00Z"}, "request", "until", "holds no candle"),
        ({"since": "1990-01-01T00:00:00Z"}, "request", "since", "too many"),
        ({"balance": "-1"}, "request", "balance", "above zero"),
        ({"balance": "nan"}, "request", "balance", "no number"),
        ({"symbols": []}, "request", "symbols", "missing"),
        ({"colour": "red"}, "request", "colour", "unknown setting"),
        ({"mode": "guess"}, "request", "mode", "choose one of"),
        ({"limits": {"max_daily_loss": "much"}}, "request", "limits", "cannot be read"),
        ({"model": {"spread_percent": "80"}}, "model", "spread_percent", "0 to 50"),
    ],
)
def test_a_wrong_request_names_component_and_field(wanted, change, component, field, words):
    told, status, _ = asked({**wanted, **change})
    assert (status, told["ok"]) == (2, False)
    error = told["error"]
    assert (error["component"], error["field"]) == (component, field)
    assert words in error["message"]


def test_nonsense_is_answered(wanted):
    told, status, _ = asked("{")
    assert (status, told["error"]["component"]) == (2, "request")


def test_a_gap_is_named_and_the_strategy_warms_up_anew(tmp_path):
    candles = [*CANDLES[:900], *CANDLES[940:]]
    first = int(CANDLES[900].opened_at.timestamp())
    keep(tmp_path, candles, gaps=[(first, first + 2400)])
    told = asked(plain(tmp_path, candles, WARM))[0]["result"]
    assert told["pinned"]["data"][0]["missing"] == 40
    assert any(w["code"] == "gaps" for w in told["warnings"])
    funnel = told["funnel"][SYMBOL]
    assert funnel["unfit"] == 1
    assert funnel["warming_up"] > 0


def test_missing_files_are_fetched_from_the_practice_market(tmp_path, practice):
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC).replace(second=0, microsecond=0)
    wanted = {
        "rules": rules(),
        "exchange": EXCHANGE,
        "endpoint": practice.url,
        "symbols": [SYMBOL],
        "since": (now - timedelta(hours=10)).isoformat(),
        "until": (now - timedelta(hours=4)).isoformat(),
        "folder": str(tmp_path),
    }
    told, status, said = asked(wanted)
    assert status == 0
    assert "candles of" in said
    assert told["result"]["funnel"][SYMBOL]["candles"] == 360
    again, _, said = asked({**wanted, "endpoint": "http://127.0.0.1:1"})
    assert "candles of" not in said
    assert again["result"] == told["result"]


def test_a_venue_out_of_reach_is_said(tmp_path):
    told, status, _ = asked({**plain(tmp_path, CANDLES, WARM), "endpoint": "http://127.0.0.1:1"})
    assert status == 2
    assert told["error"]["kind"] == "unreachable"
    assert "try again later" in told["error"]["message"]


def test_a_signal_cancels(tmp_path):
    keep(tmp_path, CANDLES)
    wanted = plain(tmp_path, CANDLES, WARM, mode="monte_carlo", options={"runs": 10_000})
    child = subprocess.Popen(
        [sys.executable, "-m", "runner", "backtest"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    child.stdin.write(json.dumps(wanted))
    child.stdin.close()
    child.stdin = None
    assert "simulation" in child.stderr.readline()
    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=300)
    assert child.returncode == 3
    assert json.loads(out)["error"]["kind"] == "cancelled"


def test_a_fault_of_the_program_is_answered_too(wanted, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("oh")

    monkeypatch.setitem(command._MODES, "single", broken)
    told, status, said = asked(wanted)
    assert (status, told["error"]["kind"]) == (2, "failed")
    assert "Traceback" in said


def test_a_damaged_file_is_no_data(tmp_path, wanted):
    files = Files(tmp_path)
    path = files.path(Series(EXCHANGE, SYMBOL, "1m"), "2026-07")
    path.write_bytes(path.read_bytes()[:-3])
    told, status, _ = asked({**wanted, "endpoint": "http://127.0.0.1:1"})
    assert (status, told["error"]["kind"]) == (2, "unreachable")


def test_a_period_is_whole_candles_whether_they_were_kept_or_not(tmp_path):
    """A first run ends where the venue's candles do; its repeat reads them and must end there."""
    candles = walk(200)
    keep(tmp_path, candles)
    wanted = plain(tmp_path, candles, 60)
    late = (candles[-1].opened_at + timedelta(seconds=105)).isoformat()
    early = (candles[60].opened_at - timedelta(seconds=15)).isoformat()
    told = asked({**wanted, "until": late, "since": early})[0]
    assert told == asked(wanted)[0]
