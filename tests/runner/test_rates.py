"""Rates are read once for each candle, by those who want them; what is not told stays unknown."""

import asyncio
from math import isnan

import pytest

from runner.engine import Engine
from runner.errors import Operational, Temporary
from runner.rates import UNKNOWN, RateReader
from tests.runner.backtest.hand_history import rules, steps
from tests.runner.hand_market import SYMBOL, HandMarket, StillClock

GATE = {"kind": "funding_gate", "params": {"percent": 1}}
GATED = rules(gates=[GATE])
CANDLE = steps((100, 101, 99, 100))[0]


class Counting(HandMarket):
    """Counts what it is asked for, and refuses what it is told to."""

    def __init__(self, refuses=()):
        super().__init__(StillClock(), [(100, 1)], [(101, 1)])
        self.asked = []
        self.refuses = dict(refuses)

    async def funding(self, symbol):
        return await self._answer("funding", super().funding(symbol))

    async def open_interest(self, symbol):
        return await self._answer("open interest", super().open_interest(symbol))

    async def _answer(self, what, answer):
        self.asked.append(what)
        found = await answer
        if what in self.refuses:
            raise self.refuses[what]
        return found


def looked(market, plan, times=1):
    reader = RateReader(market, SYMBOL, plan)
    for _ in range(times):
        asyncio.run(reader.look())
    return reader


def test_who_reads_no_rates_asks_for_none():
    market = Counting()
    assert looked(market, rules()).take() == UNKNOWN
    assert looked(market, rules(gates=[{**GATE, "enabled": False}])).take() == UNKNOWN
    assert market.asked == []


def test_a_candle_is_one_question_however_often_it_is_looked_for():
    market = Counting()
    reader = looked(market, GATED, times=3)
    assert reader.take() == (0.0001, 1000.0)
    assert market.asked == ["funding", "open interest"]
    assert isnan(reader.take().funding)
    asyncio.run(reader.look())
    assert market.asked == ["funding", "open interest"] * 2


@pytest.mark.parametrize("error", [Temporary("later"), Operational("never")])
@pytest.mark.parametrize("what", ["funding", "open interest"])
def test_what_is_not_told_is_unknown_and_the_other_is_read(what, error):
    market = Counting({what: error})
    rates = looked(market, GATED).take()
    assert [isnan(rate) for rate in rates] == [what == "funding", what == "open interest"]
    assert market.asked == ["funding", "open interest"]


def test_an_unknown_rate_passes_nothing_and_says_so():
    words = []
    for rates in (UNKNOWN, looked(Counting(), GATED).take()):
        verdicts = Engine(GATED).on_candle(CANDLE, None, None, rates).verdicts
        words += [(v.value, v.detail) for v in verdicts if "funding" in v.detail]
    assert words == [
        (0, "the funding rate is not known here"),
        (1, "funding is +0.0100 %, ±1 % passes"),
    ]
