"""A bot that judges candles as a runner does and keeps what the platform keeps of it."""

import copy
from datetime import timedelta

from runner.engine import Engine
from runner.strategy.spec import Holding
from tests.runner.backtest import hand_history

WARM = 310
RULES = hand_history.rules(
    exits=[
        {"kind": "stop_loss", "params": {"percent": 5}},
        {"kind": "time_stop", "params": {"candles": 4}},
        {"kind": "signal_flip", "params": {}},
    ],
    direction="both",
)


class Bot:
    """Judges candles as a runner does, and keeps what the platform keeps."""

    def __init__(self, rules, candles, *, restarts=(), blocked=()):
        self.rules, self.candles = rules, candles
        self.judged, self.held, self.starts = [], [], []
        self.said = []
        self.position = None
        engine = None
        for place in range(WARM, len(candles)):
            if engine is None or place in restarts:
                engine = Engine(rules)
                engine.warm(candles[place - 301 : place])
                self.starts.append(candles[place].opened_at.timestamp() + 5)
            against = "paused" if place in blocked else None
            self._judge(engine, candles[place], place, against)

    def _judge(self, engine, candle, place, against):
        at = int(candle.opened_at.timestamp())
        holding = None
        if self.position is not None:
            side, price, since = self.position
            age = place - since
            opened = self.candles[since].opened_at + timedelta(minutes=1)
            holding = Holding(side, price, age, None, opened)
            holding = holding._replace(anchors=engine.anchors(holding))
        step = engine.on_candle(candle, holding, against)
        self.said.append((candle, step))
        values = [v.value for v in step.verdicts if v.role != "exit"]
        fired = [v.value for v in step.verdicts if v.role == "exit"] or None
        self.judged.append([at, step.action, f"{candle.close:f}", values, fired])
        if step.action == "exit":
            self.held[-1][1] = at + 62
            self.position = None
        elif step.action.startswith("enter"):
            side = 1 if step.action == "enter_long" else -1
            self.position = side, candle.close, place
            self.held.append([at + 61, None, side, f"{candle.close:f}", at])

    def seen(self):
        return {
            "candles": [_row(candle) for candle in self.candles],
            "judged": copy.deepcopy(self.judged),
            "starts": self.starts,
            "held": self.held,
        }


def _row(it):
    numbers = (it.open, it.high, it.low, it.close, it.volume)
    return [int(it.opened_at.timestamp()), *(f"{number:f}" for number in numbers)]
