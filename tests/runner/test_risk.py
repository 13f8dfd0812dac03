"""Limits and sizes."""

import itertools
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.desk import Intent
from runner.exchange.base import Book, Instrument, OrderKind
from runner.protocol import Limits, Side
from runner.risk import Exposure, Stake, judge, judge_account

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
CALM = Exposure(Decimal(10_000), Decimal(0), Decimal(0), {})
AMOUNTS = {
    "max_position_notional",
    "max_order_notional",
    "max_leverage",
    "balance_reserve",
    "price_collar_percent",
}
AT = "2026-11-23T09:00:00+00:00"


def wish(quantity="6", side=Side.BUY, **changes):
    """An entry at a mark of 100, unless said otherwise."""
    known = {
        "decision": AT,
        "leg": "entry",
        "symbol": BTC.symbol,
        "side": side,
        "kind": OrderKind.MARKET,
        "quantity": Decimal(quantity),
        "purpose": "entry",
        "reason": "as the test says",
    }
    return Intent(**{**known, **changes})


def stake(quantity=0, *, buying=0, selling=0, mark=100, price=None):
    numbers = (Decimal(x) for x in (quantity, buying, selling, mark))
    return Stake(*numbers, None if price is None else Decimal(price))


def calm(**stakes):
    """10,000 in the account; BTC at its mark unless something is held."""
    return replace(CALM, stakes={BTC.symbol: stake(), **stakes})


def holding(*args, **kwargs):
    return calm(**{BTC.symbol: stake(*args, **kwargs)})


@pytest.mark.parametrize(
    ("limits", "exposure", "intent", "refusal"),
    [
        (Limits(), calm(), wish(), None),
        ({"max_order_notional": 500}, calm(), wish(), "order value 600.00 would exceed 500"),
        ({"max_order_notional": 600}, calm(), wish(), None),
        ({"max_order_notional": 600}, holding(price=101), wish(), "order value 606.00"),
        ({"max_position_notional": 599}, calm(), wish(), "position value 600.00 would exceed 599"),
        ({"max_position_notional": 600}, calm(), wish(), None),
        ({"max_position_notional": 600}, holding(1), wish(), "position value 700.00"),
        ({"max_position_notional": 600}, holding(buying=1), wish(), "position value 700.00"),
        ({"max_position_notional": 600}, holding(-6), wish(), None),
        ({"max_position_notional": 600}, holding(-6), wish(side=Side.SELL), "value 1200.00"),
        ({"max_open_positions": 2}, calm(A=stake(1), B=stake(1)), wish(), "2 of 2 positions open"),
        ({"max_open_positions": 2}, calm(A=stake(1), B=stake()), wish(), None),
        ({"max_open_positions": 1}, holding(1), wish(), None),
        ({"max_open_positions": 1}, calm(A=stake(buying=1)), wish(), "1 of 1 positions open"),
        ({"max_leverage": "0.05"}, calm(), wish(), "600.00 would exceed 0.05 times the equity"),
        ({"max_leverage": "0.06"}, calm(), wish(), None),
        ({"max_leverage": "0.06"}, calm(A=stake(-1)), wish(), "700.00 would exceed"),
        ({"balance_reserve": 9_500}, calm(), wish(), "would touch the reserve of 9500"),
        ({"balance_reserve": 9_400}, calm(), wish(), None),
        ({"balance_reserve": 9_700, "max_leverage": 2}, calm(), wish(), None),
        ({"balance_reserve": 9_701, "max_leverage": 2}, calm(), wish(), "the reserve"),
        ({"allowed_symbols": ("ETH/USDT:USDT",)}, calm(), wish(), "none of the allowed symbols"),
        ({"allowed_symbols": (BTC.symbol,)}, calm(), wish(), None),
        (
            {"price_collar_percent": 1},
            holding(price="101.01"),
            wish(),
            "1.01 % worse than the mark",
        ),
        ({"price_collar_percent": 1}, holding(price=101), wish(), None),
        ({"price_collar_percent": 1}, holding(price="98.9"), wish(side=Side.SELL), "1.10 % worse"),
        ({"price_collar_percent": 1}, holding(price=105), wish(side=Side.SELL), None),
        ({"price_collar_percent": 1}, calm(), wish(), "no price of BTC"),
        ({"price_collar_percent": 1}, calm(), wish(price=Decimal(102)), "2.00 % worse"),
        ({"price_collar_percent": 1}, calm(), wish(price=Decimal(50)), None),
    ],
)
def test_each_limit_refuses_in_words(limits, exposure, intent, refusal):
    if isinstance(limits, dict):
        limits = Limits(**{k: Decimal(v) if k in AMOUNTS else v for k, v in limits.items()})
    breach = judge(intent, limits, exposure)
    assert (refusal or "") in ("" if breach is None else breach.text)
    assert (breach is None) is (refusal is None)


