"""The whole live path: the real bundle in live mode, on the venue that exists for tests alone."""

import signal

from runner.protocol import PRACTICE_LIVE, CommandKind, EventKind, Mode, OrderStatus
from tests.runner.gate import Gate
from tests.runner.machine import Runner, configuration, practice_credentials
from tests.runner.test_live import SOURCES, assert_adds_up, eager, held, is_open


def gate_for():
    settings = configuration(None, Mode.LIVE, eager(), exchange="practice-live")
    gate = Gate(settings, practice_credentials())
    gate.address = next(SOURCES)
    return gate


def test_a_live_bot_checks_trades_protects_and_leaves(practice, pyz, tmp_path):
    live = {PRACTICE_LIVE: practice.url}
    with (
        gate_for() as gate,
        Runner(pyz, gate, tmp_path / "bot", source=gate.address, **live) as bot,
    ):
        gate.wait(lambda: is_open(gate))
        told = {check.name: check.ok for check in gate.told(EventKind.PREFLIGHT)[0].checks}
        assert told["withdrawal right"]
        assert told["trading right"]
        assert told["account"]
        gate.wait(
            lambda: [
                order
                for order in gate.told(EventKind.ORDER)
                if order.kind == "stop_market" and order.status is OrderStatus.OPEN
            ]
        )
        gate.command(CommandKind.PAUSE_ENTRIES)
        flatten = gate.command(CommandKind.FLATTEN)
        gate.wait(lambda: gate.done(flatten) and gate.flat())
        assert bot.end(signal.SIGTERM) == 0
        assert_adds_up(gate)
        assert held(gate) == 0


def test_without_the_switch_it_says_that_it_cannot_run(practice, pyz, tmp_path):
    with gate_for() as gate, Runner(pyz, gate, tmp_path / "bot", source=gate.address) as bot:
        gate.wait(lambda: bot.child.poll() is not None)
        assert bot.child.returncode == 1
        (notice,) = gate.told(EventKind.NOTICE)
        assert notice.code == "cannot_run"
        assert "is for tests" in notice.text
        assert not gate.told(EventKind.ORDER)
