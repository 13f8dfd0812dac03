"""A code strategy from its text to a bot that trades, sleeps, and wakes with what it kept."""

import re

import pytest

from tests.e2e.conftest import Installation
from tests.e2e.visitor import Visitor
from tests.waiting import until

SOURCE = '''"""In on one candle, out on a later one, telling how often it has lived."""

from plutarc import Strategy


class Living(Strategy):
    timeframe = "1s"
    sizing = {"kind": "percent_equity", "value": "10"}
    exits = [{"kind": "stop_loss", "params": {"percent": 5}}]
    warmup = 5

    def on_start(self):
        self.state["lives"] = self.state.get("lives", 0) + 1

    def on_candle(self, candle):
        life = f"life {self.state['lives']} with {self.state.get('fills', 0)} fills"
        if self.position is None and candle.time.second % 5 == 0:
            self.enter_long(life, stop=candle.low * 0.98)
        elif self.position is not None and self.position.candles >= 2:
            self.exit(life)
        else:
            self.say(life)

    def on_fill(self, fill):
        self.state["fills"] = self.state.get("fills", 0) + 1
'''
TOLD = re.compile(r"life (\d+) with (\d+) fills")


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path, DEMO="0", ALLOW_CODE_STRATEGIES="1").start()
    yield made
    if made.process.poll() is None:
        made.stop()
    assert made.machines() == {}


def test_from_the_text_to_waking_with_its_state(installation):
    visitor = Visitor(installation.base)
    visitor.open("/signup").submit(
        "/signup", name="Ada", email="ada@example.com", password="seven quiet harbours"
    )
    home = visitor.url
    visitor.open(f"{home}strategies/code").submit("/code", name="Living", source=SOURCE)
    dry_run = visitor.url
    until("it passed", lambda: "It passed" in visitor.open(dry_run).text)
    visitor.submit("/version")
    visitor.open(f"{home}bots/new")
    choices = visitor.page.by_id("strategy").all("option")
    version = next(o.get("value") for o in choices if o.get("value", "").startswith("stv_"))
    visitor.submit("/bots/new", name="Coded", strategy=version, start="y")
    bot = visitor.url

    first = until("two fills of its first life", lambda: told(visitor, bot, life=1, fills=2))
    visitor.open(bot).submit("/stop")
    asleep = re.compile("(?<!falling )asleep|stopped")
    until("asleep", lambda: asleep.search(visitor.open(bot).text) and not installation.machines())
    visitor.open(bot).submit("/start")
    then = until("a second life", lambda: told(visitor, bot, life=2, fills=first))
    assert then >= first


def told(visitor, bot, *, life, fills):
    """How many fills the newest words of a life tell of, once there are so many."""
    found = TOLD.findall(visitor.open(f"{bot}/decisions").text)
    counts = [int(count) for number, count in found if int(number) == life]
    return max(counts) if counts and max(counts) >= fills else None
