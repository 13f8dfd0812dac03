"""Moves that every model of the planner knows: time, workers, people, and runners that report.

A model brings a ``world`` (see ``world.py``) and ``hands``, what the workers of each bot hold; what
its cloud does to calls and machines is its own.
"""

import os
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.domain import bots, renewals, retries, schedule, wishes
from app.domain.errors import Conflict, Invalid, Refused
from app.models import Renewal
from runner.protocol import Mode

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
AGES = st.sampled_from(["new", "asleep", "awake", "awake", "finishing", "finishing"])
WORKERS = st.sampled_from(["one", "two", "three"])
SCHEDULES = st.sampled_from(
    [
        schedule.ALWAYS,
        schedule.schedule("UTC", [schedule.session(list(range(7)), "12:00:00", "12:03:00")]),
        schedule.schedule("UTC", [schedule.session(list(range(7)), "12:05:00", "12:10:00")]),
    ]
)
REFUSALS = (Conflict, Invalid, Refused)


def effort(examples, steps):
    """How many examples of how many moves: few in the suite, many in a soak.

    The suite has the same ones each time: what it says is about a change, not about luck. New
    ones are looked for in a soak.
    """
    return settings(
        derandomize=not SOAK,
        max_examples=300 if SOAK else examples,
        stateful_step_count=60 if SOAK else steps,
        deadline=None,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


class Moves:
    """See the module."""

    @property
    def held(self):
        """What the workers have in hand of the bot that is looked at."""
        return self.hands.setdefault(self.world.bot_id, {})

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

    @rule(hours=st.sampled_from([None, 1]))
    def a_person_wakes_it_now(self, hours):
        self.try_wish(wishes.wake, hours)

    @rule(minutes=st.sampled_from([None, 2, 30]))
    def a_person_sends_it_to_sleep(self, minutes):
        until = self.world.now + timedelta(minutes=minutes) if minutes else None
        self.try_wish(wishes.sleep, until)

    @rule()
    def a_person_takes_the_wish_of_the_day_back(self):
        self.try_wish(wishes.undo)

    @rule()
    def a_person_asks_for_another_try(self):
        self.try_wish(retries.now_for)

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
