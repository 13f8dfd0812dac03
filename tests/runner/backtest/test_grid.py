"""Sweep, walk-forward and Monte Carlo: counted, seeded, and blind to what comes after."""

from datetime import timedelta

import pytest

from runner.backtest import chance
from runner.metrics import Period
from tests.runner.backtest.hand_history import START, asked, keep, plain, rules, walk

CANDLES = walk(1500)
PERIOD = Period(START, START + timedelta(days=1))
GRID = [
    {"path": "signals[0].params.fast", "values": [2, 3, 5]},
    {"path": "signals[0].params.slow", "values": [6, 9, 4]},
]


@pytest.fixture
def wanted(tmp_path):
    keep(tmp_path, CANDLES)
    return plain(tmp_path, CANDLES, 100)


def test_a_sweep_tries_every_combination_and_ranks_it(wanted):
    told, status, _ = asked({**wanted, "mode": "sweep", "options": {"grid": GRID}})
    assert status == 0
    sweep = told["sweep"]
    assert (sweep["combinations"], sweep["tried"], len(sweep["rows"])) == (9, 9, 9)
    scores = [row["score"] for row in sweep["rows"]]
    assert scores == sorted(scores, reverse=True)
    refused = [row for row in sweep["rows"] if "refused" in row]
    assert [row["values"] for row in refused] == [[5, 4]]


def test_a_row_of_a_sweep_is_what_a_run_alone_gives(wanted):
    told = asked({**wanted, "mode": "sweep", "options": {"grid": GRID}})[0]["sweep"]
    best = told["rows"][0]
    fast, slow = best["values"]
    alone = {
        **wanted,
        "rules": rules([{"kind": "ema_cross", "params": {"fast": fast, "slow": slow}}]),
    }
    figures = asked(alone)[0]["result"]["figures"]
    assert best["figures"]["net_profit"] == figures["net_profit"]["value"]
    assert best["figures"]["trades"] == figures["trades"]["value"]


def test_too_many_combinations_are_drawn_by_the_seed(wanted):
    options = {"grid": GRID, "most": 4}
    first, second = (
        asked({**wanted, "mode": "sweep", "options": options, "seed": 5})[0] for _ in range(2)
    )
    other = asked({**wanted, "mode": "sweep", "options": options, "seed": 6})[0]
    assert first == second
    assert first["sweep"]["tried"] == 4
    assert {tuple(r["values"]) for r in first["sweep"]["rows"]} != {
        tuple(r["values"]) for r in other["sweep"]["rows"]
    }


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({}, "grid", "name at least one"),
        ({"grid": []}, "grid", "name at least one"),
        ({"grid": [{"path": "sizing.value", "values": [1]}]}, "grid", "a path is like"),
        ({"grid": [{"path": "signals[7].params.fast", "values": [1]}]}, "grid", "no such"),
        ({"grid": [{"path": "signals[0].params.fast", "values": []}]}, "grid", "name its values"),
        ({"grid": GRID, "most": 100_000}, "most", "from 1 to"),
        ({"grid": GRID, "objective": "luck"}, "objective", "choose one of"),
    ],
)
def test_a_plan_that_cannot_be_is_named(wanted, options, field, words):
    told, status, _ = asked({**wanted, "mode": "sweep", "options": options})
    assert (status, told["error"]["component"], told["error"]["field"]) == (2, "options", field)
    assert words in told["error"]["message"]


def test_walk_forward_judges_only_what_no_choice_has_seen(wanted, tmp_path):
    options = {"grid": GRID[:1], "windows": 3}
    told = asked({**wanted, "mode": "walk_forward", "options": options})[0]["walk_forward"]
    assert len(told["windows"]) == 3
    for window in told["windows"]:
        assert window["train"][1] == window["test"][0]
    # Other candles in the last part change what was judged there, and no choice.
    other = tmp_path / "other"
    keep(other, [*CANDLES[:1150], *_shifted(CANDLES, walk(1500, seed=9), 1150)])
    changed = asked({**wanted, "folder": str(other), "mode": "walk_forward", "options": options})
    again = changed[0]["walk_forward"]
    assert [w["values"] for w in again["windows"]] == [w["values"] for w in told["windows"]]
    assert again["windows"][:2] == told["windows"][:2]
    assert again["windows"][2]["in_sample"] == told["windows"][2]["in_sample"]
    assert again["windows"][2]["out_of_sample"] != told["windows"][2]["out_of_sample"]


