"""The planner under everything that can go wrong at once, on both databases.

A Hypothesis state machine drives one bot, often with a neighbour beside it: workers that stall,
crash and come back as zombies; calls that are lost, doubled, late or refused; people who change
their minds; machines that boot, restart, stop and vanish; runners whose reports are lost, repeated,
reordered and gapped; clocks that jump. After every move ``checks.everything`` must hold; at the
end, when all works again, each bot must come to rest where its wish says.

``HYPOTHESIS_PROFILE=soak`` runs it for long. A failure prints the moves that led to it; the fault
cases it taught are in ``test_fault_cases``. Known not to be covered: a reservation that a stalled
worker makes after the address was released leaks the address until something sweeps for it.
"""

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.domain import bots, renewals, schedule
from app.domain.errors import Conflict, Invalid, Refused
from app.gateways.compute.driver import StepKind
from app.models import Phase, Renewal
from runner.protocol import Mode
from tests.model import checks
from tests.model.cloud import Fate

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
SETTINGS = settings(
    max_examples=300 if SOAK else 8,
    stateful_step_count=60 if SOAK else 45,
    deadline=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
AGES = st.sampled_from(["new", "asleep", "awake", "awake", "finishing", "finishing"])
WORKERS = st.sampled_from(["one", "two", "three"])
FATES = st.sampled_from([Fate.ANSWERED, Fate.ANSWERED, *Fate])
SCHEDULES = st.sampled_from(
    [
        schedule.ALWAYS,
        schedule.schedule("UTC", [schedule.session(list(range(7)), "12:00:00", "12:03:00")]),
        schedule.schedule("UTC", [schedule.session(list(range(7)), "12:05:00", "12:10:00")]),
    ]
)
REFUSALS = (Conflict, Invalid, Refused)


class PlannerModel(RuleBasedStateMachine):
    """See the module."""

    house = None

    @initialize(age=AGES, neighbour=st.none() | AGES)
    def bots_of_an_age(self, age, neighbour):
        self.set_back, self.hands = False, {}
        self.world = type(self).house()
        self.grow(age)
        if neighbour:
            self.world = type(self).house(self.world)
            self.grow(neighbour)

    @property
    def held(self):
        """What the workers have in hand of the bot that is looked at."""
        return self.hands.setdefault(self.world.bot_id, {})

    def grow(self, age):
        """From birth, or from the middle of its life: most trouble begins there."""
        if age == "new":
            return
        self.world.steps(2)
        if age in ("awake", "finishing"):
            self.world.wish(bots.start)
            self.world.wake()
        if age == "finishing":
            self.world.wish(bots.stop)
            self.world.steps(2)
            self.world.runner.sync()

    def teardown(self):
        if not hasattr(self, "world"):
            return
        try:
            self.comes_to_rest()
            if self.world.neighbour:
                self.world = self.world.neighbour
                self.comes_to_rest()
        finally:
            for world in filter(None, (self.world.neighbour, self.world)):
                world.close()

    # -- time ---------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 1, 2, 3, 5, 12, 31, 61]))
    def time_passes(self, seconds):
        self.world.pass_time(timedelta(seconds=seconds))

    @rule(minutes=st.sampled_from([5, 20, 60 * 24]))
    def much_time_passes(self, minutes):
        self.world.pass_time(timedelta(minutes=minutes))

    @precondition(lambda self: not self.set_back)
    @rule(minutes=st.sampled_from([1, 3]))
    def the_clock_is_set_back(self, minutes):
        self.set_back = True
        self.world.pass_time(-timedelta(minutes=minutes))

    @precondition(lambda self: self.world.neighbour)
    @rule()
    def attention_turns_to_the_other_bot(self):
        self.world = self.world.neighbour

    # -- workers ------------------------------------------------------------------------------

    @rule(who=WORKERS)
    def begin(self, who):
        if who not in self.held:
            found = self.world.begin(self.skew(who))
            if found is not None:
                self.held[who] = found

    @precondition(lambda self: any(it.result is None for it in self.held.values()))
    @rule(who=WORKERS, fate=FATES)
    def do(self, who, fate):
        held = self.held.get(who)
        if held is None or held.result is not None:
            return
        if held.errand.step.kind is StepKind.RESERVE_ADDRESS:
            if self.world.compute.phase is Phase.RELEASED:
                del self.held[who]
                return
            fate = Fate.LOST if fate in (Fate.LATE, Fate.SLOW) else fate
        self.world.do(held, fate)

    @precondition(lambda self: any(it.result is not None for it in self.held.values()))
    @rule(who=WORKERS, again=st.booleans())
    def finish(self, who, again):
        held = self.held.get(who)
        if held is None or held.result is None:
            return
        self.world.finish(held, self.skew(who))
        if not again:
            del self.held[who]

    @rule(who=WORKERS)
    def crash(self, who):
        self.held.pop(who, None)

    @rule()
    def a_whole_step(self):
        self.world.step()

    @rule()
    def a_whole_step_and_a_second_later_another(self):
        self.world.step()
        self.world.pass_time(timedelta(seconds=1))
        self.world.step()

    @rule(fate=FATES)
    def a_whole_step_in_vain(self, fate):
        if fate is not Fate.LATE:
            self.world.step(fate)

    @rule(seconds=st.sampled_from([1, 2, 3, 4]))
    def an_ordinary_while(self, seconds):
        """What happens nearly always: time passes, the runner reports, the planner looks."""
        self.world.pass_time(timedelta(seconds=seconds))
        if self.world.trading:
            self.world.runner.asked_venue = True
            self.world.runner.sync()
        self.world.steps(2)

    @rule()
    def a_hint_is_lost(self):
        self.world.hint()

    @precondition(lambda self: self.world.cloud.late)
    @rule()
    def a_late_call_arrives(self):
        self.world.cloud.apply(self.world.cloud.late.pop(0))

    @precondition(lambda self: self.world.cloud.operations)
    @rule()
    def a_call_under_way_ends_unasked(self):
        name, step = next(iter(self.world.cloud.operations.items()))
        if step.kind is not StepKind.RESERVE_ADDRESS:
            self.world.cloud.apply(self.world.cloud.operations.pop(name))

    def skew(self, who):
        """One host is minutes behind and another ahead, where hosts can differ at all."""
        return self.world.skews.get(who, timedelta(0))

    # -- people -------------------------------------------------------------------------------

    @rule(verb=st.sampled_from([bots.start, bots.stop]))
    def a_person_starts_or_stops(self, verb):
        self.try_wish(verb)

    @rule(verb=st.sampled_from([bots.pause, bots.resume, bots.flatten]))
    def a_person_gives_an_order(self, verb):
        self.try_wish(verb)

    @rule()
    def a_person_changes_their_mind(self):
        self.try_wish(bots.start)
        self.world.step()
        self.try_wish(bots.stop)

    @rule(plan=SCHEDULES)
    def a_person_edits_the_schedule(self, plan):
        self.try_wish(bots.reschedule, plan)

    @rule(mode=st.sampled_from([Mode.PAPER, Mode.TESTNET]))
    def a_person_switches_the_mode(self, mode):
        connection = self.world.connection if mode is Mode.TESTNET else None
        self.try_wish(bots.switch_mode, mode, connection)

    @rule(sure=st.sampled_from([False, False, False, True]))
    def a_person_deletes_the_bot(self, sure):
        self.try_wish(bots.delete, typed_name=self.world.bot.name if sure else "?")

    @rule(policy=st.sampled_from(Renewal))
    def an_operator_renews_the_machine(self, policy):
        self.try_wish(renewals.ask, policy, "a newer runner")

    def try_wish(self, verb, *args, **kwargs):
        try:
            self.world.wish(verb, *args, **kwargs)
        except REFUSALS:
            return

    # -- machines and runners -----------------------------------------------------------------

    @precondition(lambda self: self.world.runner is not None)
    @rule(answered=st.booleans())
    def a_runner_claims(self, answered):
        self.world.runner.claim(answered=answered)

    @precondition(lambda self: self.world.trading)
    @rule()
    def a_runner_asks_the_venue(self):
        self.world.runner.asked_venue = True

    @precondition(lambda self: self.world.trading and not self.world.runner.draining)
    @rule()
    def a_runner_enters(self):
        self.world.runner.asked_venue = True
        self.world.position = True

    @precondition(lambda self: self.world.trading and not self.world.runner.draining)
    @rule()
    def a_runner_rests_an_entry(self):
        self.world.orders = 1

    @rule()
    def a_position_is_closed(self):
        self.world.position = False

    @precondition(lambda self: self.world.trading)
    @rule()
    def a_runner_notes_something(self):
        self.world.runner.tell()

    @precondition(lambda self: self.world.trading)
    @rule(answered=st.sampled_from([True, True, False]))
    def a_runner_reports(self, answered):
        self.world.runner.sync(answered=answered)

    @precondition(lambda self: self.world.trading)
    @rule(cut=st.sampled_from(["gap", "reversed", "doubled"]))
    def a_runner_reports_badly(self, cut):
        told = self.world.runner.pending()
        batch = {"gap": told[1:], "reversed": told[::-1], "doubled": told + told}[cut]
        runner = self.world.runner
        runner.deliver(runner.report(batch))

    @precondition(lambda self: self.world.trading)
    @rule()
    def a_report_is_held_up(self):
        self.world.delayed.append((self.world.runner, self.world.runner.report()))

    @precondition(lambda self: self.world.delayed)
    @rule(keep=st.booleans(), which=st.integers(0, 9))
    def a_held_up_report_arrives(self, keep, which):
        which %= len(self.world.delayed)
        runner, message = self.world.delayed[which]
        if not keep:
            del self.world.delayed[which]
        runner.deliver(message, answered=False)

    @precondition(lambda self: self.world.vm is not None)
    @rule()
    def a_host_restarts_its_machine(self):
        self.world.vm.running = True
        self.world.vm.boots += 1

    @precondition(lambda self: self.world.vm is not None)
    @rule()
    def a_machine_stops(self):
        self.world.vm.running = False

    @precondition(lambda self: self.world.vm is not None)
    @rule()
    def a_machine_is_deleted_by_hand(self):
        del self.world.cloud.vms[self.world.vm.name]

    @precondition(lambda self: self.world.address and self.world.vm is None)
    @rule(sure=st.sampled_from([False, False, True]))
    def an_address_is_released_by_hand(self, sure):
        if sure and self.world.compute.phase is not Phase.ADDR_WAIT:
            self.world.cloud.addresses.pop(self.world.address.name, None)
            self.world.ip_removed = True

    # -- what must be true --------------------------------------------------------------------

    @invariant()
    def everything_holds(self):
        if hasattr(self, "world"):
            checks.everything(self.world)
            if self.world.neighbour:
                checks.everything(self.world.neighbour)

    def comes_to_rest(self):
        world = self.world
        settled = world.settle()
        checks.everything(world)
        if world.ip_removed:  # a person must act: another address is never taken in silence
            return
        assert settled, f"it came to rest as {world.compute.phase}, wanted {world.bot.wish}"


@pytest.mark.timeout(7_200 if SOAK else 600)
def test_the_planner_under_faults(house):
    model = type("Model", (PlannerModel,), {"house": staticmethod(house)})
    run_state_machine_as_test(model, settings=SETTINGS)
