from decimal import Decimal

import pytest

from app.practice.market import FUNDING_MS
from app.practice.orders import AlgoStatus, Income, Status
from app.practice.path import Trade
from tests.practice.floor import ME, START, Floor

D = Decimal


def wait_until(floor, happened, *, step=1000, limit=600):
    for _ in range(limit):
        floor.wait(step)
        if happened():
            return
    pytest.fail(f"nothing happened within {step * limit / 1000:.0f} s of market time")


def test_a_resting_order_fills_as_maker_when_the_tape_trades_through(floor):
    price = round(floor.mark() * D("0.9998"), 1)
    order = floor.order("BUY", "0.02", price, timeInForce="GTX")
    wait_until(floor, lambda: floor.found(order).status is Status.FILLED)
    fills = floor.store.fills(ME, order_id=order.id)
    assert all(fill.maker and fill.price == price for fill in fills)
    assert sum(fill.fee for fill in fills) == price * D("0.02") * D("0.0002")


def test_a_large_resting_order_fills_in_parts_no_larger_than_the_prints(floor):
    price = round(floor.mark() * D("0.9998"), 1)
    order = floor.order("BUY", 2, price)
    begun = floor.ms
    wait_until(floor, lambda: floor.found(order).status is Status.FILLED, limit=3000)
    tape = {trade.time: trade.qty for trade in floor.markets["BTCUSDT"].tape(begun, floor.ms)}
    fills = floor.store.fills(ME, order_id=order.id, limit=-1)
    assert len(fills) > 3
    assert floor.markets["BTCUSDT"].instrument.step * max(tape.values()) >= max(
        fill.qty for fill in fills
    )


def printed(floor, *prints):
    """Let prints happen that are (ticks, steps, taker sold)."""
    tape = [Trade(k, floor.ms + k, *one) for k, one in enumerate(prints, 1)]
    floor.desk.turn._make(floor.me, "BTCUSDT", tape)


def test_the_queue_ahead_is_served_first(floor):
    bid, _ask = floor.quotes()
    instrument = floor.markets["BTCUSDT"].instrument
    order = floor.order("BUY", "0.01", bid)
    at, ahead = instrument.ticks(bid), instrument.steps(order.queue)
    printed(floor, (at, ahead - 1, True), (at + 1, 500, False))
    assert (order.executed, order.queue) == (0, instrument.step)
    printed(floor, (at, 4, True))
    assert (order.executed, order.queue) == (3 * instrument.step, 0)
    printed(floor, (at, 2, True))
    assert order.executed == 5 * instrument.step
    assert floor.found(order).status is Status.PARTIALLY_FILLED


def test_a_print_through_the_price_means_the_queue_is_gone(floor):
    bid, _ask = floor.quotes()
    instrument = floor.markets["BTCUSDT"].instrument
    order = floor.order("BUY", "0.01", bid)
    printed(floor, (instrument.ticks(bid) - 1, 6, True))
    assert (order.executed, order.queue) == (6 * instrument.step, 0)
    assert floor.store.fills(ME, order_id=order.id)[0].price == bid


def test_prints_are_shared_between_orders_of_one_account(floor):
    price = round(floor.mark() * D("0.9998"), 1)
    orders = [floor.order("BUY", 1, price) for _ in range(2)]
    wait_until(floor, lambda: any(floor.found(one).executed for one in orders), step=200)
    begun = floor.ms - 200
    got = sum(fill.qty for fill in floor.store.fills(ME, limit=-1))
    market = floor.markets["BTCUSDT"]
    printed = sum(trade.qty for trade in market.tape(begun, floor.ms))
    assert got <= market.instrument.qty(printed)
    assert floor.found(orders[0]).executed >= floor.found(orders[1]).executed


@pytest.mark.parametrize("working", ["CONTRACT_PRICE", "MARK_PRICE"])
def test_a_stop_triggers_and_closes_the_position(floor, working):
    floor.order("BUY", "0.02")
    trigger = round(floor.mark() * D("0.9995"), 1)
    stop = floor.conditional(
        "SELL", "STOP_MARKET", trigger, quantity="0.02", reduceOnly="true", workingType=working
    )
    wait_until(floor, lambda: not floor.me.conditionals, limit=6000)
    ended = floor.store.conditionals(ME, id=stop.id)[0]
    assert ended.status is AlgoStatus.FINISHED
    assert floor.store.orders(ME, id=ended.order_id)[0].status is Status.FILLED
    assert floor.me.position("BTCUSDT").qty == 0


