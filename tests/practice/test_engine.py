from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.practice.errors import Refusal
from app.practice.orders import AlgoStatus, Status
from tests.practice.floor import ME, Floor

D = Decimal


def refused(code, call, *args, **more):
    with pytest.raises(Refusal) as caught:
        call(*args, **more)
    assert caught.value.code == code


def test_a_taker_walks_the_book_level_by_level(floor):
    market = floor.markets["BTCUSDT"]
    levels = list(market.book.levels(market.last(floor.ms), floor.ms, asks=True, count=3))
    wanted = market.instrument.qty(levels[0].qty + levels[1].qty + 1)
    floor.desk.set_leverage(ME, "BTCUSDT", 75, floor.ms)
    order = floor.order("BUY", wanted)
    fills = floor.store.fills(ME, order_id=order.id)
    assert order.status is Status.FILLED
    assert [fill.price for fill in fills] == [market.instrument.price(x.price) for x in levels]
    assert [fill.qty for fill in fills] == [
        market.instrument.qty(qty) for qty in (levels[0].qty, levels[1].qty, 1)
    ]
    assert not any(fill.maker for fill in fills)


def test_taken_depth_is_gone_for_the_next_taker(floor):
    market = floor.markets["BTCUSDT"]
    best, following = market.book.levels(market.last(floor.ms), floor.ms, asks=True, count=2)
    floor.order("BUY", market.instrument.qty(best.qty))
    again = floor.order("BUY", "0.01")
    assert again.average == market.instrument.price(following.price)


def test_a_limit_that_crosses_takes_and_rests_with_what_is_left(floor):
    _bid, ask = floor.quotes()
    market = floor.markets["BTCUSDT"]
    at_best = market.instrument.qty(
        next(market.book.levels(market.last(floor.ms), floor.ms, asks=True)).qty
    )
    order = floor.order("BUY", at_best + D("0.01"), ask)
    assert order.status is Status.PARTIALLY_FILLED
    assert order.executed == at_best
    assert order.queue == 0  # nobody else bids where the ask was


def test_immediate_or_cancel_expires_with_what_is_left(floor):
    _bid, ask = floor.quotes()
    market = floor.markets["BTCUSDT"]
    at_best = market.instrument.qty(
        next(market.book.levels(market.last(floor.ms), floor.ms, asks=True)).qty
    )
    order = floor.order("BUY", at_best + D("0.01"), ask, timeInForce="IOC")
    assert (order.status, order.executed) == (Status.EXPIRED, at_best)
    assert not floor.me.orders


def test_fill_or_kill_is_all_or_nothing(floor):
    _bid, ask = floor.quotes()
    refused(-5021, floor.order, "BUY", 50, ask, timeInForce="FOK")
    assert floor.me.wallet == 10_000
    assert floor.order("BUY", "0.01", ask, timeInForce="FOK").status is Status.FILLED


def test_post_only_must_not_take(floor):
    bid, ask = floor.quotes()
    refused(-5022, floor.order, "BUY", "0.01", ask, timeInForce="GTX")
    assert floor.order("BUY", "0.01", bid, timeInForce="GTX").status is Status.NEW


def test_a_resting_order_waits_behind_the_displayed_size(floor):
    bid, _ask = floor.quotes()
    market = floor.markets["BTCUSDT"]
    shown = market.book.on_offer(
        market.instrument.ticks(bid), market.last(floor.ms), floor.ms, asks=False
    )
    order = floor.order("BUY", "0.01", bid)
    assert order.queue == market.instrument.qty(shown) > 0


def test_reduce_only_never_opens_nor_turns(floor):
    refused(-2022, floor.order, "SELL", "0.01", reduceOnly="true")
    floor.order("BUY", "0.01")
    refused(-2022, floor.order, "BUY", "0.01", reduceOnly="true")
    order = floor.order("SELL", "0.05", reduceOnly="true")
    assert order.executed == D("0.01")
    assert floor.me.position("BTCUSDT").qty == 0


def test_resting_reduce_only_orders_end_with_the_position(floor):
    floor.order("BUY", "0.01")
    resting = floor.order("SELL", "0.01", round(floor.mark() * D("1.01"), 1), reduceOnly="true")
    floor.order("SELL", "0.01")
    assert floor.found(resting).status is Status.EXPIRED


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"quantity": "0.0001"}, -1111),
        ({"quantity": "0"}, -4003),
        ({"quantity": "-1"}, -4003),
        ({"quantity": "lots"}, -1102),
        ({"quantity": "NaN"}, -1102),
        ({"quantity": "1e40"}, -1102),
        ({"quantity": "121"}, -4005),
        ({"quantity": "0.001"}, -4164),
        ({"quantity": ""}, -1102),
        ({"side": "HOLD"}, -1117),
        ({"type": "ICEBERG"}, -1116),
        ({"type": "STOP_MARKET"}, -4120),
        ({"type": "LIMIT", "price": "60000", "timeInForce": ""}, -1102),
        ({"type": "LIMIT", "price": "60000", "timeInForce": "GTT"}, -1115),
        ({"type": "LIMIT", "price": "60000.01", "timeInForce": "GTC"}, -1111),
        ({"type": "LIMIT", "price": "0", "timeInForce": "GTC"}, -4001),
        ({"type": "LIMIT", "price": "90000", "timeInForce": "GTC"}, -4016),
        ({"symbol": "DOGEUSDT"}, -1121),
        ({"positionSide": "LONG"}, -4061),
        ({"newClientOrderId": "no spaces"}, -4015),
        ({"newClientOrderId": "x" * 37}, -4015),
        ({"closePosition": "true"}, -4136),
        ({"reduceOnly": "perhaps"}, -1130),
    ],
)
def test_what_the_filters_refuse(floor, more, code):
    wish = {"side": "BUY", "quantity": "0.01"} | more
    refused(code, floor.order, wish.pop("side"), wish.pop("quantity"), **wish)
    assert not floor.me.orders
    assert floor.me.wallet == 10_000


