"""Sizes worked by hand, and what limits leave of them."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.exchange.base import Book, Instrument
from runner.protocol import Limits, Side
from runner.risk import Exposure, Stake
from runner.sizing import Size, entry_quantity, room, size_entry

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
BY_ATR = {"kind": "atr_risk", "value": "1", "period": 14, "multiple": 2}


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


def test_sizing_by_atr_loses_its_share_over_the_distance():
    # 1 % of 10,000 is 100; over a distance of 800 that is 0.125
    assert entry_quantity(BY_ATR, Decimal(10_000), Decimal(50_000), BTC, Decimal(800)) == Decimal(
        "0.125"
    )


@pytest.mark.parametrize("distance", [None, Decimal(0)])
def test_an_unknown_distance_enters_with_nothing(distance):
    assert entry_quantity(BY_ATR, Decimal(10_000), Decimal(50_000), BTC, distance) == 0


def exposure(equity="10000", **stakes):
    return Exposure(Decimal(equity), Decimal(0), Decimal(0), stakes)


FLAT = {"X": Stake(mark=Decimal(100), price=Decimal(125))}
BESIDE = {**FLAT, "Y": Stake(quantity=Decimal(-40), mark=Decimal(100))}


@pytest.mark.parametrize(
    ("limits", "stakes", "left"),
    [
        ({}, FLAT, None),
        ({"max_daily_loss": Decimal(1)}, FLAT, None),
        ({"max_order_notional": Decimal(500)}, FLAT, ("4", "max_order_notional")),
        ({"max_position_notional": Decimal(500)}, FLAT, ("5", "max_position_notional")),
        ({"max_leverage": Decimal(2)}, FLAT, ("200", "max_leverage")),
        ({"max_leverage": Decimal(2)}, BESIDE, ("160", "max_leverage")),
        ({"balance_reserve": Decimal(4000)}, BESIDE, ("20", "balance_reserve")),
        ({"balance_reserve": Decimal(7000)}, BESIDE, ("0", "balance_reserve")),
        (
            {"max_order_notional": Decimal(500), "max_position_notional": Decimal(300)},
            FLAT,
            ("3", "max_position_notional"),
        ),
        ({"max_order_notional": Decimal(500)}, {}, None),
    ],
)
def test_limits_leave_room_for_so_much(limits, stakes, left):
    found = room(Limits(**limits), exposure(**stakes), "X")
    assert found == (None if left is None else (Decimal(left[0]), left[1]))


BOOK = Book(
    bids=((Decimal(49_990), Decimal("0.01")), (Decimal(49_900), Decimal(5))),
    asks=((Decimal(50_000), Decimal("0.01")), (Decimal(50_100), Decimal(5))),
)
FIXED = {"kind": "fixed_notional", "value": "1000"}


def size(sizing, most, side=Side.BUY, distance=None):
    """The size, and the prices the limits were asked about."""
    asked = []

    def left(worst):
        asked.append(worst)
        return most

    return size_entry(sizing, Decimal(10_000), side, BOOK, BTC, distance, left), asked


def test_limits_are_asked_about_the_price_the_whole_size_reaches():
    assert size(FIXED, None) == (Size(Decimal("0.020")), [Decimal(50_100)])
    assert size(FIXED, None, Side.SELL) == (Size(Decimal("0.020")), [Decimal(49_900)])


def test_a_size_is_cut_to_the_lots_that_are_left():
    found, _ = size(FIXED, (Decimal("0.0119"), "max_leverage"))
    assert found == Size(Decimal("0.011"), ", cut to 0.011 by the limit max_leverage")
    assert size(FIXED, (Decimal(1), "max_leverage"))[0] == Size(Decimal("0.020"))


@pytest.mark.parametrize("left", ["0", "0.0005", "0.0011"])
def test_a_size_is_not_cut_to_what_the_venue_would_not_take(left):
    """The limit then refuses the whole, and says so itself."""
    assert size(FIXED, (Decimal(left), "max_leverage"))[0] == Size(Decimal("0.020"))


def test_a_size_the_venue_would_not_take_says_why():
    found, _ = size({**FIXED, "value": "60"}, None)
    assert (found.quantity, found.cut) == (Decimal("0.001"), "")
    assert "below the venue's minimum" in found.fault
    found, asked = size(BY_ATR, None)
    assert found == Size(Decimal(0), "", "the ATR that sizes the position is not known yet")
    assert not asked


# Ether at 2,499.5 / 2,500.5 with a mark of 2,500, in lots of 0.01, orders worth 20 at least.
ETH = replace(BTC, step=Decimal("0.01"), min_quantity=Decimal("0.01"), min_notional=Decimal(20))
QUOTES = Book(
    bids=((Decimal("2499.5"), Decimal(50)),),
    asks=((Decimal("2500.5"), Decimal(50)),),
)


def kind(name, value):
    return {"kind": name, "value": value} | (
        {"period": 14, "multiple": 2} if name == "atr_risk" else {}
    )


def sized(name, value, equity, side=Side.BUY, held="0", distance="31", **limits):
    """An entry into X beside a position of ``held`` units of Y, at the same mark."""
    bounds = Limits(**{limit: Decimal(most) for limit, most in limits.items()})
    mark, beside = Decimal(2500), Stake(quantity=Decimal(held), mark=Decimal(2500))

    def left(worst):
        stakes = {"X": Stake(mark=mark, price=worst), "Y": beside}
        return room(bounds, exposure(equity, **stakes), "X")

    far = None if distance is None else Decimal(distance)
    return size_entry(kind(name, value), Decimal(equity), side, QUOTES, ETH, far, left)


@pytest.mark.parametrize(
    ("asked", "limits", "quantity", "cut"),
    [
        # 1000 / 2500.5 = 0.3999…, and of a short 1000 / 2499.5 = 0.4000…
        (("fixed_notional", "1000", "8000"), {}, "0.39", ""),
        (("fixed_notional", "1000", "8000", Side.SELL), {}, "0.40", ""),
        # whatever the account holds
        (("fixed_notional", "1000", "1"), {}, "0.39", ""),
        # a quarter of 8000 is 2000, / 2500.5 = 0.7998…
        (("percent_equity", "25", "8000"), {}, "0.79", ""),
        # all of 8000 is 3.199…; half as much again as the account allows 12000 / 2500 = 4.8
        (("percent_equity", "100", "8000"), {"max_leverage": "1.5"}, "3.19", ""),
        # half the account: 4000 / 2500 = 1.6
        (("percent_equity", "100", "8000"), {"max_leverage": "0.5"}, "1.6", "max_leverage"),
        # another position is worth 1.2 of 2500 = 3000, of half of 8000: 1000 / 2500 = 0.4
        (
            ("percent_equity", "100", "8000", Side.BUY, "-1.2"),
            {"max_leverage": "0.5"},
            "0.4",
            "max_leverage",
        ),
        # 1 % of 8000 is 80, over a distance of twice 15.5: 2.5806…, worth 0.8 times the account
        (("atr_risk", "1", "8000"), {}, "2.58", ""),
        (("atr_risk", "1", "8000", Side.SELL), {}, "2.58", ""),
        # over a distance of 0.5 it would be 160, worth fifty times the account
        (
            ("atr_risk", "1", "8000", Side.BUY, "0", "0.5"),
            {"max_leverage": "3"},
            "9.6",
            "max_leverage",
        ),
        # an order at the ask: 1500 / 2500.5 = 0.5998…; a position at the mark: 1500 / 2500 = 0.6
        (
            ("percent_equity", "100", "8000"),
            {"max_order_notional": "1500"},
            "0.59",
            "max_order_notional",
        ),
        (
            ("percent_equity", "100", "8000"),
            {"max_position_notional": "1500"},
            "0.6",
            "max_position_notional",
        ),
        # 8000 less 7000 that stay, twice: 2000 / 2500 = 0.8
        (
            ("percent_equity", "100", "8000"),
            {"balance_reserve": "7000", "max_leverage": "2"},
            "0.8",
            "balance_reserve",
        ),
        # 24 would be 0.0095… ether, 30 are 0.0119…, and one lot is worth more than 20
        (("fixed_notional", "30", "8000"), {}, "0.01", ""),
    ],
)
def test_sizes_worked_by_hand(asked, limits, quantity, cut):
    found = sized(*asked, **limits)
    assert (found.quantity, found.fault) == (Decimal(quantity), None)
    assert found.cut == (f", cut to {quantity} by the limit {cut}" if cut else "")


@pytest.mark.parametrize("name", ["percent_equity", "atr_risk"])
@pytest.mark.parametrize("equity", ["0", "-50.5"])
def test_without_equity_there_is_no_share_of_it(name, equity):
    found = sized(name, "10", equity)
    assert found.quantity == 0
    assert (
        found.fault
        == f"the account's equity is {Decimal(equity):.2f} USDT: there is no share of it"
    )


def test_a_fixed_size_without_equity_is_left_to_the_limits():
    """They leave nothing, so it is not cut, and the order is refused in their own words."""
    found = sized("fixed_notional", "1000", "-50", max_leverage="3")
    assert found == Size(Decimal("0.39"))
    exposed = exposure("-50", X=Stake(mark=Decimal(2500), price=Decimal("2500.5")))
    assert room(Limits(max_leverage=Decimal(3)), exposed, "X") == (0, "max_leverage")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("fixed_notional", "24", "8000"), "quantity 0.00 is below the venue's minimum 0.01"),
        (("percent_equity", "0.3", "8000"), "quantity 0.00 is below the venue's minimum 0.01"),
        (("atr_risk", "0.001", "8000"), "quantity 0.00 is below the venue's minimum 0.01"),
        (("atr_risk", "1", "8000", Side.BUY, "0", None), "the ATR that sizes the position"),
    ],
)
def test_less_than_one_lot_is_no_size(asked, words):
    found = sized(*asked)
    assert words in found.fault
