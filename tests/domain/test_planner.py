"""The planner's table, and what it must never do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import planner
from app.domain.lifecycle import SILENCE, Tempo
from app.domain.planner import Action, CallFacts, Facts, MachineFacts
from app.gateways.compute.driver import StepKind
from app.models.compute import Desired, Phase, Renewal
from runner.protocol import PositionState

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TEMPO = Tempo(
    wake_lead=timedelta(seconds=3),
    sleep_min_gap=timedelta(seconds=20),
    flat_for=timedelta(seconds=3),
    observe_every=timedelta(seconds=5),
)


def machine(**values):
    facts = {
        "dead": False,
        "observed_at": NOW,
        "synced_at": NOW,
        "position_state": PositionState.FLAT,
        "open_orders": 0,
        "drained": False,
    }
    return MachineFacts(**(facts | values))


def facts(phase, desired=Desired.RUN, **values):
    known = {
        "phase_since": NOW,
        "machine": None,
        "flat_since": None,
        "retry_at": None,
        "next_change": NOW + timedelta(hours=1),
    }
    return Facts(desired=desired, phase=phase, **(known | values))


def action(*args, **values):
    return planner.plan(facts(*args, **values), NOW, TEMPO).action


DRAINED = {"drained": True, "position_state": PositionState.FLAT, "open_orders": 0}
OBSERVE, LATELY = Action.OBSERVE_MACHINE, NOW - timedelta(seconds=2)
LONG_FLAT = NOW - timedelta(seconds=3)


@pytest.mark.parametrize(
    ("phase", "desired", "known", "expected"),
    [
        (Phase.NEW, Desired.SLEEP, {}, Action.RESERVE_ADDRESS),
        (Phase.NEW, Desired.GONE, {}, Action.RELEASE_ADDRESS),
        (Phase.ADDR_WAIT, Desired.RUN, {}, Action.RESERVE_ADDRESS),
        (Phase.ASLEEP, Desired.RUN, {}, Action.INSERT_MACHINE),
        (Phase.ASLEEP, Desired.SLEEP, {}, Action.WAIT),
        (Phase.ASLEEP, Desired.GONE, {}, Action.RELEASE_ADDRESS),
        (Phase.CREATING, Desired.RUN, {"machine": machine()}, Action.WAIT),
        (Phase.CREATING, Desired.RUN, {"machine": machine(observed_at=None)}, OBSERVE),
        (Phase.CREATING, Desired.RUN, {"machine": machine(observed_at=LATELY)}, OBSERVE),
        (Phase.BOOTING, Desired.RUN, {"machine": machine()}, Action.WAIT),
        (Phase.BOOTING, Desired.RUN, {"machine": machine(dead=True)}, Action.READ_CONSOLE),
        (Phase.READY, Desired.RUN, {"machine": machine()}, Action.WAIT),
        (Phase.READY, Desired.SLEEP, {"machine": machine()}, Action.ASK_DRAIN),
        (Phase.READY, Desired.GONE, {"machine": machine()}, Action.ASK_DRAIN),
        (Phase.READY, Desired.RUN, {"machine": machine(dead=True)}, Action.DELETE_MACHINE),
        (Phase.DRAINING, Desired.RUN, {"machine": machine()}, Action.CANCEL_DRAIN),
        (Phase.DRAINING, Desired.SLEEP, {"machine": machine()}, Action.WAIT),
        (
            Phase.DRAINING,
            Desired.SLEEP,
            {"machine": machine(**DRAINED), "flat_since": LONG_FLAT},
            Action.DELETE_MACHINE,
        ),
        (
            Phase.DRAINING,
            Desired.SLEEP,
            {"machine": machine(**DRAINED), "flat_since": NOW},
            Action.WAIT,
        ),
        (Phase.DELETING, Desired.RUN, {"machine": machine()}, Action.DELETE_MACHINE),
        (Phase.BLOCKED, Desired.RUN, {}, Action.UNBLOCK),
        (Phase.RELEASED, Desired.GONE, {}, Action.WAIT),
    ],
)
def test_the_table(phase, desired, known, expected):
    assert action(phase, desired, **known) is expected


@pytest.mark.parametrize(
    "doubt",
    [
        {"drained": False},
        {"position_state": PositionState.OPEN},
        {"position_state": PositionState.UNKNOWN},
        {"open_orders": 1},
        {"synced_at": NOW - planner.PROOF_AGE - timedelta(seconds=1), "observed_at": NOW},
    ],
)
def test_without_proof_of_flat_no_machine_goes(doubt):
    known = machine(**(DRAINED | doubt))
    assert action(Phase.DRAINING, Desired.SLEEP, machine=known, flat_since=LONG_FLAT) is (
        Action.WAIT
    )


def test_a_silent_machine_is_looked_at_and_not_deleted():
    silent = machine(synced_at=NOW - SILENCE - timedelta(seconds=1), observed_at=None)
    assert action(Phase.READY, machine=silent) is Action.OBSERVE_MACHINE
    looked = machine(synced_at=NOW - SILENCE - timedelta(seconds=1), observed_at=NOW)
    assert action(Phase.READY, machine=looked) is Action.WAIT


def test_a_machine_that_never_reports_is_replaced_once_its_console_was_read():
    late = NOW - TEMPO.boot_deadline - timedelta(seconds=1)
    known = {"phase_since": late}
    assert action(Phase.BOOTING, machine=machine(), **known) is Action.READ_CONSOLE
    read = machine(console_read=True)
    assert action(Phase.BOOTING, machine=read, **known) is Action.DELETE_MACHINE


def test_a_machine_that_is_not_made_in_time_is_looked_at_once_more():
    since = NOW - TEMPO.patience - timedelta(seconds=9)
    before = machine(observed_at=NOW - timedelta(seconds=10))
    after = machine(observed_at=NOW - timedelta(seconds=1))
    assert action(Phase.CREATING, machine=before, phase_since=since) is Action.OBSERVE_MACHINE
    assert action(Phase.CREATING, machine=after, phase_since=since) is Action.DELETE_MACHINE


@pytest.mark.parametrize(
    ("phase", "kind", "age", "followed"),
    [
        (Phase.ADDR_WAIT, StepKind.RESERVE_ADDRESS, 1, True),
        (Phase.CREATING, StepKind.INSERT_MACHINE, 1, True),
        (Phase.DELETING, StepKind.DELETE_MACHINE, 1, True),
        (Phase.ASLEEP, StepKind.RELEASE_ADDRESS, 1, True),
        (Phase.READY, StepKind.INSERT_MACHINE, 1, False),
        (Phase.DELETING, StepKind.INSERT_MACHINE, 1, False),
        (Phase.CREATING, StepKind.INSERT_MACHINE, 11, False),
    ],
)
def test_a_call_under_way_is_followed_while_the_phase_waits_for_it(phase, kind, age, followed):
    call = CallFacts(kind, NOW - timedelta(minutes=age))
    decided = action(phase, machine=machine(), call=call)
    assert (decided is Action.FOLLOW_UP) is followed


def test_a_failed_try_is_waited_out():
    later = NOW + timedelta(seconds=9)
    decision = planner.plan(facts(Phase.ASLEEP, retry_at=later), NOW, TEMPO)
    assert (decision.action, decision.look_again) == (Action.WAIT, later)


def again(phase, now=NOW, tempo=TEMPO, **values):
    decision = planner.plan(facts(phase, **values), now, tempo)
    assert decision.action is Action.WAIT
    return decision.look_again


def test_what_is_well_is_looked_at_no_sooner_than_there_is_something_to_see():
    slow = replace(TEMPO, observe_every=timedelta(seconds=30))
    lately = machine(observed_at=NOW - timedelta(seconds=10), synced_at=NOW)
    assert again(Phase.READY, tempo=slow, machine=lately) == NOW + timedelta(seconds=20)
    soon = NOW + timedelta(seconds=9)
    assert again(Phase.READY, tempo=slow, machine=lately, next_change=soon) == soon
    renewed = {"machine": lately, "renewal": Renewal.NEXT_WAKE}
    assert again(Phase.READY, tempo=slow, **renewed) == NOW + planner.LOOK_AGAIN
    silent = machine(observed_at=NOW, synced_at=NOW - SILENCE - timedelta(seconds=1))
    assert again(Phase.READY, tempo=slow, machine=silent) == NOW + planner.LOOK_AGAIN
    for phase in (Phase.CREATING, Phase.BOOTING):
        fresh = machine(observed_at=NOW - timedelta(seconds=1))
        assert again(phase, machine=fresh) == NOW + planner.SOON - timedelta(seconds=1)


AT_ONCE = (Renewal.WHEN_FLAT, Renewal.DRAIN, Renewal.FLATTEN)
OPEN = {"position_state": PositionState.OPEN}


@pytest.mark.parametrize(
    ("phase", "renewal", "known", "flat_since", "expected"),
    [
        (Phase.READY, Renewal.NEXT_WAKE, {}, LONG_FLAT, Action.WAIT),
        (Phase.READY, Renewal.WHEN_FLAT, {}, LONG_FLAT, Action.ASK_DRAIN),
        (Phase.READY, Renewal.WHEN_FLAT, {}, NOW, Action.WAIT),
        (Phase.READY, Renewal.WHEN_FLAT, OPEN, None, Action.WAIT),
        (Phase.READY, Renewal.DRAIN, OPEN, None, Action.ASK_DRAIN),
        (Phase.READY, Renewal.FLATTEN, OPEN, None, Action.ASK_DRAIN),
        (Phase.DRAINING, None, DRAINED, LONG_FLAT, Action.CANCEL_DRAIN),
        (Phase.DRAINING, Renewal.NEXT_WAKE, DRAINED, LONG_FLAT, Action.CANCEL_DRAIN),
        (Phase.DRAINING, Renewal.WHEN_FLAT, DRAINED, LONG_FLAT, Action.DELETE_MACHINE),
        (Phase.DRAINING, Renewal.WHEN_FLAT, {}, LONG_FLAT, Action.WAIT),
        (Phase.DRAINING, Renewal.WHEN_FLAT, OPEN, None, Action.CANCEL_DRAIN),
        (Phase.DRAINING, Renewal.DRAIN, OPEN, None, Action.WAIT),
        (Phase.DRAINING, Renewal.DRAIN, DRAINED, LONG_FLAT, Action.DELETE_MACHINE),
        (Phase.DRAINING, Renewal.FLATTEN, {"open_orders": 1}, None, Action.WAIT),
    ],
)
def test_a_machine_that_is_wanted_is_renewed_by_its_policy(
    phase, renewal, known, flat_since, expected
):
    values = {"machine": machine(**known), "flat_since": flat_since, "renewal": renewal}
    assert action(phase, Desired.RUN, **values) is expected


machines = st.none() | st.builds(
    MachineFacts,
    dead=st.booleans(),
    observed_at=st.none() | st.just(NOW),
    synced_at=st.none() | st.integers(0, 60).map(lambda s: NOW - timedelta(seconds=s)),
    position_state=st.sampled_from(PositionState),
    open_orders=st.integers(0, 2),
    drained=st.booleans(),
    console_read=st.booleans(),
)
all_facts = st.builds(
    Facts,
    desired=st.sampled_from(Desired),
    phase=st.sampled_from(Phase),
    phase_since=st.integers(0, 120).map(lambda s: NOW - timedelta(seconds=s)),
    machine=machines,
    flat_since=st.none() | st.integers(0, 60).map(lambda s: NOW - timedelta(seconds=s)),
    retry_at=st.none(),
    next_change=st.just(NOW + timedelta(hours=1)),
    call=st.none() | st.builds(CallFacts, st.sampled_from(StepKind), st.just(NOW)),
    renewal=st.none() | st.sampled_from(Renewal),
)


@settings(max_examples=500, deadline=None)
@given(all_facts)
def test_a_living_trading_machine_is_deleted_only_with_proof(known):
    decision = planner.plan(known, NOW, TEMPO)
    trading = known.phase in (Phase.READY, Phase.DRAINING)
    if decision.action is not Action.DELETE_MACHINE or not trading:
        return
    dead = known.machine is None or known.machine.dead
    assert dead or (
        known.phase is Phase.DRAINING
        and (known.desired is not Desired.RUN or known.renewal in AT_ONCE)
        and planner.proven_flat(known.machine, NOW)
    )


@settings(max_examples=300, deadline=None)
@given(all_facts)
def test_a_machine_is_inserted_only_where_none_is(known):
    if planner.plan(known, NOW, TEMPO).action is Action.INSERT_MACHINE:
        assert known.phase is Phase.ASLEEP
        assert known.desired is Desired.RUN
