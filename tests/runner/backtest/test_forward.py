"""Walk-forward: how the period is cut, what no choice has seen, one account all the way."""

from datetime import timedelta

import pytest

from runner.backtest.forward import windows_of
from runner.backtest.request import Refused, read
from tests.runner.backtest.hand_history import START, asked, keep, plain, rules, walk

CANDLES = walk(1500)
GRID = [{"path": "signals[0].params.fast", "values": [2, 3, 5]}]
HOUR = timedelta(hours=1)


def days(hours):
    return hours / 24


@pytest.fixture
def wanted(tmp_path):
    keep(tmp_path, CANDLES)
    return plain(tmp_path, CANDLES, 60)


def told(wanted, **options):
    whole = {"grid": GRID, **options}
    answer, status, _ = asked({**wanted, "mode": "walk_forward", "options": whole})
    assert status == 0, answer
    return answer


def cut(wanted, **options):
    return [
        tuple((at - START) / HOUR for at in (it.begins, it.meets, it.ends))
        for it in windows_of(read(wanted), options)
    ]


def test_windows_move_on_by_what_was_judged(wanted):
    """24 hours from the first on: 6 to choose, then 4 to judge, as often as it fits."""
    found = cut(wanted, in_sample=days(6), out_of_sample=days(4))
    assert found == [(1, 7, 11), (5, 11, 15), (9, 15, 19), (13, 19, 23)]


def test_anchored_choices_see_everything_before(wanted):
    found = cut(wanted, in_sample=days(6), out_of_sample=days(9), anchored=True)
    assert found == [(1, 7, 16), (1, 16, 25)]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"in_sample": 0, "out_of_sample": 1}, "in_sample"),
        ({"in_sample": 1, "out_of_sample": "x"}, "out_of_sample"),
        ({"in_sample": True, "out_of_sample": 1}, "in_sample"),
        ({"in_sample": 2, "out_of_sample": 1}, "in_sample"),
        ({"in_sample": days(1), "out_of_sample": days(0.2)}, "out_of_sample"),
    ],
)
def test_lengths_that_do_not_fit_are_named(wanted, options, field):
    with pytest.raises(Refused) as refused:
        windows_of(read(wanted), options)
    assert refused.value.field == field


def test_the_account_goes_on_and_the_line_is_one(wanted):
    answer = told(wanted, in_sample=days(6), out_of_sample=days(4))
    walked = answer["walk_forward"]
    line = walked["equity"]
    assert [at for at, _, _ in line] == sorted({at for at, _, _ in line})
    nets = sum(window["out_of_sample"]["net_profit"] or 0 for window in walked["windows"])
    assert walked["figures"]["net_profit"]["value"] == pytest.approx(nets)
    trades = sum(window["out_of_sample"]["trades"] for window in walked["windows"])
    assert walked["figures"]["trades"]["value"] == trades > 0
    assert line[-1][1] == pytest.approx(10_000 + walked["figures"]["equity_result"]["value"])
    assert answer["pinned"]["data"][0]["candles"] > 1000


def test_a_share_of_equity_is_of_what_the_last_window_left(wanted):
    """A loser that stakes all it has stakes less in the second window."""
    sized = {"kind": "percent_equity", "value": "100"}
    fees = {"taker_fee": "0.01", "funding_rate": "0"}
    whole = told(
        {**wanted, "rules": rules(sizing=sized), "model": fees},
        in_sample=days(6),
        out_of_sample=days(4),
    )["walk_forward"]
    paid = [it["out_of_sample"]["fees"] / it["out_of_sample"]["trades"] for it in whole["windows"]]
    assert paid == sorted(paid, reverse=True)
    assert paid[1] < paid[0] * 0.9


def test_efficiency_compares_returns_a_day(wanted):
    walked = told(wanted, in_sample=days(6), out_of_sample=days(4))["walk_forward"]
    kept = walked["kept"]
    rows = walked["windows"]
    inside = sum(row["in_sample"]["return"] / days(6) for row in rows) / len(rows)
    assert kept["daily_in"]["value"] == pytest.approx(inside)
    assert kept["choices"]["value"] == len({tuple(row["values"]) for row in rows})
    assert all(figure["definition"] for figure in kept.values())


def test_thin_windows_and_unused_days_are_said(wanted):
    walked = told(wanted, in_sample=days(2), out_of_sample=days(1.1))["walk_forward"]
    codes = {it["code"] for it in walked["warnings"]}
    assert "thin_choice" in codes
