"""Each template trades: on a made-up market it enters on both sides and leaves again."""

import random
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from runner.engine import Engine
from runner.step import EXIT
from runner.strategy import TEMPLATES
from runner.strategy.spec import TIMEFRAMES, Bar, Holding

MONDAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()


def market(span, count, seed=3):
    """Calm and storm, trends and none, funding that swings; no market that ever was."""
    chance, price, wild, drift = random.Random(seed), 100.0, 1.0, 0.0
    size = 0.0006 * (span / 60) ** 0.5
    for place in range(count):
        if place % 200 == 0:
            wild = chance.choice((0.4, 0.7, 1, 2))
            drift = chance.choice((-0.3, -0.1, 0, 0.1, 0.3)) * size
        opening = price
        price *= 1 + chance.gauss(drift, size * wild)
        high = max(opening, price) * (1 + abs(chance.gauss(0, size * wild / 2)))
        low = min(opening, price) * (1 - abs(chance.gauss(0, size * wild / 2)))
        volume, funding = chance.expovariate(1) * wild + 0.1, chance.gauss(0, 0.0003)
        yield Bar(opening, high, low, price, volume, MONDAY + span * place, funding, 100.0)


def trade(rules, bars):
    """What was done, by kind; exits are judged at closes only."""
    engine, holding, done = Engine(rules), None, Counter()
    for bar in bars:
        if holding is not None:
            holding = holding._replace(candles=holding.candles + 1, anchors=engine.anchors(holding))
        step = engine.on_bar(bar, holding)
        if step.action == EXIT:
            call = step.exit()
            done["exit"] += 1
            holding = holding._replace(steps=call.steps) if call.share < 1 else None
        elif step.action:
            done[step.action] += 1
            opened = datetime.fromtimestamp(bar.at + engine.candle_seconds, UTC)
            holding = Holding(step.action, Decimal(repr(bar.close)), opened_at=opened)
        if holding is not None:
            best = Decimal(repr(bar.high if holding.side > 0 else bar.low))
            if holding.best is None or (best - holding.best) * holding.side > 0:
                holding = holding._replace(best=best)
        if min(done[1], done[-1], done["exit"]) > 1:
            break
    return done


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.key)
def test_every_template_trades_both_ways(template):
    done = trade(template.rules, market(TIMEFRAMES[template.rules["timeframe"]], 8000))
    assert min(done[1], done[-1], done["exit"]) > 1


def test_there_are_a_dozen_to_choose_from():
    assert len({template.key for template in TEMPLATES}) == len(TEMPLATES) >= 12
    assert {"trend following", "mean reversion", "breakout", "funding fade", "grid", "DCA"} <= {
        template.family for template in TEMPLATES
    }
