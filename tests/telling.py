"""A bot whose machine has told of a session: events through the same door as a runner's."""

import math
import random
import secrets
from datetime import timedelta
from decimal import Decimal

from app.domain import ingest
from app.extensions import db
from app.models import BotAddress, BotCompute, Machine, Phase, Run, Wish
from runner.protocol import (
    Candle,
    Candles,
    Check,
    Decision,
    Equity,
    Event,
    EventKind,
    Fill,
    Order,
    OrderStatus,
    Position,
    PositionState,
    Preflight,
    Side,
    Verdict,
    to_plain,
)

KINDS = {
    Candles: EventKind.CANDLES,
    Decision: EventKind.DECISION,
    Equity: EventKind.EQUITY,
    Fill: EventKind.FILL,
    Order: EventKind.ORDER,
    Position: EventKind.POSITION,
    Preflight: EventKind.PREFLIGHT,
}


def awake(bot, now, ip=None, generation=1):
    """Give it an address, a machine that has claimed, and a run."""
    low = secrets.randbelow(2**22)
    ip = ip or f"127.{64 + low // 65536}.{low // 256 % 256}.{low % 256}"
    compute = db.session.get_one(BotCompute, bot.id)
    bot.wish, compute.phase, compute.generation = Wish.FOLLOW, Phase.READY, generation
    if db.session.get(BotAddress, bot.id) is None:
        address = {"name": f"b-{bot.id[-12:]}-ip", "region": "local", "ip": ip}
        keys = {"workspace_id": bot.workspace_id, "bot_id": bot.id}
        db.session.add(BotAddress(**keys, **address, reserved_at=now - timedelta(hours=5)))
    run = Run(
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        mode=bot.mode,
        symbols=bot.symbols,
        strategy_version_id=bot.strategy_version_id,
        starting_balance=bot.starting_balance,
        started_at=now - timedelta(hours=1),
    )
    db.session.add(run)
    db.session.flush()
    machine = Machine(
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        generation=generation,
        name=f"b-{bot.id[-12:]}-g{generation}",
        region="local",
        ip=ip,
        token_hash="0" * 64,
        created_at=now - timedelta(minutes=12),
        running_at=now - timedelta(minutes=12),
        claimed_at=now - timedelta(minutes=12),
        synced_at=now - timedelta(seconds=1),
        run_id=run.id,
        position_state=PositionState.FLAT,
    )
    db.session.add(machine)
    db.session.flush()
    return machine


def machine_of(bot):
    """The machine of a bot that is there."""
    return db.session.query(Machine).filter_by(bot_id=bot.id, gone_at=None).one()


class Teller:
    """Numbers events and hands them to ingest."""

    def __init__(self, bot, machine, now):
        self.bot, self.machine, self.now = bot, machine, now

    def tell(self, *messages, at=None):
        first = self.machine.ack_seq + 1
        batch = tuple(
            Event(seq, KINDS[type(item)], at or self.now, to_plain(item))
            for seq, item in enumerate(messages, first)
        )
        ingest.take(self.bot, self.machine, batch, self.now)
        db.session.flush()


def session(bot, machine, now, candles=300, trades=5, price=63_250.0, holding=True, seed=3):
    """Candles with decisions, closed trades, an open position and an equity line."""
    teller, chance, symbol = Teller(bot, machine, now), random.Random(seed), bot.symbols[0]
    checks = (
        Check("clock", ok=True, detail="4 ms from the venue"),
        Check("address", ok=True, detail=f"the venue sees {machine.ip}"),
        Check("instruments", ok=True, detail="rules of 1 symbol loaded"),
        Check("key_rights", ok=None, detail="paper needs no key"),
    )
    teller.tell(Preflight(True, checks, address_seen=machine.ip, clock_skew_ms=4))
    start = (now - timedelta(seconds=candles)).replace(microsecond=0)
    bars = list(_bars(start, candles, price, chance))
    teller.tell(Candles(symbol, bot.version.rules["timeframe"], tuple(bars)))
    balance, points = Decimal(10_000), []
    for number in range(trades):
        opened = 20 + number * (candles - 60) // trades
        closed = opened + 12 + chance.randrange(18)
        balance += _trade(teller, symbol, bars[opened], bars[closed], number, chance)
        points.append((bars[closed].opened_at, balance))
    for index in range(0, candles, 5):
        moment = bars[index].opened_at
        known = max((value for at, value in points if at <= moment), default=Decimal(10_000))
        known = [value for at, value in points if at <= moment][-1:] or [known]
        drift = Decimal(str(round(1.5 * math.sin(index / 9), 2)))
        teller.tell(Equity(known[0] + drift, known[0], drift), at=moment)
    for bar in bars[-40:]:
        teller.tell(_decision(symbol, bar, chance))
    if holding:
        _hold(teller, symbol, bars[-25], bars[-1], trades)
    return teller


