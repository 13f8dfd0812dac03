"""A code strategy in the real bundle, on paper at the real practice market."""

import signal

import pytest

from runner.protocol import EventKind, Mode, PositionState
from tests.runner.code.sources import hook, rules_of
from tests.runner.gate import Gate
from tests.runner.machine import SYMBOL, Runner, configuration

EAGER = '''"""In on one candle, out on another, and counts them over all its machines' lives."""

from plutarc import Sma, Strategy


class Eager(Strategy):
    timeframe = "1s"
    sizing = {"kind": "fixed_notional", "value": "1000"}
    exits = [{"kind": "stop_loss", "params": {"percent": 5}}]
    warmup = 5

    def on_start(self):
        self.average = self.use(Sma(5))
        self.state["lives"] = self.state.get("lives", 0) + 1

    def on_candle(self, candle):
        self.state["candles"] = self.state.get("candles", 0) + 1
        if self.average.value is None:
            self.say("warming up")
        elif self.position is None:
            self.enter_long(f"candle {self.state['candles']}", stop=candle.low * 0.98)
        elif self.position.candles >= 1:
            self.exit("one candle is enough")

    def on_fill(self, fill):
        self.state["fills"] = self.state.get("fills", 0) + 1

    def on_stop(self):
        self.state["stops"] = self.state.get("stops", 0) + 1
'''


def gate_for(practice, text, **changes):
    return Gate(configuration(practice.url, Mode.PAPER, rules=rules_of(text), **changes))


def kept(gate):
    """What the class keeps, as the platform was last told."""
    states = [told.state for told in gate.told(EventKind.CHECKPOINT)]
    return states[-1]["memos"].get(SYMBOL, {}).get("state", {}) if states else {}


def untold(gate):
    """Fills that the next machine is to tell the class."""
    return len(gate.told(EventKind.CHECKPOINT)[-1].state["memos"][SYMBOL]["fills"])


def alarm(gate, code):
    return next((n for n in gate.told(EventKind.NOTICE) if n.code == code and n.text), None)


def test_it_trades_and_goes_on_with_its_state_after_a_sleep(practice, pyz, tmp_path):
    with gate_for(practice, EAGER) as gate:
        with Runner(pyz, gate, _made(tmp_path / "one"), PLUTARC_CODE="1") as runner:
            gate.wait(lambda: len(gate.closed_trades()) >= 1)
            assert runner.end(signal.SIGTERM) == 0
        first = kept(gate)
        assert first["lives"] == first["stops"] == 1
        assert first["candles"] >= 2
        assert first["fills"] + untold(gate) == len(gate.told(EventKind.FILL)) >= 2
        entered = [d for d in gate.told(EventKind.DECISION) if d.action == "enter_long"]
        assert entered[0].reason.startswith("candle ")
        first_said = entered[0].verdicts[0]
        assert (first_said.component, first_said.role) == ("code", "signal")
        gate.restored = gate.told(EventKind.CHECKPOINT)[-1].state
        gate.generation, before = 2, len(gate.closed_trades())
        with Runner(pyz, gate, _made(tmp_path / "two"), generation=2, PLUTARC_CODE="1") as runner:
            gate.wait(lambda: len(gate.closed_trades()) > before)
            assert runner.end(signal.SIGTERM) == 0
        then = kept(gate)
        assert (then["lives"], then["stops"]) == (2, 2)
        assert then["candles"] > first["candles"]
        # Neither of the two machines told a fill twice, nor lost one on the way.
        assert then["fills"] + untold(gate) == len({f.trade_id for f in gate.told(EventKind.FILL)})


def test_a_hook_that_never_ends_stops_no_stop_and_no_sync(practice, pyz, tmp_path):
    text = hook(
        """
if self.position is not None:
    while True:
        pass
self.enter_long("in")
""",
        timeframe="1s",
    )
    with (
        gate_for(practice, text) as gate,
        Runner(pyz, gate, _made(tmp_path / "disk"), PLUTARC_CODE="1"),
    ):
        gate.wait(lambda: alarm(gate, "code_failed"))
        said = alarm(gate, "code_failed")
        assert said.level == "alarm"
        assert "on_candle, line 12" in said.text or "on_candle, line 13" in said.text
        syncs = len(gate.syncs)
        gate.wait(lambda: len(gate.syncs) > syncs + 1)
        assert gate.syncs[-1].position_state is PositionState.OPEN
        told = {o.client_id: o for o in gate.told(EventKind.ORDER) if o.purpose == "protect"}
        assert [o.status.value for o in told.values()][-1] == "open"
        assert gate.told(EventKind.DECISION)[-1].action == "none"


@pytest.mark.parametrize(
    ("body", "words"),
    [("1 / 0", "ZeroDivisionError"), ("x = [0] * 10**9", "MemoryError")],
)
def test_three_faults_in_a_row_end_the_asking(practice, pyz, tmp_path, body, words):
    with (
        gate_for(practice, hook(body, timeframe="1s")) as gate,
        Runner(pyz, gate, _made(tmp_path / "disk"), PLUTARC_CODE="1"),
    ):
        gate.wait(lambda: alarm(gate, "code_failed"))
        warned = alarm(gate, "code_error")
        assert warned.level == "warning"
        assert f"on_candle, line 11: {words}" in warned.text
        assert "3 candles in a row" in alarm(gate, "code_failed").text


def test_a_machine_that_was_not_told_so_runs_no_code(practice, pyz, tmp_path):
    with gate_for(practice, EAGER) as gate, Runner(pyz, gate, _made(tmp_path / "disk")) as runner:
        gate.wait(lambda: alarm(gate, "cannot_run"))
        assert "not allowed" in alarm(gate, "cannot_run").text
        assert runner.child.wait(30) == 1


def _made(directory):
    directory.mkdir(parents=True)
    return directory
