"""Sources of code strategies for tests, and the rules they declare."""

from runner.strategy import source

CROSSING = '''"""Enters while a fast average is above a slow one."""

from plutarc import Ema, Strategy


class Crossing(Strategy):
    timeframe = "1m"
    sizing = {"kind": "fixed_notional", "value": "1000"}
    exits = [{"kind": "stop_loss", "params": {"percent": 2}}]
    warmup = 30
    parameters = {"fast": (3, 2, 50), "slow": (6, 3, 100)}

    def on_start(self):
        self.fast = self.use(Ema(self.params["fast"]))
        self.slow = self.use(Ema(self.params["slow"]))
        self.state.setdefault("candles", 0)
        self.state.setdefault("fills", [])

    def on_candle(self, candle):
        self.state["candles"] += 1
        if self.fast.value is None or self.slow.value is None:
            return
        above = self.fast.value > self.slow.value
        if self.position is None and above:
            self.enter_long("the fast average is above", stop=candle.low * 0.99)
        elif self.position is not None and not above:
            self.exit("the fast average is below")

    def on_fill(self, fill):
        self.state["fills"] = (self.state["fills"] + [fill.side])[-50:]

    def on_stop(self):
        self.state["stopped"] = self.state.get("stopped", 0) + 1
'''


def hook(body, *, timeframe="1m", more="", start="pass"):
    """A class whose ``on_candle`` is this text; a line of it stands in line 11 and on."""
    lines = "\n".join(f"        {line}" for line in body.strip("\n").split("\n"))
    return f"""from plutarc import *

class Odd(Strategy):
    timeframe = "{timeframe}"
    sizing = {{"kind": "fixed_notional", "value": "1000"}}
    exits = [{{"kind": "stop_loss", "params": {{"percent": 2}}}}]
    def on_start(self):
        {start}
    {more or "warmup = 2"}
    def on_candle(self, candle):
{lines}
""".replace("from plutarc import *", "from plutarc import Ema, Sma, Strategy")


def rules_of(text):
    """The rules a sound source declares."""
    reading = source.read(text)
    assert not reading.faults, reading.faults
    return reading.rules
