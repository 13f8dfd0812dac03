"""Limits and sizes."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.exchange.base import Instrument
from runner.protocol import Limits
from runner.risk import Exposure, entry_quantity, refuse

BTC = Instrument(
    symbol="BTC/USDT:USDT",
    quote="USDT",
    tick=Decimal("0.1"),
    step=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    min_notional=Decimal(100),
    taker_fee=Decimal("0.0004"),
    maker_fee=Decimal("0.0002"),
)
CALM = Exposure(Decimal(10_000), Decimal(10_000), 0, 0)


def test_percent_of_equity_is_rounded_down_to_the_lot():
    sizing = {"kind": "percent_equity", "value": "10"}
    assert entry_quantity(sizing, Decimal(10_000), Decimal(57_951), BTC) == Decimal("0.017")


def test_fixed_notional_ignores_equity():
    sizing = {"kind": "fixed_notional", "value": "500"}
    assert entry_quantity(sizing, Decimal(1), Decimal(50_000), BTC) == Decimal("0.010")


@given(
    st.decimals("0.01", "100", places=2),
    st.decimals("-1000", "1000000", places=2),
    st.decimals("0.1", "200000", places=1),
)
@settings(max_examples=60, deadline=None)
def test_an_entry_never_costs_more_than_its_share(percent, equity, price):
    sizing = {"kind": "percent_equity", "value": str(percent)}
    quantity = entry_quantity(sizing, equity, price, BTC)
    assert 0 <= quantity * price <= max(equity * percent / 100, 0) * Decimal("1.000000000001")
    assert quantity % BTC.step == 0


@pytest.mark.parametrize(
    ("limits", "exposure", "refusal"),
    [
        (Limits(), CALM, None),
        (
            Limits(max_order_notional=Decimal(500)),
            CALM,
            "limit: order value 600.00 would exceed 500",
        ),
        (
            Limits(max_position_notional=Decimal("599.99")),
            CALM,
            "limit: position value 600.00 would exceed 599.99",
        ),
        (Limits(max_position_notional=Decimal(600)), CALM, None),
        (
            Limits(max_open_positions=2),
            replace(CALM, open_positions=2),
            "limit: 2 of 2 positions open",
        ),
        (Limits(max_open_positions=2), replace(CALM, open_positions=1), None),
        (
            Limits(max_orders_per_minute=3),
            replace(CALM, orders_last_minute=3),
            "limit: 3 orders per minute reached",
        ),
        (
            Limits(max_daily_loss=Decimal(100)),
            replace(CALM, equity=Decimal(9_900)),
            "limit: daily loss 100.00 reached 100; no entries today",
        ),
        (Limits(max_daily_loss=Decimal(100)), replace(CALM, equity=Decimal("9900.01")), None),
    ],
)
def test_each_limit_refuses_in_words(limits, exposure, refusal):
    assert refuse(Decimal(600), limits, exposure) == refusal


def test_the_venue_minimum_does_not_bind_a_reduction():
    assert "below the venue's minimum 100" in BTC.fault(
        Decimal("0.001"), Decimal(50_000), reduce_only=False
    )
    assert BTC.fault(Decimal("0.001"), Decimal(50_000), reduce_only=True) is None
    assert "quantity" in BTC.fault(Decimal(0), Decimal(50_000), reduce_only=True)
