"""Candles written by hand, kept as if a venue had sent them, and the request that tests on them."""

import io
import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from runner.backtest import command
from runner.backtest.request import read
from runner.history import funding, listing
from runner.history.columns import of_candles
from runner.history.files import Files, Month, Series, bounds, months
from runner.protocol import Candle
from tests.runner.hand_market import BTC, SYMBOL

START = datetime(2026, 7, 10, tzinfo=UTC)
EXCHANGE = "practice"


def rules(signals=None, exits=None, direction="long", **more):
    return {
        "market_type": "linear",
        "timeframe": "1m",
        "direction": direction,
        "signals": signals or [{"kind": "ema_cross", "params": {"fast": 3, "slow": 6}}],
        "filters": [],
        "guards": [],
        "gates": [],
        "exits": exits or [{"kind": "signal_flip", "params": {}}],
        "combination": {"mode": "min_score", "threshold": 1},
        "sizing": {"kind": "fixed_notional", "value": "1000"},
        **more,
    }


def walk(count, seed=1, start=60_000, size=30):
    """A random walk on the tick of a tenth."""
    dice, price, found = random.Random(seed), Decimal(start), []
    for number in range(count):
        close = max(price + Decimal(round(dice.gauss(0, size), 1)).quantize(Decimal("0.1")), 1)
        high = max(price, close) + Decimal(dice.randint(0, 100)) / 10
        low = min(price, close) - Decimal(dice.randint(0, 100)) / 10
        found.append(_candle(number, price, high, low, close))
        price = close
    return found


def steps(*rows):
    """Candles of (open, high, low, close)."""
    return [_candle(number, *(Decimal(str(p)) for p in row)) for number, row in enumerate(rows)]


def _candle(number, opened, high, low, closed):
    return Candle(START + timedelta(minutes=number), opened, high, low, closed, Decimal(5))


def keep(folder, candles, symbol=SYMBOL, gaps=(), paid=()):
    """As a fetch leaves them; the files speak of nothing around these candles.

    ``paid``: what was settled, as pairs of the minute and the rate.
    """
    first, last = (int(c.opened_at.timestamp()) for c in (candles[0], candles[-1]))
    last += 60
    files, columns = Files(folder), of_candles(candles)
    for month in months(first, last):
        since, until = max(bounds(month)[0], first), min(bounds(month)[1], last)
        part = columns.between(since, until)
        files.write(Series(EXCHANGE, symbol, "1m"), month, Month(part, since, until, list(gaps)))
    rates = [(int(START.timestamp() + 60 * at), Decimal(rate)) for at, rate in paid]
    whole = funding.settled(rates, first - 10 * funding.DAY, last + funding.DAY)
    funding.keep(folder, EXCHANGE, symbol, whole)
    listing.keep(folder, EXCHANGE, BTC if symbol == SYMBOL else _named(symbol))


def _named(symbol):
    from dataclasses import replace

    return replace(BTC, symbol=symbol)


def plain(folder, candles, warm, **more):
    """A request for all but the first ``warm`` candles."""
    return {
        "rules": rules(),
        "exchange": EXCHANGE,
        "symbols": [SYMBOL],
        "since": (candles[0].opened_at + timedelta(minutes=warm)).isoformat(),
        "until": (candles[-1].opened_at + timedelta(minutes=1)).isoformat(),
        "folder": str(folder),
        **more,
    }


def request(folder, candles, warm, **more):
    return read(plain(folder, candles, warm, **more))


def asked(wanted):
    """What the command answers, its status, and what it said on the way."""
    out, errors = io.StringIO(), io.StringIO()
    text = wanted if isinstance(wanted, str) else json.dumps(wanted)
    status = command.main(io.StringIO(text), out, errors)
    return json.loads(out.getvalue()), status, errors.getvalue()
