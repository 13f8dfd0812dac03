"""A check of a bot against a backtest that is done: one of four hundred candles differs."""

from datetime import timedelta
from decimal import Decimal

from app.domain import drift
from app.domain.drift import Deal
from app.extensions import db
from app.models import BacktestState, ReadinessCheck
from runner.protocol import Mode, Side

MINUTE = timedelta(minutes=1)


def deal(decided, entry=100, out=101, fees="0.1", **more):
    """A trade of one unit that was held for three candles."""
    sign = -1 if more.get("side") is Side.SELL else 1
    quantity = Decimal(more.pop("quantity", 1))
    funding = Decimal(more.pop("funding", 0))
    net = sign * (Decimal(out) - Decimal(entry)) * quantity - Decimal(fees) + funding
    values = {
        "symbol": "BTC/USDT:USDT",
        "decided_at": decided,
        "side": Side.BUY,
        "quantity": quantity,
        "entry_price": Decimal(entry),
        "exit_price": Decimal(out),
        "fees": Decimal(fees),
        "funding": funding,
        "net": net,
        "closed_at": decided + 4 * MINUTE,
    }
    return Deal(**(values | more))


def parity(symbol, at, differing=1, **more):
    """What the runner says of four hundred candles."""
    verdict = {"component": "ema_cross", "role": "signal", "value": 1, "detail": "crossed above"}
    one = {
        "symbol": symbol,
        "at": int(at.timestamp()),
        "action": "enter_long",
        "reason": "score 1 reached the threshold 1",
        "verdicts": [verdict],
        "rewritten": False,
    }
    told = {
        "judged": 402,
        "compared": 400,
        "equal": 400 - differing,
        "differing": differing,
        "held_back": 3,
        "unfit": 1,
        "unread": 1,
        "rewritten": 0,
        "left_out": [],
        "differences": [one] * min(differing, 20),
    }
    return told | more


def pinned(symbol):
    """What made it so."""
    data = [{"symbol": symbol, "candles": 700, "missing": 0, "sha256": "ab" * 32}]
    return {
        "engine": "cd" * 32,
        "runner": "1.0",
        "strategy": "ef" * 32,
        "model": {"name": "candles", "spread_percent": "0.02"},
        "data": data,
    }


def row(bot, now, state=BacktestState.DONE, **more):
    """One, of the last four hundred minutes of a bot."""
    symbol, since = bot.symbols[0], now - timedelta(minutes=400)
    made = ReadinessCheck(
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        strategy_version_id=more.pop("version", bot.version).id,
        symbols=more.pop("symbols", bot.symbols),
        mode=Mode.PAPER,
        state=state,
        heard_at=now,
        ended_at=more.pop("ended_at", now),
        created_at=more.pop("created_at", now),
    )
    if state is BacktestState.DONE:
        ours, theirs = deal(since, entry="100.2"), deal(since)
        made.since, made.until = since, now
        made.parity = more.pop("parity", None) or parity(symbol, since)
        found = more.pop("drift", None) or drift.compare([ours], [theirs], MINUTE)
        made.drift = drift.plain(found, Decimal(10_000))
        made.pinned = pinned(symbol)
    for name, value in more.items():
        setattr(made, name, value)
    db.session.add(made)
    db.session.flush()
    return made
