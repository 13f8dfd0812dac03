from datetime import UTC, date, datetime, timedelta
from math import sqrt

import pytest

from runner.metrics import Flow, Period, Point, curve_figures, days_of, drawdowns, together

START = datetime(2026, 11, 2, tzinfo=UTC)
MONTH = Period(START, START + timedelta(days=30))


def points(*values, every=24, start=START):
    return [Point(start + timedelta(hours=every * n), it) for n, it in enumerate(values)]


def figures(days):
    return {key: it.value for key, it in curve_figures(days, MONTH).items()}


def test_a_deposit_is_no_profit_and_a_withdrawal_no_loss():
    """100 grows to 110, 110 come in, 220 grow to 242, 142 go out, 100 fall to 90."""
    line = points(100, 110, 242, 100, 90)
    flows = [Flow(START + timedelta(hours=36), 110), Flow(START + timedelta(hours=60), -142)]
    found = days_of(line, flows)
    assert [it.result for it in found] == [0, 10, 22, 0, -10]
    assert [it.change for it in found] == pytest.approx([0, 0.1, 0.1, 0, -0.1])
    result = figures(found)
    assert result["return"] == pytest.approx(100 * (1.1 * 1.1 * 0.9 - 1))
    assert result["equity_result"] == 22
    assert result["max_drawdown"] == pytest.approx(10)


def test_money_that_was_there_at_the_first_look_is_no_flow():
    found = days_of(points(100, 100), [Flow(START - timedelta(days=1), 100), Flow(START, 5)])
    assert [it.result for it in found] == [0, 0]


def test_days_of_sleep_are_days_without_change():
    sleepy = [Point(START, 100.0), Point(START + timedelta(days=3), 120.0)]
    found = days_of(sleepy, [])
    assert [it.day.day for it in found] == [2, 3, 4, 5]
    assert [it.result for it in found] == [0, 0, 0, 20]


def test_ratios_worked_by_hand():
    """Daily returns 0, 0.1, -0.1: mean zero; then 0, 0.1, 0.1."""
    flat = figures(days_of(points(100, 110, 99), []))
    assert flat["sharpe"] == pytest.approx(0, abs=1e-9)
    up = days_of(points(100, 110, 121, 108.9), [])
    changes = [0, 0.1, 0.1, -0.1]
    mean = 0.025
    spread = sqrt(sum((it - mean) ** 2 for it in changes) / 3)
    assert figures(up)["sharpe"] == pytest.approx(mean / spread * sqrt(365))
    assert figures(up)["sortino"] == pytest.approx(mean / sqrt(0.01 / 4) * sqrt(365))


def test_a_drawdown_has_a_depth_a_length_and_a_recovery():
    falls = drawdowns(days_of(points(100, 120, 90, 60, 100, 130, 117), []))
    first, second = falls
    assert first.depth == pytest.approx(50)
    assert (first.peak_on, first.low_on) == (date(2026, 11, 3), date(2026, 11, 5))
    assert (first.days, first.recovery_days) == (4, 2)
    assert second.depth == pytest.approx(10)
    assert second.recovered_on is None
    assert second.recovery_days is None


def test_the_low_within_a_day_counts():
    found = days_of(points(100, 50, 100, 110, every=6), [])
    assert figures(found)["max_drawdown"] == pytest.approx(50)
    moved = days_of(points(100, 50, 100, every=6), [Flow(START + timedelta(hours=3), -50)])
    assert moved[0].low is None


def test_a_year_is_not_told_from_a_week():
    week = curve_figures(days_of(points(*range(100, 107)), []), MONTH)
    assert week["annual_return"].value is None
    assert "30 days" in week["annual_return"].reason
    assert week["calmar"].value is None


def test_annual_return_and_calmar_worked_by_hand():
    """73 days, a fifth of a year: a level of 1.1 becomes 1.1 to the fifth."""
    values = [100.0] * 70 + [80.0, 100.0, 110.0]
    found = figures(days_of(points(*values), []))
    assert found["annual_return"] == pytest.approx(100 * (1.1**5 - 1))
    assert found["calmar"] == pytest.approx(100 * (1.1**5 - 1) / 20)


def test_no_equity_is_undefined():
    found = curve_figures([], MONTH)
    assert all(it.value is None and it.reason for it in found.values())


def test_an_account_that_is_gone_stays_gone():
    found = curve_figures(days_of(points(100, -10, *[-10] * 40), []), MONTH)
    assert found["return"].value == -100
    assert found["annual_return"].value is None


def test_an_account_that_joins_or_leaves_is_no_result():
    """100 earn 10, then 1000 join and all earn 10 %, then the first leaves."""
    first = days_of(points(100, 110, 121), [])
    second = days_of(points(1000, 1090, 1090, start=START + timedelta(days=2)), [])
    both = together([first, second])
    assert [(it.start, it.result) for it in both] == [
        (100, 0),
        (100, 10),
        (1110, 11),
        (1000, 90),
        (1090, 0),
    ]
    assert figures(both)["equity_result"] == 111
    assert together([first]) == first
    assert together([]) == []
