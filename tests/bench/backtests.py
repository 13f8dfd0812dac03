"""A year of minutes through a strategy: what it takes, beside backtesting.py and freqtrade."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner.exchange.base import Instrument
from runner.history import listing
from runner.history.columns import Columns
from runner.history.files import Files, Month, Series, bounds, months
from tests.bench import backtesters, machine
from tests.bench.report import Figure, Section

SYMBOL, EXCHANGE = "BTC/USDT:USDT", "practice"
FEE = "0.0004"
MOST_CROSS, MOST_FIVE, MOST_MB, MOST_BYTES = 1.0, 4.0, 300.0, 60.0
YEAR = 365 * 24 * 60
_START = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
_METHOD = (
    "{candles:,} seeded candles of one minute, a random walk on a tick of 0.1. *Cross*: long from "
    "one crossing of EMA 50 and 200 to the next, judged at the close, filled at the next open, fee "
    "0.04 %, no spread. *Busy cross*: the same with EMA 12 and 26. *Five components*: that cross "
    "of 50 and 200 with four filters, both directions, a stop of 1 %, a target of 2 %. Each run is "
    "a process of its own on one core; times are those of the run that took the processor least, "
    "of {runs} of ours and one of the others: *run* from the candles in memory to the trades, "
    "engine, paper venue and decision log included; *wall* the same by the clock; *all* from the "
    "start of the process to its end. freqtrade does not tell its run apart. Memory is the most "
    "that was resident. On these two rules the three models agree: long alone, one position, "
    "decided at the close, filled whole at the next opening. A position that is open at the end is "
    "no trade of ours; freqtrade closes it by force, which is not counted. Stops, targets, spread, "
    "depth and funding are modelled differently and are not compared."
)


@dataclass(frozen=True)
class Plan:
    """How much to run."""

    candles: int
    runs: int
    peers: bool = True


@dataclass(frozen=True)
class Ran:
    """What one contender took; ``trades`` are (entry, exit) in seconds since the epoch.

    ``run`` and ``whole`` are of the processor, ``wall`` is the run by the clock.
    """

    name: str
    rule: str
    run: float
    wall: float
    whole: float
    mb: float
    trades: tuple[tuple[int, int], ...]
    log_bytes: float = 0.0
    decided: int = 0


def measure(plan: Plan) -> Section:
    """Ours in three rules, then both peers on the first two."""
    home = machine.ROOT / "var" / "bench" / "backtest"
    shutil.rmtree(home, ignore_errors=True)
    candles = walk(plan.candles)
    keep(home / "candles", candles)
    section = Section("Backtest", _METHOD.format(candles=plan.candles, runs=plan.runs))
    ours = {name: _least(lambda n=name: _ours(home, plan, n), plan.runs) for name in RULES}
    whole = plan.candles >= YEAR
    section.figures = [
        Figure("EMA cross, run", ours["cross"].run, "s", most=MOST_CROSS if whole else None),
        Figure("five components, run", ours["five"].run, "s", most=MOST_FIVE if whole else None),
        Figure("memory", max(one.mb for one in ours.values()), "MB", most=MOST_MB),
        Figure("decision log", ours["five"].log_bytes, "bytes per candle", most=MOST_BYTES),
    ]
    rows, rules = list(ours.values()), {"cross": (50, 200), "busy": (12, 26)}
    side_by_side = list[list[str]]()
    if plan.peers:
        for peer in (backtesters.backtesting, backtesters.freqtrade):
            try:
                told = peer(home, candles, rules, FEE)
            except RuntimeError as error:
                section.gaps.append(f"{peer.__name__}, which could not be run here: {error}")
                continue
            theirs = [Ran(**one) for one in told]
            rows += theirs
            section.figures += [_same(one, ours[one.rule]) for one in theirs]
            side_by_side += [compared(one, ours[one.rule]) for one in theirs]
    section.tables.append((_HEAD, [_row(one) for one in rows]))
    if side_by_side:
        section.tables.append((_SIDE_BY_SIDE, side_by_side))
    return section


_HEAD = ["program", "rule", "run, s CPU", "run, s wall", "all, s CPU", "memory, MB", "trades"]
_SIDE_BY_SIDE = [
    "program",
    "rule",
    "its trades",
    "ours",
    "same entry and exit",
    "same entry, other exit",
    "its alone",
    "ours alone",
    "first that differs",
]


def _row(one: Ran) -> list[str]:
    return [
        one.name,
        one.rule,
        f"{one.run:.2f}",
        f"{one.wall:.2f}",
        f"{one.whole:.2f}",
        f"{one.mb:.0f}",
        f"{len(one.trades):,}",
    ]


def _same(theirs: Ran, ours: Ran) -> Figure:
    """How many of their trades are ours, to the minute of entry and exit."""
    shared = len(set(theirs.trades) & set(ours.trades))
    what = f"trades of {theirs.name} ({theirs.rule}) that are ours as well"
    return Figure(what, shared, same_as=len(theirs.trades))


def compared(theirs: Ran, ours: Ran) -> list[str]:
    """Both lists of trades side by side, to the minute."""
    shared = set(theirs.trades) & set(ours.trades)
    entries = {at for at, _ in theirs.trades} & {at for at, _ in ours.trades}
    strange = sorted(set(theirs.trades) ^ set(ours.trades))
    counts = (
        len(theirs.trades),
        len(ours.trades),
        len(shared),
        len(entries - {at for at, _ in shared}),
        sum(at not in entries for at, _ in theirs.trades),
        sum(at not in entries for at, _ in ours.trades),
    )
    first = f"{datetime.fromtimestamp(strange[0][0], UTC):%Y-%m-%d %H:%M}" if strange else "none"
    return [theirs.name, theirs.rule, *(f"{count:,}" for count in counts), first]


def _least(run: Callable[[], Ran], times: int) -> Ran:
    return min((run() for _ in range(times)), key=lambda one: one.run)


def _ours(home: Path, plan: Plan, rule: str) -> Ran:
    """One run in a process of its own."""
    wanted = json.dumps(request(home / "candles", plan.candles, RULES[rule]))
    told = subprocess.run(
        [sys.executable, "-m", "tests.bench.backtest_run"],
        cwd=machine.ROOT,
        input=wanted,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    answer: dict[str, Any] = json.loads(told.stdout)
    trades = tuple((entry, out) for entry, out in answer.pop("trades"))
    return Ran(name="plutarc", rule=rule, trades=trades, **answer)


def walk(count: int, seed: int = 7) -> Columns:
    """A random walk in tenths."""
    dice, price, columns = random.Random(seed), 600_000, Columns(1, 3)
    for number in range(count):
        close = max(price + int(dice.gauss(0, 300)), 1_000)
        high = max(price, close) + int(abs(dice.gauss(0, 100)))
        low = max(min(price, close) - int(abs(dice.gauss(0, 100))), 1)
        row = (_START + 60 * number, price, high, low, close, dice.randrange(1, 10**6))
        for column, value in zip(columns.all, row, strict=True):
            column.append(value)
        price = close
    return columns


def keep(folder: Path, candles: Columns) -> None:
    """As a fetch leaves them."""
    first, last = candles.times[0], candles.times[-1] + 60
    for month in months(first, last):
        since, until = max(bounds(month)[0], first), min(bounds(month)[1], last)
        content = Month(candles.between(since, until), since, until, [])
        Files(folder).write(Series(EXCHANGE, SYMBOL, "1m"), month, content)
    tenth, lot = Decimal("0.1"), Decimal("0.001")
    fee = Decimal(FEE)
    listing.keep(
        folder, EXCHANGE, Instrument(SYMBOL, "USDT", tenth, lot, lot, Decimal(5), fee, fee)
    )


def request(folder: Path, count: int, rules: dict[str, Any]) -> dict[str, Any]:
    """All candles but the first thousand, which warm the averages up."""
    moments = (_START + 60 * min(1000, count // 2), _START + 60 * count)
    since, until = (datetime.fromtimestamp(at, UTC).isoformat() for at in moments)
    return {
        "rules": rules,
        "exchange": EXCHANGE,
        "symbols": [SYMBOL],
        "since": since,
        "until": until,
        "folder": str(folder),
        "model": {"spread_percent": "0", "funding_rate": "0"},
    }


def _rules(fast: int, slow: int, filters: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    return {
        "market_type": "linear",
        "timeframe": "1m",
        "direction": "both" if filters else "long",
        "signals": [{"kind": "ema_cross", "params": {"fast": fast, "slow": slow}}],
        "filters": list(filters),
        "guards": [],
        "gates": [],
        "exits": [{"kind": "signal_flip", "params": {}}, *(_LEVELS if filters else ())],
        "combination": {"mode": "min_score", "threshold": 1},
        "sizing": {"kind": "percent_equity", "value": "10"},
    }


_LEVELS = (
    {"kind": "stop_loss", "params": {"percent": 1}},
    {"kind": "take_profit", "params": {"percent": 2}},
)
RULES = {
    "cross": _rules(50, 200),
    "busy": _rules(12, 26),
    "five": _rules(
        50,
        200,
        [
            {"kind": "min_volatility", "params": {"period": 14, "percent": 0.01}},
            {"kind": "rsi_momentum", "params": {"period": 14, "margin": 0}},
            {"kind": "adx_strength", "params": {"period": 14, "level": 5}},
            {"kind": "volume_spike", "params": {"period": 20, "multiple": 0.2}},
        ],
    ),
}
"""The rules by name; all five components are asked at every candle."""
