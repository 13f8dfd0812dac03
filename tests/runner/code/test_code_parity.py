"""What a class had a runner do at the practice market, it decides again on the recording."""

import asyncio

import pytest

from runner.protocol import Mode
from tests.runner.backtest.alike import again, agrees, live, logged
from tests.runner.code.sources import rules_of

KNOWING = '''"""Says all it knows with each candle: a difference anywhere shows in the log."""

from plutarc import Ema, Strategy


class Knowing(Strategy):
    timeframe = "1s"
    sizing = {"kind": "fixed_notional", "value": "1000"}
    exits = [{"kind": "stop_loss", "params": {"percent": 0.05}}]
    filters = [{"kind": "min_volatility", "params": {"period": 2, "percent": 0.002}}]
    warmup = 10

    def on_start(self):
        self.fast, self.slow = self.use(Ema(2)), self.use(Ema(4))
        self.state.setdefault("candles", 0)
        self.state.setdefault("fills", [])

    def on_candle(self, candle):
        self.state["candles"] += 1
        if candle.time.second % 13 == 7:
            1 / 0
        held = self.position
        told = [self.state["candles"], self.fast.value, self.slow.value, self.state["fills"]]
        if held is not None:
            told += [held.side, held.entry_price, held.candles, held.opened_at, held.stop]
        words = " ".join(str(one) for one in told)
        above = self.fast.value > self.slow.value
        if held is None and above:
            self.enter_long(words, stop=candle.low * 0.9995)
        elif held is None:
            self.enter_short(words, stop=candle.high * 1.0005)
        elif held.candles >= 3 or above != (held.side == "long"):
            self.exit(words)
        else:
            self.say(words)

    def on_fill(self, fill):
        self.state["fills"] = [PRICED]
'''
PRICED = "fill.time.timestamp(), fill.side, fill.price, fill.quantity, fill.fee"
PAPER = rules_of(KNOWING.replace("PRICED", PRICED))
# Where the venue fills by itself, price, fee and moment of a fill are its own.
UNPRICED = (
    KNOWING.replace("PRICED", "fill.side")
    .replace("held.entry_price, ", "")
    .replace(", stop=candle.low * 0.9995", "")
    .replace(", stop=candle.high * 1.0005", "")
    .replace('"stop_loss", "params": {"percent": 0.05}', '"time_stop", "params": {"candles": 5}')
)
TESTNET = rules_of(UNPRICED)


@pytest.fixture(scope="module")
def paper(practice, tmp_path_factory):
    """A recording of a paper runner, and what it decided."""
    directory = tmp_path_factory.mktemp("paper")
    return directory, asyncio.run(live(directory, practice.url, Mode.PAPER, PAPER, trades=3))


def test_a_class_on_paper_and_on_its_recording_decides_alike(paper):
    directory, told = paper
    rows = logged(again(directory, PAPER))
    assert len(told) == len(rows)
    for decision, row in zip(told, rows, strict=True):
        agrees(decision, row)


def test_a_class_on_the_practice_market_and_on_its_recording_decides_alike(practice, tmp_path):
    told = asyncio.run(live(tmp_path, practice.url, Mode.TESTNET, TESTNET, trades=3))
    rows = logged(again(tmp_path, TESTNET))
    assert len(told) == len(rows)
    for decision, row in zip(told, rows, strict=True):
        agrees(decision, row)
