"""What a backtest on candles fills, worked out by hand."""

from decimal import Decimal

import pytest

from runner.backtest.run import histories, instruments, simulate
from tests.runner.backtest.hand_history import keep, request, rules, steps

FLAT = [(100, 100, 100, 100)] * 10
BREAKOUT = {"kind": "donchian_breakout", "params": {"period": 2}}
UP = (100, 101, 100, 101)
BARE = {"spread_percent": "0", "taker_fee": "0", "maker_fee": "0"}
STOP = {"kind": "stop_loss", "params": {"percent": 5}}
TARGET = {"kind": "take_profit", "params": {"percent": 10}}


def run(tmp_path, rows, exits, model=BARE, direction="long", flat=FLAT, **more):
    candles = steps(*flat, *rows)
    keep(tmp_path, candles)
    wanted = request(
        tmp_path,
        candles,
        len(flat),
        rules=rules([BREAKOUT], exits, direction),
        model=model,
        **more,
    )
    return simulate(wanted, histories(wanted), instruments(wanted), lambda *_: None)


def prices(result):
    return [(fill.side.value, fill.price) for fill in result.account.fills]


def minutes(result):
    start = result.request.since
    return [(fill.at - start).total_seconds() / 60 for fill in result.account.fills]


def test_a_signal_at_the_close_fills_at_the_next_open(tmp_path):
    result = run(tmp_path, [UP, (102, 103, 101.5, 103), (103, 104, 102, 104)], [STOP])
    assert prices(result) == [("buy", Decimal(102))]
    assert minutes(result) == [1]
    assert result.account.fills[0].quantity == Decimal("9.900")


def test_a_stop_within_the_candle_pays_its_level(tmp_path):
    result = run(tmp_path, [UP, (102, 103, 101.5, 103), (103, 103, 95, 96)], [STOP])
    assert prices(result)[1] == ("sell", Decimal("96.9"))
    assert result.trades[0].closed.exit_reason == "stop_loss"
    assert result.trades[0].closed.net == Decimal("9.9") * (Decimal("96.9") - 102)


def test_a_gap_through_a_stop_pays_the_gap(tmp_path):
    result = run(tmp_path, [UP, (102, 103, 101.5, 103), (90, 99, 89, 98)], [STOP])
    assert prices(result)[1] == ("sell", Decimal(90))
    assert minutes(result)[1] == 2


@pytest.mark.parametrize("kind", ["atr_stop", "chandelier"])
def test_a_rising_atr_does_not_move_a_stop_away(tmp_path, kind):
    # The ATR is 0.5 where the entry is decided, and 1.25 a candle later.
    exits = [{"kind": kind, "params": {"period": 2, "multiple": 10}}]
    rows = [UP, (102, 103, 101.5, 103), (103, 103, 95, 96)]
    result = run(tmp_path, rows, exits, flat=FLAT * 4)
    level = Decimal(97) if kind == "atr_stop" else Decimal(98)
    assert prices(result) == [("buy", Decimal(102)), ("sell", level)]


def test_a_stop_is_met_before_a_target_in_the_same_candle(tmp_path):
    result = run(tmp_path, [UP, (102, 103, 101.5, 103), (103, 120, 90, 118)], [STOP, TARGET])
    assert prices(result)[1] == ("sell", Decimal("96.9"))


def test_a_target_pays_its_level_and_a_gap_beyond_it_the_open(tmp_path):
    result = run(tmp_path, [UP, (102, 103, 101.5, 103), (103, 120, 102, 118)], [STOP, TARGET])
    assert prices(result)[1] == ("sell", Decimal("112.2"))
    again = run(tmp_path, [UP, (102, 103, 101.5, 103), (115, 120, 114, 118)], [STOP, TARGET])
    assert prices(again)[1] == ("sell", Decimal(115))


def test_a_short_position_is_the_mirror(tmp_path):
    down = (100, 100, 99, 99)
    rows = [down, (98, 99, 97, 98), (98, 105, 97.5, 104)]
    result = run(tmp_path, rows, [STOP], direction="both")
    assert prices(result) == [("sell", Decimal(98)), ("buy", Decimal("102.9"))]


def test_an_exit_at_the_close_fills_at_the_next_open(tmp_path):
    hold = {"kind": "time_stop", "params": {"candles": 2}}
    rows = [UP, (102, 103, 102, 103), (103, 103, 103, 103), (104, 104, 104, 104)]
    result = run(tmp_path, rows, [hold])
    assert prices(result) == [("buy", Decimal(102)), ("sell", Decimal(104))]
    assert result.trades[0].closed.exit_reason == "time_stop"


def test_the_spread_is_paid_on_both_sides_and_fees_on_the_notional(tmp_path):
    model = {"spread_percent": "0.2", "taker_fee": "0.001", "maker_fee": "0"}
    hold = {"kind": "time_stop", "params": {"candles": 1}}
    rows = [UP, (100, 100, 100, 100), (100, 100, 100, 100)]
    result = run(tmp_path, rows, [hold], model)
    assert prices(result) == [("buy", Decimal("100.1")), ("sell", Decimal("99.9"))]
    bought, sold = (fill.price * fill.quantity for fill in result.account.fills)
    assert result.trades[0].closed.fees == (bought + sold) / 1000