@pytest.mark.parametrize(
    ("limits", "exposure", "text"),
    [
        (
            Limits(max_daily_loss=Decimal(100)),
            replace(CALM, day_result=Decimal(-100)),
            "daily loss 100.00 reached 100; no entries today",
        ),
        (Limits(max_daily_loss=Decimal(100)), replace(CALM, day_result=Decimal("-99.99")), None),
        (
            Limits(max_drawdown=Decimal(300)),
            replace(CALM, drawdown=Decimal(300)),
            "drawdown 300.00 reached 300",
        ),
        (Limits(max_drawdown=Decimal(301)), replace(CALM, drawdown=Decimal(300)), None),
        (
            Limits(max_leverage=Decimal(2)),
            replace(CALM, stakes={"A": stake(-201)}),
            "positions of 20100.00 exceed 2 times the equity",
        ),
        (Limits(max_leverage=Decimal(2)), replace(CALM, stakes={"A": stake(200)}), None),
        (
            Limits(max_error_streak=3),
            replace(CALM, refused_in_a_row=3),
            "3 orders in a row were refused",
        ),
        (Limits(max_error_streak=3), replace(CALM, refused_in_a_row=2), None),
    ],
)
def test_the_account_is_judged_without_an_intent_and_with_one(limits, exposure, text):
    assert [breach.text for breach in judge_account(limits, exposure)] == ([text] if text else [])
    entry = judge(wish("0.001"), limits, exposure)
    assert (entry is not None) is (text is not None)


def test_pace_and_cooling_down_hold_entries_only():
    busy = replace(calm(), orders_last_minute=3)
    assert "3 orders per minute" in judge(wish(), Limits(max_orders_per_minute=3), busy).text
    assert judge(wish(), Limits(max_orders_per_minute=4), busy) is None
    sore = replace(calm(), lost_ago=timedelta(seconds=59))
    limits = Limits(cooldown_seconds=60)
    assert judge(wish(), limits, sore).limit == "cooldown_seconds"
    assert judge(wish(), limits, replace(sore, lost_ago=timedelta(seconds=60))) is None
    assert judge_account(limits, sore) == []


TIGHT = Limits(
    max_position_notional=Decimal(1),
    max_order_notional=Decimal(1),
    max_open_positions=1,
    max_orders_per_minute=1,
    max_daily_loss=Decimal(1),
    max_leverage=Decimal("0.01"),
    max_drawdown=Decimal(1),
    price_collar_percent=Decimal("0.01"),
    max_error_streak=1,
    cooldown_seconds=1,
    allowed_symbols=(),
    balance_reserve=Decimal(1),
)


def test_what_reduces_is_never_refused():
    """Whatever is passed already, the way out stays open."""
    worst = replace(
        holding(50, price=1),
        equity=Decimal(-1),
        orders_last_minute=9,
        refused_in_a_row=9,
        lost_ago=timedelta(0),
    )
    assert {f.name for f in fields(Limits)} - {"on_breach"} == {
        name for name, value in vars(TIGHT).items() if value is not None
    } - {"on_breach"}
    assert judge(wish(side=Side.SELL, reduce_only=True), TIGHT, worst) is None
    assert judge(wish(), TIGHT, worst) is not None


