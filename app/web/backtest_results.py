"""How the result of a backtest is shown."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import request, url_for
from markupsafe import Markup

from app.domain import backtests
from app.models import Backtest, BacktestKind, BacktestState
from app.web import fans, study_pages
from app.web.candle_chart import Candle, Mark, candle_chart
from app.web.charts import thin
from app.web.study_pages import figures_of
from runner.metrics import Figure

HEADLINE = ("net_profit", "return", "trades", "win_rate", "profit_factor", "max_drawdown")
GROUPS = (
    (
        "Trades",
        (
            *("expectancy", "payoff", "average_win", "average_loss", "largest_win"),
            *("largest_loss", "win_streak", "loss_streak", "sqn", "p_value", "mean_low"),
            *("mean_high", "wins_low", "wins_high", "holding", "holding_wins", "holding_losses"),
        ),
    ),
    (
        "Equity and exposure",
        (
            *("equity_result", "annual_return", "sharpe", "sortino", "calmar"),
            *("drawdown_length", "drawdown_recovery", "exposure"),
        ),
    ),
    ("Costs", ("fees", "funding", "slippage", "cost_share", "volume")),
)
CHANCE = (
    *("end_low", "end_middle", "end_high", "loss_share"),
    *("fall_actual", "fall_middle", "fall_high", "fall_drawn", "ruin"),
)
TRADES = 100
POINTS = 1500
PAGE = 120
"""Candles of one page of the chart."""
CROWD = 120
"""Marks of one chart; of more than that none could be told from its neighbour."""
PINS = {
    "engine": "the engine",
    "until": "the end of the period",
    "data": "the candles",
    "funding": "the funding rates",
    "instruments": "the venue's rules",
    "runner": "the runner's version",
}


def answer(backtest: Backtest) -> dict[str, Any]:
    """What the runner said, read."""
    found: dict[str, Any] = json.loads(backtests.answer_of(backtest))
    return found


def result(backtest: Backtest) -> dict[str, Any]:
    """Of a single run."""
    found: dict[str, Any] = answer(backtest)["result"]
    return found


def single(backtest: Backtest) -> dict[str, Any] | None:
    """The same, ``None`` where there is none."""
    fits = backtest.kind is BacktestKind.SINGLE and backtest.state is BacktestState.DONE
    return result(backtest) if fits else None


def figures(found: dict[str, Any]) -> dict[str, Figure]:
    """All of a single run's figures."""
    return figures_of(found["figures"], found["pinned"]["since"], found["pinned"]["until"])


def told(backtest: Backtest) -> dict[str, Any]:
    """What the page of a backtest that is done shows beside its standing."""
    said, others = answer(backtest), backtests.twins(backtest)
    context = {
        "currency": backtest.asked["quote"],
        "headline_keys": HEADLINE,
        "series": url_for("backtests.points", backtest_id=backtest.id),
        "repeats": [_repeat(it, backtest, said) for it in others],
        "pinned": pinned(said),
    }
    if backtest.kind is BacktestKind.SWEEP:
        return context | study_pages.swept(backtest, said)
    if backtest.kind is BacktestKind.WALK_FORWARD:
        return context | study_pages.walked(backtest, said)
    return context | _single(backtest, said)


def _single(backtest: Backtest, said: dict[str, Any]) -> dict[str, Any]:
    found = said["result"]
    known = figures(found)
    return {
        "result": found,
        "headline": [known[key] for key in HEADLINE],
        # A result made by an older runner lacks the figures that came later.
        "groups": [(name, [known[it] for it in keys if it in known]) for name, keys in GROUPS],
        "trades": [_trade(row, number) for number, row in enumerate(found["trades"][:TRADES])],
        "chance": _chance(backtest, said),
        **candles(backtest, found),
    }


def pinned(said: dict[str, Any]) -> dict[str, Any]:
    """What made a result what it is, whatever its kind."""
    found: dict[str, Any] = said["pinned"] if "pinned" in said else said["result"]["pinned"]
    return found


def _repeat(other: Backtest, backtest: Backtest, said: dict[str, Any]) -> dict[str, Any]:
    """Another run of the same request: whether it gave the same bytes, and if not, why."""
    if other.digest == backtest.digest:
        return {"backtest": other, "same": True, "why": ""}
    mine, theirs = pinned(said), pinned(answer(other))
    names = [words for key, words in PINS.items() if mine.get(key) != theirs.get(key)]
    return {"backtest": other, "same": False, "why": ", ".join(names)}


def _chance(backtest: Backtest, said: dict[str, Any]) -> dict[str, Any] | None:
    """The trades in other orders and others drawn from them; earlier runs have none."""
    found = said.get("monte_carlo")
    if found is None:
        return None
    asked, bands = backtest.asked, found["drawn"]["bands"]
    known = figures_of(found["figures"], asked["since"], asked["until"])
    return {
        **found,
        "figures": [known[key] for key in CHANCE],
        "fan": fans.fan(bands, float(asked["balance"])) if len(bands) > 1 else None,
    }