def test_a_sell_far_below_the_mark_is_refused(floor):
    refused(-4024, floor.order, "SELL", "0.01", round(floor.mark() * D("0.9"), 1))


def test_margin_limits_what_can_be_opened(floor):
    refused(-2019, floor.order, "BUY", 4)  # about 250,000 at 20x
    floor.order("BUY", 2)
    refused(-2019, floor.order, "BUY", 2)
    floor.order("SELL", 3)  # turning around needs margin for one only
    assert floor.me.position("BTCUSDT").qty == -1


def test_leverage_limits_the_size(floor):
    floor.desk.set_leverage(ME, "BTCUSDT", 125, floor.ms)
    refused(-2027, floor.order, "BUY", 1)  # 125x carries 50,000
    refused(-4028, floor.desk.set_leverage, ME, "BTCUSDT", 126, floor.ms)


def test_leverage_cannot_drop_below_what_is_held(floor):
    floor.order("BUY", 2)
    refused(-2019, floor.desk.set_leverage, ME, "BTCUSDT", 5, floor.ms)
    assert floor.me.setting("BTCUSDT").leverage == 20


def test_a_client_id_is_unique_among_open_orders(floor):
    low = round(floor.mark() * D("0.97"), 1)
    floor.order("BUY", "0.01", low, newClientOrderId="mine")
    refused(-4116, floor.order, "BUY", "0.01", low, newClientOrderId="mine")
    assert len(floor.me.orders) == 1


def test_a_stop_that_would_trigger_at_once_is_refused(floor):
    above = round(floor.mark() * D("1.01"), 1)
    refused(-2021, floor.conditional, "SELL", "STOP_MARKET", above, quantity="0.01")
    refused(-2021, floor.conditional, "BUY", "TAKE_PROFIT_MARKET", above, quantity="0.01")


def test_a_close_position_order_ends_when_the_position_does(floor):
    floor.order("BUY", "0.01")
    below = round(floor.mark() * D("0.97"), 1)
    stop = floor.conditional("SELL", "STOP_MARKET", below, closePosition="true")
    floor.order("SELL", "0.01")
    assert floor.store.conditionals(ME, id=stop.id)[0].status is AlgoStatus.EXPIRED


def test_a_refusal_leaves_no_trace(floor):
    floor.order("BUY", "0.01")
    before = (floor.me.wallet, floor.me.position("BTCUSDT").qty, len(floor.store.orders(ME)))
    refused(-2019, floor.order, "BUY", 100)
    assert before == (
        floor.me.wallet,
        floor.me.position("BTCUSDT").qty,
        len(floor.store.orders(ME)),
    )


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["market", "limit", "ioc", "reduce", "stop", "cancel", "wait", "isolated"]),
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 900),  # thousandths of a bitcoin
        st.integers(-15, 15),  # ten-thousandths away from the mark
    ),
    min_size=1,
    max_size=14,
)


def attempt(floor, kind, side, size, away):
    qty, price = D(size) / 1000, round(floor.mark() * (1 + D(away) / 10_000), 1)
    if kind == "market":
        floor.order(side, qty)
    elif kind == "limit":
        floor.order(side, qty, price)
    elif kind == "ioc":
        floor.order(side, qty, price, timeInForce="IOC")
    elif kind == "reduce":
        floor.order(side, qty, reduceOnly="true")
    elif kind == "stop":
        floor.conditional(side, "STOP_MARKET", price, quantity=qty)
    elif kind == "isolated":
        floor.desk.set_margin_type(ME, "BTCUSDT", isolated=away > 0, ms=floor.ms)
    elif kind == "cancel":
        floor.desk.cancel_all(ME, "BTCUSDT", floor.ms)
    else:
        floor.wait(size * 40)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_money_is_neither_made_nor_lost(steps, tmp_path_factory):
    with Floor(tmp_path_factory.mktemp("floor")) as floor:
        for step in steps:
            try:
                attempt(floor, *step)
            except Refusal:
                continue
        check_sums(floor)
        before = lasting(floor.me)
    with Floor(floor.folder, floor.ms) as reopened:
        assert lasting(reopened.me) == before


def lasting(account):
    positions = {symbol: one for symbol, one in account.positions.items() if one.qty}
    return account.wallet, positions, account.orders, account.conditionals


def check_sums(floor):
    """Everything told to the account adds up, to the last digit."""
    me, mark = floor.me, floor.mark()
    fills = floor.store.fills(ME, limit=-1)
    incomes = floor.store.incomes(ME, limit=-1)
    assert me.wallet == sum(one.amount for one in incomes)
    assert me.position("BTCUSDT").qty == sum(one.side.sign * one.qty for one in fills)
    paid = sum(one.side.sign * one.qty * one.price for one in fills)
    other = sum(one.amount for one in incomes if one.kind in ("FUNDING_FEE", "INSURANCE_CLEAR"))
    fees = sum(one.fee for one in fills)
    worth = me.position("BTCUSDT").qty * mark - paid
    assert me.wallet + me.unrealized(lambda _symbol: mark) == 10_000 + worth - fees + other
    for order in floor.store.orders(ME, limit=-1):
        mine = [one for one in fills if one.order_id == order.id]
        assert order.executed == sum(one.qty for one in mine) <= order.qty
        assert order.quote == sum(one.qty * one.price for one in mine)
        assert order.live == (order.id in me.orders)
        assert order.queue >= 0
    assert me.position("BTCUSDT").isolated >= 0
