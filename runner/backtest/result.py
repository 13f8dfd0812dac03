"""A backtest's result as JSON: the same request on the same candles gives the same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner import __version__
from runner.backtest import curve, drawing, warnings
from runner.backtest.account import Account
from runner.backtest.lane import moment
from runner.backtest.request import Request
from runner.backtest.trades import Trade
from runner.decision_log import DecisionLog, funnel
from runner.exchange.base import Execution, Instrument
from runner.history.columns import Columns
from runner.history.reading import History
from runner.metrics import (
    Drawdown,
    Figure,
    Period,
    Point,
    by_exit_reason,
    by_month,
    cost_figures,
    curve_figures,
    days_of,
    drawdowns,
    tally,
    trade_figures,
)
from runner.protocol import Side, to_plain
from runner.strategy.spec import TIMEFRAMES

FORMAT = 1
_MOST_GAPS = 100
_RUNNER = Path(__file__).parents[1]
# What a result depends on beside its request and its candles.
_ENGINE = (
    "backtest/*.py",
    "metrics/*.py",
    "strategy/**/*.py",
    "bars.py",
    "exchange/base.py",
    "exchange/paper_*.py",
    "capital.py",
    "code/*.py",
    "decision_log.py",
    "engine.py",
    "entries.py",
    "history/*.py",
    "ledger.py",
    "protocol.py",
    "risk.py",
    "sizing.py",
    "step.py",
)


class Result:
    """What came of a run; ``plain`` makes the JSON of it."""

    def __init__(
        self,
        request: Request,
        account: Account,
        logs: dict[str, DecisionLog],
        histories: list[History],
        columns: dict[str, Columns],
        output: list[str] | None = None,
    ) -> None:
        self.request = request
        self.account = account
        self.logs = logs
        self.histories = histories
        self._span = TIMEFRAMES[request.rules["timeframe"]]
        self._columns = columns
        self._output = output or []
        start, _ = request.period
        self.equity = curve.stretches(
            columns, account.marks, float(request.balance), request.period, self._span
        )
        self._points = curve.points(self.equity, float(request.balance), start)
        self.trades = [self._measured(trade) for trade in account.trades.closed]

    @property
    def figures(self) -> dict[str, Figure]:
        """Every figure of the run, by key."""
        period = Period(self.request.since, self.request.until)
        sums = tally(trade.closed for trade in self.trades)
        return {
            **trade_figures(sums, period),
            **cost_figures(sums, period),
            **curve_figures(days_of(self._points, ()), period),
        }

    def plain(self) -> dict[str, Any]:
        """The whole, JSON-safe, with a digest of itself."""
        request, account, rows = self.request, self.account, self.request.rows
        closed = [trade.closed for trade in self.trades]
        whole = {
            "format": FORMAT,
            "pinned": pinned(request, account.instruments, self.histories),
            "figures": figures_plain(self.figures),
            "equity": [[s.at, round(s.equity, 4), round(s.low, 4)] for s in self.equity],
            "candles": drawing.drawn(self._columns, request.period, self._span),
            "drawdowns": [_fall(fall) for fall in _deepest(self._points)],
            "trades": [_trade(trade) for trade in self.trades[:rows]],
            "trades_total": len(self.trades),
            "fills": [_fill(fill) for fill in account.fills[:rows]],
            "fills_total": len(account.fills),
            "months": [
                [f"{month:%Y-%m}", cell.count, cell.wins, round(cell.net, 4)]
                for month, cell in by_month(closed).items()
            ],
            "exit_reasons": [
                [reason, cell.count, cell.wins, round(cell.net, 4)]
                for reason, cell in by_exit_reason(closed).items()
            ],
            "band": self._band(),
            "open": [
                {"symbol": it.symbol, "side": it.side.value, "quantity": f"{it.quantity:f}"}
                for it in account.trades.open.values()
            ],
            "halts": [
                {"at": to_plain(halt.at), **to_plain(halt.breach)} for halt in account.watch.halted
            ],
            "funding": f"{account.funding:f}",
            "balance": f"{account.state.balance:f}",
            "funnel": {symbol: funnel(log) for symbol, log in self.logs.items()},
            "log": {
                symbol: [base64.b64encode(chunk).decode() for chunk in log.chunks()]
                for symbol, log in self.logs.items()
            },
            "warnings": warnings.found(
                request, account, self.histories, [(s.at, s.equity) for s in self.equity]
            ),
        }
        if self._output:
            whole["output"] = self._output
        return {**whole, "digest": digest_of(whole)}

    def _measured(self, trade: Trade) -> Trade:
        """With how far the open result went either way, as far as candles tell."""
        closed = trade.closed
        columns = self._columns[closed.symbol]
        first = bisect_right(columns.times, int(closed.opened_at.timestamp())) - 1
        last = bisect_left(columns.times, closed.closed_at.timestamp())
        if first < 0 or last <= first:
            return trade
        entry = closed.entry_notional / closed.quantity
        high = Decimal(max(columns.highs[first:last])).scaleb(-columns.price_scale)
        low = Decimal(min(columns.lows[first:last])).scaleb(-columns.price_scale)
        up, down = (high - entry) * closed.quantity, (entry - low) * closed.quantity
        better, worse = (up, down) if closed.side is Side.BUY else (down, up)
        measured = replace(
            closed,
            max_adverse=max(worse, Decimal(0)),
            max_favourable=max(better, Decimal(0)),
        )
        return replace(trade, closed=measured)

    def _band(self) -> dict[str, str]:
        """The net result of all trades at the three prices of their fills."""
        zero = Decimal(0)
        return {
            "optimistic": f"{sum((t.optimistic for t in self.trades), zero):f}",
            "model": f"{sum((t.closed.net for t in self.trades), zero):f}",
            "pessimistic": f"{sum((t.pessimistic for t in self.trades), zero):f}",
        }


def pinned(
    request: Request, instruments: dict[str, Instrument], histories: Sequence[History]
) -> dict[str, Any]:
    """What makes an answer what it is."""
    model: dict[str, Any] = {"name": "candles", **to_plain(request.model)}
    if request.recording is not None:
        model = {"name": "recording"}
    return {
        "strategy": request.digest,
        "exchange": request.exchange,
        "symbols": list(request.symbols),
        "timeframe": request.rules["timeframe"],
        "since": to_plain(request.since),
        "until": to_plain(request.until),
        "balance": f"{request.balance:f}",
        "limits": to_plain(request.limits),
        "windows": to_plain(request.windows),
        "end_policy": request.end_policy,
        "quiet_minutes": request.quiet_minutes,
        "instruments": to_plain(instruments),
        "seed": request.seed,
        "model": model,
        "data": [_data(history) for history in histories],
        "funding": [
            _paid(history, request) for history in histories if history.funding is not None
        ],
        "runner": __version__,
        "engine": engine_digest(),
    }


def digest_of(plain: dict[str, Any]) -> str:
    """SHA-256 of JSON, however its keys are ordered."""
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def engine_digest() -> str:
    """SHA-256 of the program text that decides; the version where there is no text at hand."""
    found = hashlib.sha256(__version__.encode())
    for file in engine_files():
        found.update(file.relative_to(_RUNNER).as_posix().encode() + b"\0")
        found.update(file.read_bytes())
    return found.hexdigest()


def engine_files() -> list[Path]:
    """The files of that text, in order."""
    return sorted({file for pattern in _ENGINE for file in _RUNNER.glob(pattern)})


def figures_plain(figures: dict[str, Figure]) -> dict[str, dict[str, Any]]:
    """Figures as JSON; their period is said once beside them."""
    names = ("name", "value", "unit", "definition", "sample", "reason")
    return {key: {it: getattr(one, it) for it in names} for key, one in figures.items()}


def _fall(fall: Drawdown) -> dict[str, Any]:
    return {
        "peak_on": fall.peak_on.isoformat(),
        "low_on": fall.low_on.isoformat(),
        "recovered_on": None if fall.recovered_on is None else fall.recovered_on.isoformat(),
        "depth": fall.depth,
        "days": fall.days,
    }


def _deepest(points: list[Point]) -> list[Drawdown]:
    falls = drawdowns(days_of(points, ()))
    return sorted(falls, key=lambda fall: (-fall.depth, fall.peak_on))[:10]


def _trade(trade: Trade) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(trade.closed)
    return {
        **plain,
        "net": f"{trade.closed.net:f}",
        "decided_at": to_plain(trade.decided_at),
        "entry_words": trade.reason,
        "exit_words": trade.exit_words,
        "optimistic": f"{trade.optimistic:f}",
        "pessimistic": f"{trade.pessimistic:f}",
    }


def _fill(fill: Execution) -> list[Any]:
    return [
        to_plain(fill.at),
        fill.symbol,
        fill.side.value,
        f"{fill.price:f}",
        f"{fill.quantity:f}",
        f"{fill.fee:f}",
        fill.liquidity,
        None if fill.optimistic is None else f"{fill.optimistic:f}",
        None if fill.pessimistic is None else f"{fill.pessimistic:f}",
    ]


def _data(history: History) -> dict[str, Any]:
    return {
        "symbol": history.series.symbol,
        "timeframe": history.series.timeframe,
        "candles": len(history.columns),
        "missing": history.missing,
        "gaps": list(history.gaps[:_MOST_GAPS]),
        "sha256": history.digest,
    }


def _paid(history: History, request: Request) -> dict[str, Any]:
    """What was settled in the period and the day before, that the run read."""
    paid = history.funding
    assert paid is not None
    first, last = request.period
    return {
        "symbol": history.series.symbol,
        "payments": len(paid.due(first, last)),
        "since": to_plain(moment(paid.times[0])) if len(paid) else None,
        "sha256": paid.digest,
    }