def drawing(backtest: Backtest) -> dict[str, Any]:
    """Equity and drawdown for the charts; the drawdown is below the highest so far, by the lows."""
    rows = _line(backtest)
    peak, falls = float(backtest.asked["balance"]), []
    for at, equity, low in rows:
        falls.append((at, -100 * max(peak - low, 0.0) / peak if peak > 0 else 0.0))
        peak = max(peak, equity)
    return {
        "version": backtest.digest or "none",
        "equity": [{"time": row[0], "value": row[1]} for row in thin(rows, POINTS)],
        "drawdown": [{"time": at, "value": round(v, 3)} for at, v in thin(falls, POINTS)],
        "live": False,
    }


def _line(backtest: Backtest) -> list[list[float]]:
    """Equity over time; a sweep has none of its own."""
    if backtest.state is not BacktestState.DONE or backtest.kind is BacktestKind.SWEEP:
        return []
    said = answer(backtest)
    rows: list[list[float]] = (said.get("walk_forward") or said["result"])["equity"]
    return rows


# -- candles and trades ----------------------------------------------------------------------------


def candles(backtest: Backtest, found: dict[str, Any]) -> dict[str, Any]:
    """One page of the chart: the whole period, or so many candles of it."""
    kept = found.get("candles", {})
    symbols = list(kept)
    symbol = request.args.get("symbol", "")
    symbol = symbol if symbol in kept else next(iter(symbols), "")
    rows = kept.get(symbol, {}).get("rows", [])
    pages = -(-len(rows) // PAGE)
    number = request.args.get("part", 0, type=int)
    number = number if 0 <= number <= pages else 0
    shown = rows if not number else rows[(number - 1) * PAGE : number * PAGE]
    return {
        "backtest": backtest,
        "chart": _drawn(found, symbol, kept[symbol]["span"], shown) if shown else None,
        "chart_crowded": bool(shown) and _crowded(found, symbol, kept[symbol]["span"], shown),
        "chart_span": kept.get(symbol, {}).get("span", 0),
        "chart_symbols": symbols,
        "chart_symbol": symbol,
        "part": number,
        "parts": pages if pages > 1 else 0,
        "part_of": _parts(found, kept),
    }


def _drawn(found: dict[str, Any], symbol: str, span: int, rows: list[list[float]]) -> Markup:
    marks = [mark for row in found["trades"] if row["symbol"] == symbol for mark in _marks(row)]
    drawn = [Candle(int(at), *prices) for at, *prices in rows]
    first, last = drawn[0].at, drawn[-1].at + span
    seen = [it for it in marks if first <= it.at <= last]
    title = f"Candles of {symbol} with {len(seen)} entries and exits; the table of trades has them"
    return candle_chart(drawn, seen if len(seen) <= CROWD else (), span=span, title=title)


def _crowded(found: dict[str, Any], symbol: str, span: int, rows: list[list[float]]) -> bool:
    """Whether so much was traded on these candles that its marks are left out."""
    first, last = rows[0][0], rows[-1][0] + span
    times = [
        _moment(row[key]).timestamp()
        for row in found["trades"]
        if row["symbol"] == symbol
        for key in ("opened_at", "closed_at")
    ]
    return sum(first <= at <= last for at in times) > CROWD


def _marks(row: dict[str, Any]) -> list[Mark]:
    """Where a trade began and where it ended, at the average price of its fills."""
    quantity, long = float(row["quantity"]), row["side"] == "buy"
    opened, closed = (int(_moment(row[key]).timestamp()) for key in ("opened_at", "closed_at"))
    entry, left = (float(row[key]) / quantity for key in ("entry_notional", "exit_notional"))
    side, net = "Long" if long else "Short", float(row["net"])
    begun = Mark(opened, entry, "buy" if long else "sell", f"{side} entry at {entry:,.2f}")
    words = f"{side} exit at {left:,.2f}, net {net:+,.2f}"
    ended = Mark(closed, left, "sell" if long else "buy", words)
    return [begun, replace(ended, gain=net > 0, since=(opened, entry))]


def _parts(found: dict[str, Any], kept: dict[str, Any]) -> dict[int, int]:
    """On which page of its symbol's chart each listed trade begins."""
    parts = {}
    for number, row in enumerate(found["trades"][:TRADES]):
        rows = kept.get(row["symbol"], {}).get("rows", [])
        at = _moment(row["opened_at"]).timestamp()
        before = sum(1 for one in rows if one[0] <= at)
        parts[number] = max(-(-before // PAGE), 1) if rows else 0
    return parts


def _trade(row: dict[str, Any], number: int) -> dict[str, Any]:
    opened, closed = _moment(row["opened_at"]), _moment(row["closed_at"])
    numbers = {name: float(row[name]) for name in ("net", "fees", "optimistic", "pessimistic")}
    held = (closed - opened).total_seconds()
    return {**row, **numbers, "opened_at": opened, "held": held, "number": number}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
