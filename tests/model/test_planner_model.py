"""The planner under everything that can go wrong at once, on both databases.

A Hypothesis state machine drives one bot, often with a neighbour beside it: workers that stall,
crash and come back as zombies; calls that are lost, doubled, late or refused; people who change
their minds; machines that boot, restart, stop and vanish; runners whose reports are lost, repeated,
reordered and gapped; clocks that jump. After every move ``checks.everything`` must hold; at the
end, when all works again, each bot must come to rest where its wish says.

``HYPOTHESIS_PROFILE=soak`` runs it for long. A failure prints the moves that led to it; the fault
cases it taught are in ``test_fault_cases``. A reservation that a stalled worker makes after the
address was released is left to ``test_cloud_model``, where sweeps clear away what it leaks.
"""

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

from app.gateways.compute.driver import StepKind
from app.models import Phase
from tests.model import checks
from tests.model.cloud import Fate
from tests.model.moves import AGES, SOAK, WORKERS, Moves, effort

FATES = st.sampled_from([Fate.ANSWERED, Fate.ANSWERED, *Fate])


class PlannerModel(Moves, RuleBasedStateMachine):
    """See the module."""

    house = None

    @initialize(age=AGES, neighbour=st.none() | AGES)
    def bots_of_an_age(self, age, neighbour):
        self.set_back, self.hands = False, {}
        self.world = type(self).house()
        self.world.grow(age)
        if neighbour:
            self.world = type(self).house(self.world)
            self.world.grow(neighbour)

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

    @rule(fate=FATES)
    def a_whole_step_in_vain(self, fate):
        if fate is not Fate.LATE:
            self.world.step(fate)

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
    run_state_machine_as_test(model, settings=effort(8, 45))