def holding(bot, machine, now, price=63_250.0):
    """The least that a bot in a position tells."""
    teller, symbol = Teller(bot, machine, now), bot.symbols[0]
    start = (now - timedelta(seconds=2)).replace(microsecond=0)
    first, last = _bars(start, 2, price, random.Random(3))
    teller.tell(Candles(symbol, bot.version.rules["timeframe"], (first, last)))
    _hold(teller, symbol, first, last, 0)
    return teller


def _bars(start, count, price, chance):
    for index in range(count):
        before = price
        price *= 1 + chance.gauss(0, 0.00022) + 0.00012 * math.sin(index / 23)
        top = max(before, price) * (1 + abs(chance.gauss(0, 0.00008)))
        low = min(before, price) * (1 - abs(chance.gauss(0, 0.00008)))
        values = (_price(value) for value in (before, top, low, price))
        yield Candle(start + timedelta(seconds=index), *values, Decimal("3.412"))


def _price(value):
    return Decimal(str(round(value, 1)))


def _trade(teller, symbol, first, last, number, chance):
    side = Side.BUY if chance.random() < 0.6 else Side.SELL
    size = Decimal("0.015")
    _fill(teller, symbol, side, size, first, f"t{number}-in", "entry", "entry")
    other = Side.SELL if side is Side.BUY else Side.BUY
    reason = chance.choice(["take_profit", "stop_loss", "signal_flip", "time_stop"])
    _fill(teller, symbol, other, size, last, f"t{number}-out", "exit", reason)
    gain = (last.close - first.close) * size
    return (gain if side is Side.BUY else -gain) - 2 * Decimal("0.38")


def _fill(teller, symbol, side, size, bar, name, purpose, reason):
    order = Order(
        client_id=name,
        symbol=symbol,
        side=side,
        kind="market",
        quantity=size,
        status=OrderStatus.FILLED,
        purpose=purpose,
        decided_at=bar.opened_at,
        reduce_only=purpose == "exit",
        filled=size,
        average=bar.close,
    )
    fee = Decimal("0.38")
    fill = Fill(
        f"f-{name}",
        name,
        symbol,
        side,
        bar.close,
        size,
        fee,
        "USDT",
        "taker",
        bar.opened_at,
        reason,
    )
    teller.tell(order, fill, at=bar.opened_at)


def _hold(teller, symbol, first, last, number):
    size = Decimal("0.015")
    _fill(teller, symbol, Side.BUY, size, first, f"t{number}-in", "entry", "entry")
    open_result = (last.close - first.close) * size
    teller.tell(Position(symbol, size, first.close, last.close, open_result))
    teller.machine.position_state = PositionState.OPEN


def _decision(symbol, bar, chance):
    enters = chance.random() < 0.07
    action = "enter_long" if enters else "none"
    reason = "score 1 reaches 1" if enters else "no signal: score 0 of 1"
    verdicts = (
        Verdict(
            "ema_cross", "signal", int(enters), "fast EMA stays above slow EMA (63251 and 63248)"
        ),
        Verdict("stop_loss", "exit", None, "no position"),
    )
    return Decision(symbol, bar, action, reason, verdicts)
