from decimal import Decimal
from itertools import pairwise

from app.practice.instruments import INSTRUMENTS
from app.practice.market import INTERVALS, Market
from app.practice.params import Params
from app.practice.path import merge
from tests.practice.floor import START, Floor

MARKET = Market(INSTRUMENTS["BTCUSDT"], 7)
NOW = START + 12_345_678


def test_an_unfinished_candle_is_what_its_prints_say():
    opened = NOW // 60_000 * 60
    tape = list(MARKET.tape(opened * 1000 - 1, NOW))
    candle = MARKET.candle("1m", opened, NOW)
    prices = [trade.price for trade in tape]
    assert candle[:4] == (prices[0], max(prices), min(prices), prices[-1])
    assert candle.bought + candle.sold == sum(trade.qty for trade in tape)
    assert candle.bought_value + candle.sold_value > 0
    assert candle.trades == len(tape)


def test_an_unfinished_day_contains_its_unfinished_minute():
    day = MARKET.candle("1d", NOW // 86_400_000 * 86_400, NOW)
    hour = MARKET.candle("1h", NOW // 3_600_000 * 3600, NOW)
    minute = MARKET.candle("1m", NOW // 60_000 * 60, NOW)
    assert day.close == hour.close == minute.close == MARKET.last(NOW).price
    assert day.high >= hour.high >= minute.high
    assert day.bought > hour.bought > minute.bought


def test_once_finished_a_candle_is_the_sum_of_its_seconds():
    opened = NOW // 60_000 * 60
    later = (opened + 60) * 1000
    seconds = [MARKET.candle("1s", opened + k, later) for k in range(60)]
    assert MARKET.candle("1m", opened, later) == merge(seconds)


def test_every_interval_ends_at_the_last_print():
    for interval, span in INTERVALS.items():
        opened = NOW // 1000 // span * span
        assert MARKET.candle(interval, opened, NOW).close == MARKET.last(NOW).price


def test_the_mark_follows_but_does_not_jump():
    marks = [MARKET.mark(START + 1000 * k) for k in range(60)]
    lasts = [MARKET.instrument.price(MARKET.last(START + 1000 * k).price) for k in range(60)]
    assert max(abs(m - x) / x for m, x in zip(marks, lasts, strict=True)) < 0.01


def test_recent_prints_are_the_end_of_the_tape():
    recent = MARKET.recent(100, NOW)
    assert len(recent) == 100
    assert recent == list(MARKET.tape(recent[0].time - 1, NOW))[-100:]


def test_open_interest_is_the_public_s_and_the_larger_side_of_the_accounts(tmp_path):
    with Floor(tmp_path) as floor:
        public = floor.markets["BTCUSDT"].public_interest(floor.ms)
        assert public > 0
        for name, side, quantity, standing in (
            ("long", "BUY", "0.3", "0.3"),
            ("short", "SELL", "0.1", "0.3"),
            ("other", "SELL", "0.4", "0.5"),
        ):
            order = {"symbol": "BTCUSDT", "side": side, "type": "MARKET", "quantity": quantity}
            floor.desk.place(name, Params(order), floor.ms)
            there = floor.desk.open_interest("BTCUSDT", floor.ms)
            assert there == public + Decimal(standing)


def test_the_public_s_interest_moves_but_does_not_jump():
    hours = [MARKET.public_interest(NOW + hour * 3_600_000) for hour in range(48)]
    changes = [abs(after / before - 1) for before, after in pairwise(hours)]
    assert max(changes) < Decimal("0.25")
    assert max(hours) / min(hours) > Decimal("1.02")
