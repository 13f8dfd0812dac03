"""Made-up markets for indicators and components: walks, flats, gaps; the same for everybody."""

import random

from runner.strategy.spec import Bar

MIDNIGHT = 1_767_225_600.0  # 2026-01-01 00:00 UTC, a Thursday


def walk(length, seed=1, *, price=100.0, share=0.004, step=60.0, start=MIDNIGHT):
    """A random walk with wicks, uneven volume, funding and open interest."""
    draw = random.Random(seed)
    bars = []
    funding, interest = 0.0001, 1000.0
    for index in range(length):
        opened = price
        price = round(price * (1 + draw.gauss(0, share)), 4)
        high = round(max(opened, price) * (1 + abs(draw.gauss(0, share / 2))), 4)
        low = round(min(opened, price) * (1 - abs(draw.gauss(0, share / 2))), 4)
        volume = round(draw.lognormvariate(3, 1), 3)
        if index % 480 == 0:
            funding = round(draw.gauss(0, 0.0003), 6)
        interest = round(max(1.0, interest * (1 + draw.gauss(0, 0.002))), 3)
        at = start + index * step
        bars.append(Bar(opened, high, low, price, volume, at, funding, interest))
    return bars


def flat(length, price=60_000.1, *, start=MIDNIGHT):
    return [
        Bar(price, price, price, price, 5.0, start + 60.0 * i, 0.0001, 1000.0)
        for i in range(length)
    ]


def joined(*parts):
    """The parts one after another, their times made one row; prices jump at the seams."""
    bars = [bar for part in parts for bar in part]
    return [bar._replace(at=MIDNIGHT + 60.0 * i) for i, bar in enumerate(bars)]


MARKETS = {
    "walk": walk(1500, 7),
    "dear": walk(1500, 8, price=64_000.0, share=0.0008),
    "cheap": walk(1500, 9, price=2.5, share=0.01),
    "flat": flat(300),
    "gaps": joined(
        walk(200, 10), flat(150, 80.0), walk(200, 11, price=130.0), walk(300, 12, price=95.0)
    ),
}
