"""Planner, driver and sweeps over Compute Engine, under everything that can go wrong at once.

A Hypothesis state machine as in ``test_planner_model``, over the real driver and Google's own
client library: what that model's small cloud promises, here has to hold. The fake server loses and
delays exchanges, fails operations, runs out of machines, quotas and zones, and shows ghosts; people
stop and delete machines and addresses behind the platform's back; sweeps look around meanwhile, and
others share the project.

After every move ``gce_checks.everything`` must hold. At the end all weather clears and late calls
arrive: then each bot must come to rest where its wish says, and the cloud must hold exactly what
the rows say. ``HYPOTHESIS_PROFILE=soak`` runs it for long.
"""

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.domain import bots
from app.models import Phase
from tests.gateways.compute.gce_world import REGION
from tests.model import gce_checks
from tests.model.gce import FAILURES, FATES, WEATHER, ZONES
from tests.model.moves import AGES, SOAK, WORKERS, Moves, effort

WELL = "applied and answered"
FATE = st.sampled_from([WELL, WELL, WELL, *FATES])
FAILURE = st.sampled_from([None, None, None, *FAILURES])
ZONE = st.sampled_from(ZONES)
PLACE = st.sampled_from([*ZONES, REGION, REGION])


class CloudModel(Moves, RuleBasedStateMachine):
    """See the module."""

    place = None

    @initialize(age=AGES, neighbour=st.none() | AGES)
    def bots_of_an_age(self, age, neighbour):
        self.set_back, self.hands = False, {}
        self.surveys, self.clearings = [], []
        self.there = type(self).place()
        self.world = self.there.bot(age)
        if neighbour:
            self.world = self.there.bot(neighbour)

    def teardown(self):
        if not hasattr(self, "there"):
            return
        try:
            self.there.comes_to_rest()
        finally:
            self.there.close()

    @property
    def fake(self):
        return self.there.cloud.fake

    @invariant()
    def everything_holds(self):
        if hasattr(self, "there"):
            gce_checks.everything(self.there.cloud, self.there.worlds)

    # -- calls --------------------------------------------------------------------------------

    @precondition(lambda self: any(it.result is None for it in self.held.values()))
    @rule(who=WORKERS, fate=FATE, failure=FAILURE)
    def do(self, who, fate, failure):
        held = self.held.get(who)
        if held is not None and held.result is None:
            self.world.do(held, fate, failure)

    @rule(fate=FATE, failure=FAILURE)
    def a_whole_step_in_vain(self, fate, failure):
        self.world.step(fate, failure)

    @rule()
    def it_goes_well_for_a_while(self):
        self.go_on(6)

    @rule(fate=FATE, failure=FAILURE, asked=st.booleans(), late=st.booleans())
    def a_worker_stalls_and_goes_on_too_late(self, fate, failure, asked, late):
        """Its lease runs out, before or after its call; others have gone on when it comes back."""
        held = self.world.begin()
        if held is None:
            return
        if asked:
            self.world.do(held, fate, failure)
        self.world.pass_time(timedelta(seconds=31))
        self.go_on(4)
        if not asked:
            self.world.do(held, fate, failure)
        self.world.finish(held)
        if late and self.fake.late:
            self.there.cloud.arrive()

    @rule(at=st.integers(0, 7), fate=FATE, failure=FAILURE)
    def all_wake_and_sleep(self, at, fate, failure):
        """By hand and at once, and both times one call has this fate."""
        for wish in (bots.start, bots.stop):
            for _ in self.there.worlds:
                super().try_wish(wish)
                self.world = self.world.neighbour or self.world
            for number in range(8):
                if number == at:
                    self.world.step(fate, failure)
                self.go_on(1)

    @rule()
    def an_insertion_comes_when_its_bot_sleeps_again(self):
        """Its worker slept too; the machine it makes is nobody's."""
        super().try_wish(bots.start)
        held = self.world.begin()
        self.world.pass_time(timedelta(seconds=31))
        super().try_wish(bots.stop)
        self.go_on(6)
        if held is not None:
            self.world.do(held)
            self.go_on()
            self.world.finish(held)

    @rule(seconds=st.sampled_from([11, 16, 31]))
    def runners_are_silent_for_a_while(self, seconds):
        for _ in range(3):
            self.world.pass_time(timedelta(seconds=seconds))
            self.world.steps(2)

    def go_on(self, rounds=2):
        """What would happen anyway: runners report, workers look, time passes."""
        for _ in range(rounds):
            self.there.go_on()
            self.world.pass_time(timedelta(seconds=2))

    def try_wish(self, *args, **kwargs):
        """People are slow: something happens before they wish again."""
        super().try_wish(*args, **kwargs)
        self.go_on()

    @precondition(lambda self: self.fake.late)
    @rule()
    def a_late_call_arrives(self):
        self.there.cloud.arrive()

    # -- weather ------------------------------------------------------------------------------

    @rule(change=st.sampled_from(WEATHER))
    def the_weather_changes(self, change):
        self.fake.configure(**change)
        self.go_on()

    @rule(zones=st.sets(ZONE, min_size=1))
    def zones_run_out_of_machines(self, zones):
        self.fake.stockout(*zones)
        self.go_on()

    @rule(scope=PLACE)
    def a_place_is_missing_from_listings(self, scope):
        self.fake.unreach(scope)

    @rule()
    def the_weather_clears(self):
        self.there.cloud.clears()

    # -- behind the platform's back -----------------------------------------------------------

    @precondition(lambda self: self.world.vm is not None and self.world.vm.running)
    @rule()
    def a_host_fails_and_its_machine_boots_again(self):
        self.fake.restart_host(self.world.vm.name)
        self.go_on()

    @precondition(lambda self: self.world.vm is not None and self.world.vm.running)
    @rule(status=st.sampled_from(["TERMINATED", "STOPPED", "SUSPENDED"]))
    def a_machine_is_switched_off(self, status):
        self.fake.terminate(self.world.vm.name, status)
        self.go_on()

    @precondition(lambda self: self.world.vm is not None and not self.world.vm.ending)
    @rule()
    def a_machine_is_deleted_by_hand(self):
        self.fake.delete_by_hand(self.world.vm.name)
        self.go_on()

    @precondition(lambda self: self.world.trading)
    @rule()
    def a_machine_has_run_for_too_long(self):
        self.world.pass_time(timedelta(days=121))

    @precondition(lambda self: self.world.address and not self.world.cloud.of(self.world.bot_id))
    @rule(sure=st.sampled_from([False, False, True]))
    def an_address_is_released_by_hand(self, sure):
        if sure and self.world.compute.phase not in (Phase.NEW, Phase.ADDR_WAIT):
            self.fake.release_by_hand(self.world.address.name)
            self.world.ip_removed = True

    @rule(
        kind=st.sampled_from(["machine", "address"]),
        numbers=st.sets(st.integers(1, 5), min_size=1),
    )
    def something_is_left_behind(self, kind, numbers):
        for number in sorted(numbers):
            self.there.leak(kind, number)

    # -- sweeps -------------------------------------------------------------------------------

    @rule()
    def a_whole_sweep(self):
        self.there.sweeper.sweep()

    @rule(hidden=st.none() | PLACE)
    def sweeps_for_a_while(self, hidden):
        if hidden:
            self.fake.unreach(hidden)
        for minutes in (16, 16, 40):
            self.there.sweeper.sweep()
            self.world.pass_time(timedelta(minutes=minutes))
        self.there.sweeper.sweep()

    @rule(holder=st.sampled_from(["one", "two"]))
    def a_sweep_looks(self, holder):
        seen = self.there.sweeper.look(holder)
        if seen is not None:
            self.surveys.append(seen)

    @precondition(lambda self: self.surveys)
    @rule(which=st.integers(0, 3))
    def a_sweep_concludes(self, which):
        self.there.sweeper.conclude(self.surveys.pop(which % len(self.surveys)))

    @rule()
    def deletions_go_on(self):
        self.there.sweeper.clear()

    @rule(which=st.integers(0, 3))
    def a_deletion_begins(self, which):
        due = self.there.sweeper.due()
        clearing = self.there.sweeper.begin(due[which % len(due)]) if due else None
        if clearing is not None:
            self.clearings.append(clearing)

    @precondition(lambda self: self.clearings)
    @rule(which=st.integers(0, 3), fate=FATE, failure=FAILURE)
    def a_deletion_is_done(self, which, fate, failure):
        clearing = self.clearings.pop(which % len(self.clearings))
        self.there.sweeper.end(clearing, fate, failure)

    @rule()
    def an_operator_lets_go_what_is_held(self):
        self.there.sweeper.people_decide()

    @rule()
    def deadlines_are_looked_at(self):
        self.there.sweeper.deadlines()


@pytest.mark.timeout(7_200 if SOAK else 1_800)
def test_the_fleet_on_compute_engine_under_faults(place):
    model = type("Model", (CloudModel,), {"place": staticmethod(place)})
    run_state_machine_as_test(model, settings=effort(8, 25))
