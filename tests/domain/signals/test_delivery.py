"""From the door to the bot: handed over until it is answered, to one machine, and never lost."""

from datetime import timedelta

import pytest

from app.domain.signals import delivery
from app.extensions import db
from app.models import Phase, SignalState
from runner.protocol import SignalAction, SignalOutcome, Verdict
from tests.domain.signals.conftest import BTC, ETH, done, neighbour

ENTERED, EXITED, KEPT, NOTHING, EXPIRED, SUPERSEDED = SignalOutcome


def test_it_is_repeated_until_the_bot_has_told(ears):
    name = ears.send().signal
    for _ in range(3):  # the answer may be lost on its way
        (signal,) = ears.sync()
        assert (signal.id, signal.symbol, signal.action) == (name, BTC, SignalAction.LONG)
    assert ears.row().state is SignalState.DELIVERED
    said = Verdict("external_signal", "signal", 1, "says long")
    told = done(name, ENTERED, "score 1", verdicts=(said,), order="pl-1")
    assert ears.sync(told) == ()
    row = ears.row()
    assert (row.state, row.outcome, row.reason) == (SignalState.DECIDED, ENTERED, "score 1")
    assert row.order_id == "pl-1"
    assert row.verdicts[0]["detail"] == "says long"
    assert ears.sync() == ()


def test_they_come_in_the_order_they_were_received(ears):
    names = []
    for number in range(3):
        ears.later(seconds=1)
        names.append(ears.send(id=str(number), symbol=ETH).signal)
    assert [signal.id for signal in ears.sync()] == names


def test_what_nobody_fetched_in_time_has_expired(ears):
    ears.send()
    ears.later(seconds=60)
    assert ears.sync() == ()
    row = ears.row()
    assert (row.state, row.reason) == (SignalState.EXPIRED, delivery.NOT_FETCHED)


def test_the_bot_may_find_it_too_late_itself(ears):
    name = ears.send().signal
    ears.sync()
    ears.sync(done(name, EXPIRED, "it reached the bot too late"))
    assert ears.row().state is SignalState.EXPIRED


def test_another_machine_never_gets_what_the_first_one_had(ears):
    ears.send(id="1")
    (first,) = ears.sync()
    late = ears.send(id="2", symbol=ETH).signal
    ears.cloud.machines.clear()
    ears.machine.dead_at = ears.now
    old = ears.machine.id
    ears.compute.phase = Phase.ASLEEP
    ears.machine.gone_at = ears.now
    db.session.commit()
    ears.claim_when_there()
    assert ears.machine.id != old
    assert [signal.id for signal in ears.sync()] == [late]
    states = {row.id: row.state for row in ears.rows()}
    assert states[first.id] is SignalState.LOST
    assert states[late] is SignalState.DELIVERED


def test_a_runner_that_boots_again_on_its_machine_gets_it_again(ears):
    name = ears.send().signal
    ears.sync()
    ears.claim("boot-2")
    assert [signal.id for signal in ears.sync()] == [name]


def test_what_is_told_late_counts_after_all(ears):
    name = ears.send().signal
    ears.sync()
    ears.later(minutes=10)
    assert ears.sync() == ()
    assert ears.row().state is SignalState.LOST
    ears.sync(done(name, ENTERED, "score 1", order="pl-1"))
    assert ears.row().state is SignalState.DECIDED


def test_more_may_become_of_it_but_an_entry_is_the_end(ears):
    name = ears.send().signal
    ears.sync()
    ears.sync(done(name, EXITED, "closed"))
    ears.sync(done(name, ENTERED, "closed; then entered", order="pl-1"))
    ears.sync(done(name, NOTHING, "said again by mistake"))
    assert (ears.row().outcome, ears.row().order_id) == (ENTERED, "pl-1")


def test_a_bot_tells_of_its_own_signals_alone(ears):
    one, other = ears, neighbour(ears)
    other.wake()
    name = one.send().signal
    other.sync(done(name, NOTHING, "not mine"), done("sig_nobody", NOTHING, "?"))
    assert one.row().state is SignalState.WAITING


@pytest.mark.parametrize("state", [SignalState.WAITING, SignalState.DELIVERED])
def test_the_sweep_ends_what_no_runner_asks_for(state, ears):
    ears.send()
    if state is SignalState.DELIVERED:
        ears.sync()
        ears.machine.gone_at = ears.now
    ears.later(minutes=6)
    delivery.forget(ears.now)
    assert ears.row().state is (
        SignalState.EXPIRED if state is SignalState.WAITING else SignalState.LOST
    )


def test_old_ones_are_forgotten_with_the_decision_log(ears):
    ears.send()
    delivery.forget(ears.now + timedelta(days=89))
    assert len(ears.rows()) == 1
    delivery.forget(ears.now + timedelta(days=91))
    assert ears.rows() == []