def test_the_band_goes_from_no_spread_to_twice_as_much(tmp_path):
    model = {"spread_percent": "0.2", "taker_fee": "0", "maker_fee": "0"}
    hold = {"kind": "time_stop", "params": {"candles": 1}}
    result = run(tmp_path, [UP, (100, 100, 100, 100), (100, 100, 100, 100)], [hold], model)
    band = {name: Decimal(text) for name, text in result.plain()["band"].items()}
    quantity = result.account.fills[0].quantity
    assert band["model"] == -quantity * Decimal("0.2")
    assert abs(band["optimistic"]) < Decimal("1e-20")
    assert abs(band["pessimistic"] + quantity * Decimal("0.4")) < Decimal("1e-20")


def test_a_trailing_stop_follows_the_best_price_within_the_candle(tmp_path):
    trail = {"kind": "trailing_stop", "params": {"activation": 5, "distance": 2}}
    rows = [UP, (100, 100, 100, 100), (100, 110, 100, 106)]
    result = run(tmp_path, rows, [trail])
    assert prices(result)[1] == ("sell", Decimal("107.8"))


def test_the_worse_extreme_comes_first_so_a_trail_starts_late(tmp_path):
    trail = {"kind": "trailing_stop", "params": {"activation": 5, "distance": 2}}
    rows = [UP, (100, 100, 100, 100), (100, 110, 95, 109.9)]
    result = run(tmp_path, rows, [trail])
    assert len(result.account.fills) == 1
    assert result.account.trades.open


def test_a_book_that_shows_too_little_fills_the_rest_of_nothing(tmp_path):
    model = {**BARE, "depth": "100", "levels": 3, "step_percent": "0.1"}
    result = run(tmp_path, [UP, (100, 100, 100, 100)], [STOP], model)
    assert [fill.quantity for fill in result.account.fills] == [Decimal("1.000")] * 3
    assert [fill.price for fill in result.account.fills] == [
        Decimal("100.0"),
        Decimal("100.1"),
        Decimal("100.2"),
    ]


def test_a_position_without_margin_is_liquidated(tmp_path):
    sizing = {"kind": "fixed_notional", "value": "1000"}
    rows = [UP, (100, 100, 100, 100), (100, 100, 80, 85)]
    candles = steps(*FLAT, *rows)
    keep(tmp_path, candles)
    wide = {"kind": "stop_loss", "params": {"percent": 50}}
    wanted = request(
        tmp_path,
        candles,
        10,
        rules=rules([BREAKOUT], [wide], sizing=sizing),
        model=BARE,
        balance="100",
    )
    result = simulate(wanted, histories(wanted), instruments(wanted), lambda *_: None)
    assert result.trades[0].closed.exit_reason == "liquidation"
    # 1000 / 100.5: equity is used up where 100 - 9.90 · (100 - p) = 0.005 · 9.90 · p.
    assert Decimal(90) < result.account.fills[1].price < Decimal("90.6")


def test_a_ladder_leaves_in_parts(tmp_path):
    ladder = {"kind": "take_profit_ladder", "params": {}}
    rows = [UP, (100, 100, 100, 100), (100, 150, 100, 150)]
    result = run(tmp_path, rows, [ladder])
    sold = [fill for fill in result.account.fills if fill.side.value == "sell"]
    assert len(sold) > 1
    assert [fill.price for fill in sold] == sorted(fill.price for fill in sold)


def test_funding_is_paid_at_its_hours_on_what_is_held(tmp_path):
    rows = [UP, *[(100, 100, 100, 100)] * 70]
    model = {**BARE, "funding_rate": "0.001", "funding_hours": 1}
    result = run(tmp_path, rows, [STOP], model)
    quantity = result.account.fills[0].quantity
    assert result.account.funding == -quantity * 100 * Decimal("0.001")
    assert result.account.state.balance == 10_000 + result.account.funding


@pytest.mark.parametrize("rows", [3, 10, 40])
def test_cash_and_position_are_conserved(tmp_path, rows):
    import random

    dice = random.Random(rows)
    way, price = [UP], 100.0
    for _ in range(rows):
        close = round(price + dice.uniform(-6, 6), 1)
        way.append((price, max(price, close) + 1, min(price, close) - 1, close))
        price = close
    result = run(tmp_path, way, [STOP, TARGET], {}, direction="both")
    account = result.account
    cash = Decimal(10_000)
    for fill in account.fills:
        sign = -1 if fill.side.value == "buy" else 1
        cash += sign * fill.price * fill.quantity - fill.fee
    held = account.held("BTC/USDT:USDT")
    lot = account.state.lots.get("BTC/USDT:USDT")
    cost = lot.cost if lot else Decimal(0)
    assert cash == account.state.balance - cost
    assert held == (lot.quantity if lot else 0)
