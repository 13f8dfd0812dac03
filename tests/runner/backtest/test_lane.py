"""The fast way through a candle gives what the slow one gives, to the last byte."""

import json
import random

import pytest

from runner.backtest import lane
from runner.backtest.run import histories, instruments, simulate
from tests.runner.backtest.hand_history import keep, request, rules, walk

FLIP = {"kind": "signal_flip", "params": {}}
NEAR = [
    {"kind": "stop_loss", "params": {"percent": 2}},
    {"kind": "take_profit", "params": {"percent": 0.4}},
]
LADDER = {
    "kind": "take_profit_ladder",
    "params": {
        "distance_1": 0.3,
        "share_1": 50,
        "distance_2": 0.5,
        "share_2": 30,
        "distance_3": 0.8,
        "share_3": 20,
    },
}


def told(wanted):
    result = simulate(wanted, histories(wanted), instruments(wanted), lambda *_: None)
    (log,) = result.logs.values()
    return json.dumps(result.plain(), default=str), b"".join(log.chunks())


@pytest.mark.parametrize("exits", [[FLIP], [FLIP, *NEAR], [FLIP, LADDER]])
@pytest.mark.parametrize("spread", ["0", "0.3"])
def test_a_calm_ride_changes_nothing(tmp_path, monkeypatch, exits, spread):
    """A wide spread: the middle price reaches a target long before one could leave there."""
    dice = random.Random(11)
    for _ in range(4):
        folder = tmp_path / str(dice.randrange(10**6))
        candles = walk(900, dice.randrange(10**6))
        keep(folder, candles)
        model = {"spread_percent": spread}
        wanted = request(
            folder, candles, 60, rules=rules(exits=exits, direction="both"), model=model
        )
        fast = told(wanted)
        with monkeypatch.context() as slow:
            slow.setattr(lane, "calm", lambda _: False)
            assert told(wanted) == fast
        assert fast[0].count('"exit_reason"') >= 4, "it traded"
