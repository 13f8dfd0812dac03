"""A bot with streams decides what one without them decides, candle by candle, and no sooner."""

from dataclasses import asdict

import pytest

from runner.protocol import EventKind, Hearing, Mode
from tests.runner.gate import Gate
from tests.runner.machine import Runner, configuration, demo_rules, practice_credentials

CONCLUDED = ("symbol", "candle", "direction", "verdicts", "blocker")
"""What hangs on the candles alone."""
DECIDED = (*CONCLUDED, "action", "reason", "code", "blocked")
LATE = "the candle was seen too late to act on"


def decided(gate):
    """Each decision by its candle. Only of one that was seen too late, what came of it is left out.

    A candle of a second may be seen late on a busy machine, with streams or without.
    """
    found = {}
    for one in gate.told(EventKind.DECISION):
        row = asdict(one)
        kept = CONCLUDED if one.blocked == LATE else DECIDED
        found[one.candle.opened_at] = {name: row[name] for name in kept}
    return found


def heard(gate, by):
    return bool(gate.syncs) and gate.syncs[-1].health.get("hears_by") == by


@pytest.fixture
def pair(practice, pyz, tmp_path):
    """Two runners on accounts of their own; the second one listens as well.

    Both are paused: an entry's price hangs on the moment it is made, and with it all that follows.
    """
    gates = []
    for name, on in (("bot_a", False), ("bot_b", True)):
        settings = configuration(
            practice.url, Mode.TESTNET, demo_rules(), paused=True, streams=on, bot=name
        )
        gates.append(Gate(settings, practice_credentials()))
    with gates[0], gates[1]:
        runners = [Runner(pyz, gate, tmp_path / f"r{n}") for n, gate in enumerate(gates)]
        with runners[0], runners[1]:
            yield gates


def test_the_logs_of_decisions_are_the_same(pair):
    without, listening = pair
    listening.wait(lambda: heard(listening, Hearing.STREAMS))
    without.wait(lambda: heard(without, Hearing.REQUESTS))
    since = max([*decided(listening), *decided(without)])

    def shared():
        logs = [decided(gate) for gate in pair]
        return sorted(at for at in logs[0].keys() & logs[1].keys() if at > since)

    listening.wait(lambda: len(shared()) >= 30)
    both = shared()
    first, second = decided(without), decided(listening)
    for at in both:
        common = first[at].keys() & second[at].keys()
        assert {name: first[at][name] for name in common} == {
            name: second[at][name] for name in common
        }
    # Each of them judged every candle: none was skipped, or taken twice, because something woke it.
    for gate in pair:
        told = [d.candle.opened_at for d in gate.told(EventKind.DECISION)]
        assert [at for at in told if both[0] <= at <= both[-1]] == both
