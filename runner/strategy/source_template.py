"""The source a new code strategy begins with: every hook, and what each is for."""

TEMPLATE = '''"""Long while a fast average is above a slow one."""

from plutarc import Atr, Ema, Strategy


class Crossing(Strategy):
    # What the platform reads without running this: plain values only.
    timeframe = "5m"
    direction = "long"
    sizing = {"kind": "percent_equity", "value": "10"}
    exits = [{"kind": "stop_loss", "params": {"percent": 3}}]
    warmup = 120
    parameters = {"fast": (12, 2, 100), "slow": (26, 5, 200), "width": (2.5, 0.5, 10)}

    def on_start(self):
        """A machine begins: make indicators, which read the history next. State is there."""
        self.fast = self.use(Ema(self.params["fast"]))
        self.slow = self.use(Ema(self.params["slow"]))
        self.atr = self.use(Atr(14))
        self.state.setdefault("entries", 0)

    def on_candle(self, candle):
        """A candle closed: say what you want, and why."""
        if self.slow.value is None or self.atr.value is None:
            self.say("warming up")
            return
        above = self.fast.value > self.slow.value
        if self.position is None:
            if above:
                stop = candle.close - self.params["width"] * self.atr.value
                self.enter_long("the fast average is above the slow one", stop=stop)
            else:
                self.say("the fast average is below the slow one")
        elif not above:
            self.exit("the fast average fell below the slow one")
        else:
            self.set_stop(candle.close - self.params["width"] * self.atr.value)

    def on_fill(self, fill):
        """An order was filled."""
        if fill.side == "buy":
            self.state["entries"] += 1

    def on_stop(self):
        """The machine ends in order: what is in self.state is kept for the next one."""
'''
