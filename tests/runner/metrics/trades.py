"""Trades of round numbers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from runner.metrics import ClosedTrade, Period
from runner.protocol import Side

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
WEEK = Period(MONDAY - timedelta(hours=9), MONDAY - timedelta(hours=9) + timedelta(days=10))


def trade(net, hours=1, start=0, side=Side.BUY, fees=0, reason="take_profit", **more):
    """A trade of one unit bought at 100, opened ``start`` hours after Monday 09:00."""
    moved = Decimal(net) + Decimal(fees) - more.get("funding", Decimal(0))
    out = Decimal(100) + (moved if side is Side.BUY else -moved)
    opened = MONDAY + timedelta(hours=start)
    return ClosedTrade(
        opened_at=opened,
        closed_at=opened + timedelta(hours=hours),
        side=side,
        symbol="BTC/USDT:USDT",
        quantity=Decimal(1),
        entry_notional=Decimal(100),
        exit_notional=out,
        fees=Decimal(fees),
        exit_reason=reason,
        **more,
    )
