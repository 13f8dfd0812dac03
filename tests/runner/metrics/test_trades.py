from decimal import Decimal

import pytest

from runner.metrics import (
    Tally,
    by_exit_reason,
    by_hour,
    by_month,
    by_side,
    cost_figures,
    tally,
    trade_figures,
)
from runner.protocol import Side
from tests.runner.metrics.trades import WEEK, trade

FIVE = [trade(10, 2), trade(20, 4, 3), trade(-5, 6, 10), trade(0, 1, 20), trade(-15, 7, 30)]


def value(figures, key):
    return figures[key].value


def test_a_short_earns_when_prices_fall_and_all_costs_count():
    it = trade(7, side=Side.SELL, fees=2, funding=Decimal(-1))
    assert it.exit_notional == Decimal(90)
    assert it.net == Decimal(7)


def test_results_of_five_trades_worked_by_hand():
    found = trade_figures(tally(FIVE), WEEK)
    assert value(found, "net_profit") == 10
    assert value(found, "trades") == 5
    assert value(found, "win_rate") == 40
    assert value(found, "profit_factor") == 1.5
    assert value(found, "expectancy") == 2
    assert value(found, "average_win") == 15
    assert value(found, "average_loss") == -10
    assert value(found, "payoff") == 1.5
    assert value(found, "largest_win") == 20
    assert value(found, "largest_loss") == -15


def test_certainty_worked_by_hand():
    """Mean 2; squares 750, so the variance is (750 - 5 x 4) / 4 = 182.5."""
    found = trade_figures(tally(FIVE), WEEK)
    assert value(found, "sqn") == pytest.approx(2 / 182.5**0.5 * 5**0.5)
    assert value(found, "p_value") == pytest.approx(0.7571, abs=2e-4)
    reach = 2.7764451 * 182.5**0.5 / 5**0.5
    assert value(found, "mean_low") == pytest.approx(2 - reach)
    assert value(found, "mean_high") == pytest.approx(2 + reach)


def test_times_worked_by_hand():
    found = trade_figures(tally(FIVE), WEEK)
    assert value(found, "holding") == 4 * 3600
    assert value(found, "holding_wins") == 3 * 3600
    assert value(found, "holding_losses") == 6.5 * 3600
    assert value(found, "exposure") == pytest.approx(100 * 20 / 240)


@pytest.mark.parametrize(
    ("nets", "wins", "losses"),
    [([1, 1, -1, 1, 1, 1, -1, -1], 3, 2), ([1, 0, 1], 1, 0), ([-1, -1, 0, -1], 0, 2), ([0], 0, 0)],
)
def test_streaks_end_at_the_other_sign_and_at_zero(nets, wins, losses):
    found = tally([trade(net) for net in nets])
    assert (found.win_streak, found.loss_streak) == (wins, losses)


def test_nothing_is_undefined_and_says_why():
    found = trade_figures(Tally(), WEEK)
    assert value(found, "trades") == 0
    for key, figure in found.items():
        assert figure.definition
        if key not in ("trades", "exposure"):
            assert (figure.value, bool(figure.reason)) == (None, True), key


def test_only_wins_have_no_profit_factor_instead_of_an_endless_one():
    found = trade_figures(tally([trade(5), trade(6)]), WEEK)
    assert found["profit_factor"].value is None
    assert found["profit_factor"].reason == "No trade was lost in this period."
    assert found["average_loss"].value is None
    assert found["payoff"].value is None


def test_one_trade_and_equal_trades_have_no_certainty():
    assert trade_figures(tally([trade(5)]), WEEK)["sqn"].reason == "It takes two closed trades."
    same = trade_figures(tally([trade("0.1")] * 3), WEEK)
    assert same["sqn"].value is None
    assert "same result" in same["sqn"].reason


def test_costs_are_split():
    one = trade(10, fees=2, funding=Decimal("-0.5"), slippage=Decimal("0.25"))
    two = trade(-10, fees=1, funding=Decimal("0.2"))
    found = cost_figures(tally([one, two]), WEEK)
    assert value(found, "fees") == 3
    assert value(found, "funding") == pytest.approx(0.3)
    assert value(found, "slippage") == 0.25
    assert found["slippage"].sample == 1
    # Entries at 100, exits at 112.5 and 90.8.
    assert value(found, "volume") == pytest.approx(403.3)
    assert value(found, "cost_share") == pytest.approx(100 * 3 / 403.3)


def test_slippage_that_nobody_knows_is_not_zero():
    assert cost_figures(tally(FIVE), WEEK)["slippage"].value is None


def test_tables_cut_the_same_trades():
    some = [
        trade(1, start=0),
        trade(-2, start=24, reason="stop", side=Side.SELL),
        trade(4, start=24, reason="stop"),
        trade(8, start=24 * 30),
    ]
    hours = by_hour(some)
    assert {key: cell.count for key, cell in hours.items()} == {9: 1, 33: 2, 57: 1}
    assert (hours[33].net, hours[33].wins, hours[33].win_rate) == (2, 1, 50)
    assert [(str(key), cell.net) for key, cell in by_month(some).items()] == [
        ("2026-11-01", 3),
        ("2026-12-01", 8),
    ]
    assert {key: cell.net for key, cell in by_exit_reason(some).items()} == {
        "stop": 2,
        "take_profit": 9,
    }
    assert {key: cell.count for key, cell in by_side(some).items()} == {Side.BUY: 3, Side.SELL: 1}
