"""Trades add up: whatever the fills, nothing is lost and nothing is invented."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import ledger
from runner.protocol import Fill, Mode, Side

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def fill(side, quantity, price, fee="0", number=0, reason=""):
    return Fill(
        trade_id=str(number),
        client_id="c",
        symbol="BTC/USDT:USDT",
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        fee=Decimal(fee),
        fee_currency="USDT",
        liquidity="taker",
        at=NOW + timedelta(seconds=number),
        reason=reason,
    )


def fold(fills):
    trades = []
    for item in fills:
        current = trades[-1] if trades and trades[-1].closed_at is None else None
        closing, opening = ledger.split(item, current)
        if closing is not None:
            ledger.add(current, closing)
        if opening is not None:
            trades.append(ledger.open_with(opening, Mode.PAPER, "BTC/USDT:USDT", "USDT"))
    return trades


def test_a_long_trade_by_hand():
    trades = fold(
        [
            fill(Side.BUY, "2", "100", "0.08", 1),
            fill(Side.BUY, "1", "106", "0.04", 2),
            fill(Side.SELL, "3", "110", "0.12", 3, "take_profit"),
        ]
    )
    (trade,) = trades
    assert trade.entry_price == Decimal(102)
    assert trade.gross == Decimal(24)
    assert trade.net == Decimal("23.76")
    assert trade.exit_reason == "take_profit"
    assert trade.closed_at == NOW + timedelta(seconds=3)


def test_a_short_trade_by_hand():
    (trade,) = fold([fill(Side.SELL, "2", "100"), fill(Side.BUY, "2", "103")])
    assert trade.net == Decimal(-6)


def test_a_partial_exit_realises_its_part():
    (trade,) = fold([fill(Side.BUY, "4", "100"), fill(Side.SELL, "1", "108")])
    assert (trade.gross, trade.held, trade.closed_at) == (Decimal(8), Decimal(3), None)


def test_a_fill_beyond_flat_closes_one_trade_and_opens_the_next():
    first, second = fold([fill(Side.BUY, "1", "100"), fill(Side.SELL, "3", "110", "0.3")])
    assert (first.gross, first.fees) == (Decimal(10), Decimal("0.1"))
    assert (second.side, second.held, second.fees) == (Side.SELL, Decimal(2), Decimal("0.2"))


amounts = st.decimals("0.001", "50", places=3)
prices = st.decimals("1", "90000", places=2)
fees = st.decimals("0", "30", places=8)
histories = st.lists(st.tuples(st.sampled_from(Side), amounts, prices, fees), max_size=30)


@settings(max_examples=200, deadline=None)
@given(histories)
def test_trades_add_up_to_the_fills(history):
    fills = [fill(*item, number) for number, item in enumerate(history)]
    trades = fold(fills)
    sign = {Side.BUY: 1, Side.SELL: -1}
    held = sum((sign[f.side] * f.quantity for f in fills), Decimal(0))
    assert sum((sign[t.side] * t.held for t in trades), Decimal(0)) == held
    assert abs(sum((t.fees for t in trades), Decimal(0)) - sum(f.fee for f in fills)) < Decimal(
        "1e-20"
    )
    if held == 0:
        cash = sum((-sign[f.side] * f.quantity * f.price for f in fills), Decimal(0))
        assert sum((t.gross for t in trades), Decimal(0)) == cash
    assert all(t.closed_at is not None for t in trades[:-1])
