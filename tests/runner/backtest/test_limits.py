"""Limits and trading windows hold in a backtest as they do on a bot; symbols share one account."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from runner.backtest.run import histories, instruments, simulate
from runner.decision_log import funnel
from tests.runner.backtest.hand_history import START, keep, request, rules, steps, walk
from tests.runner.hand_market import SYMBOL

OTHER = "ETH/USDT:USDT"
CANDLES = walk(3000)
WARM = 60


def run(tmp_path, candles=CANDLES, warm=WARM, **more):
    keep(tmp_path, candles)
    wanted = request(tmp_path, candles, warm, **more)
    return simulate(wanted, histories(wanted), instruments(wanted), lambda *_: None)


def minute(number):
    return (START + timedelta(minutes=number)).isoformat()


def blocked(result):
    return funnel(result.logs[SYMBOL])["blocked"]


def test_a_daily_loss_stops_entries_until_midnight(tmp_path):
    free = run(tmp_path, rules=rules(direction="both"))
    bound = Decimal(3)
    held = run(tmp_path, rules=rules(direction="both"), limits={"max_daily_loss": f"{bound}"})
    assert len(held.trades) < len(free.trades)
    (first, *_) = held.account.watch.halted
    assert first.breach.limit == "max_daily_loss"
    entered = [trade.closed.opened_at for trade in held.trades]
    midnight = first.at.replace(hour=0, minute=0) + timedelta(days=1)
    assert not [at for at in entered if first.at < at < midnight]
    assert [at for at in entered if at >= midnight]
    assert any("daily loss" in reason for reason in blocked(held))
    assert [w for w in held.plain()["warnings"] if w["code"] == "limit"]


def test_a_limit_that_flattens_closes_what_is_held(tmp_path):
    limits = {"max_drawdown": "2", "on_breach": "flatten"}
    result = run(tmp_path, rules=rules(direction="both"), limits=limits)
    (halt,) = result.account.watch.halted
    assert result.trades[-1].closed.exit_reason == "flatten"
    assert result.trades[-1].closed.closed_at == halt.at
    assert not result.account.trades.open


def test_a_limit_on_size_cuts_the_entry_and_says_so(tmp_path):
    result = run(tmp_path, limits={"max_position_notional": "500"})
    largest = max(fill.price * fill.quantity for fill in result.account.fills)
    assert largest < 510
    assert "cut to" in result.trades[0].reason


def test_a_limit_that_leaves_less_than_the_venue_takes_says_so_itself(tmp_path):
    result = run(tmp_path, limits={"max_order_notional": "1"})
    assert not result.trades
    assert any("limit: order value" in reason for reason in blocked(result)), blocked(result)


def test_outside_a_window_nothing_is_entered_and_its_end_closes(tmp_path):
    windows = [[minute(100), minute(400)], [minute(1000), minute(1300)]]
    plan = rules(direction="both", exits=[{"kind": "time_stop", "params": {"candles": 5000}}])
    result = run(tmp_path, rules=plan, windows=windows, end_policy="flatten")
    spans = [
        tuple(START + timedelta(minutes=m) for m in pair) for pair in ((100, 400), (1000, 1300))
    ]
    assert len(result.trades) == 2
    for trade, (opens, closes) in zip(result.trades, spans, strict=True):
        assert opens <= trade.closed.opened_at < closes
        assert trade.closed.closed_at == closes
        assert trade.closed.exit_reason == "flatten"
    assert blocked(result)["outside trading window"] > 0


def test_a_window_that_holds_keeps_its_position(tmp_path):
    plan = rules(direction="both", exits=[{"kind": "time_stop", "params": {"candles": 5000}}])
    result = run(tmp_path, rules=plan, windows=[[minute(100), minute(400)]])
    assert not result.trades
    assert result.account.trades.open


def test_symbols_share_the_account_and_each_keeps_its_log(tmp_path):
    alone = run(tmp_path)
    keep(tmp_path, walk(3000, seed=8), OTHER)
    wanted = request(tmp_path, CANDLES, WARM, symbols=[SYMBOL, OTHER])
    both = simulate(wanted, histories(wanted), instruments(wanted), lambda *_: None)
    mine = [t.closed for t in both.trades if t.closed.symbol == SYMBOL]
    assert mine == [t.closed for t in alone.trades]
    others = [t.closed.net for t in both.trades if t.closed.symbol == OTHER]
    assert others
    closed = sum((t.closed.net for t in both.trades), Decimal(0))
    paid = sum((it.fees for it in both.account.trades.open.values()), Decimal(0))
    assert both.account.state.balance == 10_000 + closed - paid
    at = [fill.at for fill in both.account.fills]
    assert at == sorted(at)


def test_one_position_at_a_time_over_all_symbols(tmp_path):
    keep(tmp_path, CANDLES)
    keep(tmp_path, walk(3000, seed=8), OTHER)
    wanted = request(
        tmp_path, CANDLES, WARM, symbols=[SYMBOL, OTHER], limits={"max_open_positions": 1}
    )
    result = simulate(wanted, histories(wanted), instruments(wanted), lambda *_: None)
    spans = sorted((t.closed.opened_at, t.closed.closed_at) for t in result.trades)
    # Two may be decided at one close and meet the same opening; a bot has the same gap to close.
    overlaps = [a for a, b in pairwise(spans) if b[0] < a[1] and a[0] != b[0]]
    assert not overlaps


def test_equity_ends_where_the_account_does(tmp_path):
    result = run(tmp_path, rules=rules(direction="both"))
    last = CANDLES[-1].close
    lot = result.account.state.lots.get(SYMBOL)
    worth = result.account.state.balance + (lot.unrealised(last) if lot else 0)
    assert abs(result.equity[-1].equity - float(worth)) < 1e-6
    assert min(one.low for one in result.equity) <= min(one.equity for one in result.equity)


def test_the_curve_is_the_account_at_every_close(tmp_path):
    """Every stretch as short as a candle: equity is what fills and closes say by hand."""
    rows = [(100, 101, 100, 101), (102, 103, 101.5, 103), (103, 104, 99, 99), (99, 99, 99, 99)]
    plan = rules(
        [{"kind": "donchian_breakout", "params": {"period": 2}}],
        [{"kind": "time_stop", "params": {"candles": 50}}],
    )
    model = {"spread_percent": "0", "taker_fee": "0", "maker_fee": "0"}
    candles = steps(*[(100, 100, 100, 100)] * 10, *rows)
    result = run(tmp_path, candles, 10, rules=plan, model=model)
    quantity = 9.9
    assert [round(one.equity, 6) for one in result.equity] == [
        10_000,
        round(10_000 + quantity * 1, 6),
        round(10_000 - quantity * 3, 6),
        round(10_000 - quantity * 3, 6),
    ]
