"""The account adds up to the last digit, whatever is traded."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.ledger import Lot, apply


def test_a_round_trip_by_hand():
    lot, profit = apply(Lot(), Decimal(2), Decimal(100))
    assert (lot, profit) == (Lot(Decimal(2), Decimal(200)), 0)
    lot, profit = apply(lot, Decimal(-1), Decimal(110))
    assert (lot, profit) == (Lot(Decimal(1), Decimal(100)), 10)
    lot, profit = apply(lot, Decimal(-1), Decimal(95))
    assert (lot, profit) == (Lot(), -5)


def test_a_turn_closes_first_and_opens_the_rest():
    lot, profit = apply(Lot(Decimal(-1), Decimal(-100)), Decimal(3), Decimal(90))
    assert profit == 10
    assert lot == Lot(Decimal(2), Decimal(180))
    assert lot.entry_price == 90


def test_adding_averages_the_entry():
    lot, _ = apply(Lot(Decimal(1), Decimal(100)), Decimal(1), Decimal(110))
    assert lot.entry_price == 105
    assert lot.unrealised(Decimal(107)) == 4


trades = st.lists(
    st.tuples(st.decimals("-5", "5", places=3).filter(bool), st.decimals("0.1", "90000", places=1)),
    max_size=30,
)


@given(trades, st.decimals("0.1", "90000", places=1))
@settings(max_examples=80, deadline=None)
def test_profit_equals_the_cash_that_moved(trades, mark):
    lot, realised, cash = Lot(), Decimal(0), Decimal(0)
    for change, price in trades:
        lot, profit = apply(lot, change, price)
        realised += profit
        cash -= change * price
    assert lot.quantity == sum((c for c, _ in trades), Decimal(0))
    # A split of cost by an endless fraction may be cut in the 28th digit, never more.
    assert abs(realised + lot.unrealised(mark) - (cash + lot.quantity * mark)) < Decimal("1e-15")
    if not lot.quantity:
        assert lot.cost == 0