def test_a_take_profit_of_a_short_triggers_from_above(floor):
    floor.order("SELL", "0.02")
    trigger = round(floor.mark() * D("0.9995"), 1)
    floor.conditional("BUY", "TAKE_PROFIT_MARKET", trigger, closePosition="true")
    wait_until(floor, lambda: not floor.me.conditionals, limit=6000)
    assert floor.me.position("BTCUSDT").qty == 0


def test_a_stop_without_a_position_is_rejected_when_it_triggers(floor):
    trigger = round(floor.mark() * D("0.9995"), 1)
    stop = floor.conditional("SELL", "STOP_MARKET", trigger, quantity="0.02", reduceOnly="true")
    wait_until(floor, lambda: not floor.me.conditionals, limit=6000)
    assert floor.store.conditionals(ME, id=stop.id)[0].status is AlgoStatus.REJECTED


def losing_side(floor, hours):
    """The side that the next ``hours`` hurt most."""
    hour = floor.ms // 3_600_000
    path = floor.markets["BTCUSDT"].path
    candles = [path.candle(2, hour + k) for k in range(1, hours)]
    now = path.second(floor.ms // 1000).close
    up = max(candle.high for candle in candles) - now
    down = now - min(candle.low for candle in candles)
    return "SELL" if up > down else "BUY"


@pytest.mark.parametrize("isolated", [False, True])
def test_a_position_without_margin_is_liquidated(floor, isolated):
    if isolated:
        floor.desk.set_margin_type(ME, "BTCUSDT", isolated=True, ms=floor.ms)
    floor.desk.set_leverage(ME, "BTCUSDT", 75, floor.ms)
    floor.order(losing_side(floor, 10), "1" if isolated else "11")
    at_risk = floor.me.position("BTCUSDT").isolated if isolated else floor.me.wallet
    limit = floor.me.liquidation_price("BTCUSDT", floor.mark)
    assert abs(limit / floor.mark() - 1) < D("0.02")
    wait_until(floor, lambda: not floor.me.open_symbols(), step=20_000, limit=1800)
    closing = floor.store.orders(ME, limit=-1)[-1]
    assert closing.client_id.startswith("autoclose-")
    lost = 10_000 - floor.me.wallet
    assert floor.me.wallet >= 0
    fees = sum(fill.fee for fill in floor.store.fills(ME, limit=-1))
    assert lost <= at_risk + fees
    assert lost > at_risk / 3


def test_funding_is_paid_every_eight_hours(tmp_path):
    boundary = (START // FUNDING_MS + 1) * FUNDING_MS
    with Floor(tmp_path, boundary - 1500) as floor:
        floor.order("BUY", "0.5")
        rate = floor.markets["BTCUSDT"].funding_rate(floor.ms)
        floor.wait(3000)
        paid = floor.store.incomes(ME, kind=Income.FUNDING_FEE)
        mark = floor.markets["BTCUSDT"].mark(boundary)
        assert [one.time for one in paid] == [boundary]
        assert paid[0].amount == -round(D("0.5") * mark * rate, 8)
        floor.wait(3000)
        assert len(floor.store.incomes(ME, kind=Income.FUNDING_FEE)) == 1


def test_funding_of_a_downtime_is_settled_late_and_once(tmp_path):
    boundary = (START // FUNDING_MS + 1) * FUNDING_MS
    with Floor(tmp_path, boundary - 60_000) as floor:
        floor.order("BUY", "0.05")
        floor.wait(100)
    for _ in range(2):
        with Floor(tmp_path, boundary + 2 * FUNDING_MS) as floor:
            floor.wait(100)
            paid = floor.store.incomes(ME, kind=Income.FUNDING_FEE)
            assert [one.time for one in paid] == [boundary + k * FUNDING_MS for k in range(3)]


def test_prints_of_a_halt_fill_nothing(floor):
    price = round(floor.mark() * D("0.9998"), 1)
    floor.order("BUY", "0.02", price)
    floor.wait(3_600_000)
    assert floor.store.fills(ME) == []


def test_a_settlement_cut_short_is_repeated_without_paying_twice(tmp_path):
    boundary = (START // FUNDING_MS + 1) * FUNDING_MS
    with Floor(tmp_path, boundary - 1500) as floor:
        floor.order("BUY", "0.05")
        floor.wait(3000)
        with floor.store.transaction():  # as if killed after paying, before noting it
            floor.store.set_meta("funding", str(boundary - FUNDING_MS))
    with Floor(tmp_path, boundary + 5000) as floor:
        floor.wait(100)
        assert len(floor.store.incomes(ME, kind=Income.FUNDING_FEE)) == 1
