from decimal import Decimal

import pytest

from runner.metrics import OrderOutcome, execution_figures, execution_tally
from runner.protocol import OrderStatus, Side
from tests.runner.metrics.trades import WEEK

FILLED, CANCELLED = OrderStatus.FILLED, OrderStatus.CANCELLED


def order(side=Side.BUY, status=FILLED, quantity=10, filled=10, average="100", **more):
    more = {key: Decimal(it) if key != "seconds" else it for key, it in more.items()}
    average = None if average is None else Decimal(average)
    return OrderOutcome(side, status, Decimal(quantity), Decimal(filled), average, **more)


def figures(*orders):
    found = execution_figures(execution_tally(orders), WEEK)
    return {key: it.value for key, it in found.items()}


def test_slippage_is_what_was_worse_than_the_decision_by_notional():
    """A buy 10 at 101 decided at 100 costs 10, a sell 30 at 99.9 decided at 100 costs 3."""
    bought = order(average="101", arrival=100)
    sold = order(Side.SELL, quantity=30, filled=30, average="99.9", arrival=100)
    assert figures(bought, sold)["arrival_slippage"] == pytest.approx(13 / 4000 * 10_000)


def test_a_better_price_is_negative_slippage():
    assert figures(order(Side.SELL, average="101", arrival=100))["arrival_slippage"] == -100


def test_ratios_times_and_roles():
    found = figures(
        order(seconds=2.0, maker=1000),
        order(status=CANCELLED, filled=5, seconds=4.0),
        order(status=CANCELLED, filled=0, average=None),
        order(status=OrderStatus.REJECTED, filled=0, average=None),
    )
    assert found["fill_ratio"] == 50
    assert found["time_to_fill"] == 3
    assert found["maker_share"] == pytest.approx(100 * 1000 / 1500)
    assert found["rejects"] == 25


def test_nothing_is_undefined():
    found = execution_figures(execution_tally([]), WEEK)
    assert all(it.value is None and it.reason for it in found.values())
