"""The equity line shows what trading made of the account, not what was paid in."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.models import CashFlow, EquityPoint
from app.web import series
from runner.protocol import FlowKind

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def points(*equities):
    return [
        EquityPoint(at=NOW + timedelta(seconds=n), equity=Decimal(equity))
        for n, equity in enumerate(equities)
    ]


def flow(seconds, amount, kind):
    at = NOW + timedelta(seconds=seconds)
    return CashFlow(at=at, amount=Decimal(amount), kind=kind, currency="USDT")


def test_deposits_and_withdrawals_are_taken_out_and_funding_is_not():
    flows = [
        flow(1, "500", FlowKind.DEPOSIT),
        flow(2, "-3", FlowKind.FUNDING),
        flow(3, "-200", FlowKind.WITHDRAWAL),
    ]
    drawn = series.equity_points(points("100", "600", "597", "397", "400"), flows)
    assert [point["value"] for point in drawn] == [100, 100, 97, 97, 100]
    newest = series.equity_points(points("100", "600", "597", "397", "400")[3:], flows)
    assert newest == drawn[3:]  # the same line, wherever it is cut off


def test_sums_are_by_kind_and_currency():
    flows = [
        flow(1, "500", FlowKind.DEPOSIT),
        flow(2, "1.5", FlowKind.DEPOSIT),
        flow(3, "-3", FlowKind.FUNDING),
    ]
    assert series.flow_sums(flows) == [
        (FlowKind.DEPOSIT, "USDT", Decimal("501.5")),
        (FlowKind.FUNDING, "USDT", Decimal(-3)),
    ]