def _shifted(before, after, place):
    """Candles of another walk, from a place on, in the same scale of prices."""
    return [
        one.__class__(before[n].opened_at, one.open, one.high, one.low, one.close, one.volume)
        for n, one in enumerate(after)
        if n >= place
    ]


def test_too_many_windows_are_refused(wanted):
    options = {"grid": GRID[:1], "windows": 24}
    short = {**wanted, "until": CANDLES[120].opened_at.isoformat()}
    told, status, _ = asked({**short, "mode": "walk_forward", "options": options})
    assert (status, told["error"]["field"]) == (2, "windows")


def test_monte_carlo_worked_out_by_hand():
    """Of +10, -10 from 100 there are two orders: a fall of 10/110, or of 10/100."""
    told = chance.shuffled([10.0, -10.0], 100.0, 2000, seed=1)
    assert told["actual"] == pytest.approx(100 * 10 / 110, abs=1e-6)
    assert told["quantiles"]["0.05"] == pytest.approx(100 * 10 / 110, abs=1e-6)
    assert told["quantiles"]["0.95"] == pytest.approx(10.0)
    assert told["deeper"] == pytest.approx(0.5, abs=0.1)
    assert told["ruined"] == 0


def test_drawn_with_replacement_worked_out_by_hand():
    """Of +10, -10 two draws end at +20, 0, 0, -20; a quarter ends with a loss."""
    told = chance.resampled([10.0, -10.0], 100.0, 4000, seed=1)
    assert told["ends"]["0.05"] == -20
    assert told["ends"]["0.5"] == 0
    assert told["ends"]["0.95"] == 20
    assert 0.22 < told["lost"] < 0.28
    assert told["bands"][0] == [0, 100, 100, 100, 100, 100]
    assert told["bands"][-1][1::2] == [80, 100, 120]


def test_fewer_orders_are_drawn_of_very_many_trades():
    told = chance.monte_carlo([1.0] * 20_000, 100.0, 1000, 1, PERIOD)
    assert told["runs"] == 300
    assert told["figures"]["loss_share"]["sample"] == 20_000


def test_a_row_says_how_its_neighbours_do(wanted):
    sweep = asked({**wanted, "mode": "sweep", "options": {"grid": GRID[:1]}})[0]["sweep"]
    by_value = {row["values"][0]: row for row in sweep["rows"]}
    middle = by_value[3]
    assert middle["near_count"] == 2
    assert middle["near"] == pytest.approx((by_value[2]["score"] + by_value[5]["score"]) / 2)
    assert sweep["luck"]["tried"]["value"] == 3
    assert {"code", "text"} == set(sweep["warnings"][0])


def test_an_order_in_which_all_is_lost_counts_as_ruin():
    told = chance.shuffled([150.0, -120.0], 100.0, 500, seed=1)
    assert 0.3 < told["ruined"] < 0.7
    assert told["quantiles"]["0.99"] == 100


def test_monte_carlo_is_repeatable_and_says_what_it_did(wanted):
    asking = {**wanted, "mode": "monte_carlo", "options": {"runs": 200}, "seed": 4}
    first, second = asked(asking)[0], asked(asking)[0]
    assert first == second
    assert first["monte_carlo"]["trades"] == first["result"]["trades_total"]
    assert first["monte_carlo"]["seed"] == 4
    assert asked({**asking, "seed": 5})[0]["monte_carlo"] != first["monte_carlo"]


def test_no_trade_has_no_order():
    told = chance.shuffled([], 100.0, 10, seed=1)
    assert (told["trades"], told["actual"]) == (0, 0)
