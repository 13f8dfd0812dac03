"""Woken at any moment, a bot decides and trades as one that is not: the same log, to the letter."""

import asyncio
import random
from datetime import timedelta
from decimal import Decimal

from runner.protocol import Candle, EventKind, Window, payload
from tests.runner.hand_desk import hand, rules
from tests.runner.hand_market import SYMBOL

SECONDS = 400
SPAN = timedelta(seconds=1)


def price(index):
    """Waves of different lengths, so that the demo enters, leaves, and is stopped out."""
    return Decimal(100_000 + 900 * ((index // 25) % 4) - 700 * ((index // 7) % 3) + index % 5)


def candle(index, began):
    opened, closed = price(index), price(index + 1)
    high, low = max(opened, closed) + 10, min(opened, closed) - 10
    return Candle(began + index * SPAN, opened, high, low, closed, Decimal(5))


def lived(directory, woken):
    """One bot's decisions and orders; ``woken``: streams wake it, truly and falsely."""

    async def go(one):
        began, dice = one.clock.now(), random.Random(5)
        shift = 400  # candles there were before

        async def candles(_symbol, _timeframe, limit):
            newest = int((one.clock.now() - began) / SPAN) + shift
            first = began - shift * SPAN
            return [candle(index, first) for index in range(max(newest - limit + 1, 0), newest + 1)]

        one.market.candles = candles
        one.bench.standing.preflight_passed = True
        one.bench.standing.lease_deadline = float("inf")
        open_for = timedelta(days=1)
        one.bench.standing.windows = (Window(began - open_for, began + open_for),)
        await one.desk.settle()
        one.desk.searched = True
        for trader in one.loop._traders:
            await trader.warm_up()
        for index in range(SECONDS):
            one.clock.advance()
            one.broker.move(price(index + shift + 1))
            await one.loop._trade()
            if woken:
                await disturbed(one, dice)
        kept = (EventKind.DECISION, EventKind.ORDER, EventKind.FILL)
        return [payload(e) for e in one.bench.outbox.pending(10**6) if e.kind in kept]

    with hand(directory, rules=rules()) as one:
        return asyncio.run(go(one))


async def disturbed(one, dice):
    heard = one.bench.streams
    for _ in range(dice.randrange(3)):
        heard.account()
        heard.candle(SYMBOL, one.clock.now() - dice.randrange(3) * SPAN, dice.random())
        heard.missed = dice.random() < 0.1
        await one.loop._trade()


def test_the_log_is_the_same_to_the_letter(tmp_path):
    plain = lived(tmp_path / "plain", woken=False)
    assert lived(tmp_path / "woken", woken=True) == plain
    assert {"enter_long", "exit", "none"} <= {getattr(event, "action", "") for event in plain}