amount = st.none() | st.decimals("1", "5000", places=1)
bounds = st.builds(
    Limits,
    max_position_notional=amount,
    max_order_notional=amount,
    max_open_positions=st.none() | st.integers(1, 3),
    max_leverage=st.none() | st.decimals("0.1", "3", places=1),
    balance_reserve=amount,
    price_collar_percent=st.none() | st.decimals("0.1", "5", places=1),
    allowed_symbols=st.none() | st.lists(st.sampled_from("ABC")).map(tuple),
)
steps = st.tuples(
    st.sampled_from("ABC"),
    st.sampled_from(list(Side)),
    st.decimals("0.1", "20", places=1),
    st.decimals("95", "105", places=1),
    st.booleans(),
)


@given(bounds, st.lists(steps, max_size=8))
@settings(max_examples=150, deadline=None)
def test_no_bound_is_passed_whichever_accepted_orders_fill(limits, wishes):
    """Orders rest or fill as the venue likes; the judge must have thought of both."""
    stakes = {name: stake() for name in "ABC"}
    for symbol, side, quantity, price, fills in wishes:
        seen = replace(CALM, stakes={**stakes, symbol: replace(stakes[symbol], price=price)})
        if judge(wish(quantity, side, symbol=symbol), limits, seen) is not None:
            continue
        worse = (price - 100) if side is Side.BUY else (100 - price)
        assert limits.price_collar_percent is None or worse <= limits.price_collar_percent
        assert limits.allowed_symbols is None or symbol in limits.allowed_symbols
        assert limits.max_order_notional is None or quantity * 100 <= limits.max_order_notional
        now = stakes[symbol]
        if fills:
            change = quantity if side is Side.BUY else -quantity
            stakes[symbol] = replace(now, quantity=now.quantity + change)
        elif side is Side.BUY:
            stakes[symbol] = replace(now, buying=now.buying + quantity)
        else:
            stakes[symbol] = replace(now, selling=now.selling + quantity)
        for filled in itertools.product((0, 1), repeat=6):
            within(limits, stakes, filled)


def within(limits, stakes, filled):
    """Every bound holds at the mark when these of the resting sides are filled."""
    held = [
        abs(it.quantity + it.buying * buys - it.selling * sells) * 100
        for it, buys, sells in zip(stakes.values(), filled[::2], filled[1::2], strict=True)
    ]
    equity, times = CALM.equity, limits.max_leverage
    assert limits.max_position_notional is None or max(held) <= limits.max_position_notional
    assert times is None or sum(held) <= equity * times
    assert limits.max_open_positions is None or (
        sum(value > 0 for value in held) <= limits.max_open_positions
    )
    reserve = limits.balance_reserve
    assert reserve is None or sum(held) <= (equity - reserve) * (times or 1)


def test_the_venue_minimum_does_not_bind_a_reduction():
    assert "below the venue's minimum 100" in BTC.fault(
        Decimal("0.001"), Decimal(50_000), reduce_only=False
    )
    assert BTC.fault(Decimal("0.001"), Decimal(50_000), reduce_only=True) is None
    assert "quantity" in BTC.fault(Decimal(0), Decimal(50_000), reduce_only=True)


def test_the_worst_price_is_that_of_the_last_level_an_order_needs():
    bids = ((Decimal(99), Decimal(1)), (Decimal(98), Decimal(2)))
    asks = ((Decimal(101), Decimal(1)), (Decimal(103), Decimal(2)))
    book = Book(bids, asks)
    assert book.worst_price(Side.BUY, Decimal(1)) == 101
    assert book.worst_price(Side.BUY, Decimal("1.1")) == 103
    assert book.worst_price(Side.SELL, Decimal(3)) == 98
    assert book.worst_price(Side.SELL, Decimal("3.1")) is None
