"""The closing of tickets under random histories, clocks and outages.

A Hypothesis state machine drives one ticket: messages of people and machines on every channel,
notes, holds, incidents, bounces, warnings that are taken in time, late or never, timers that run
twice or not at all for weeks, and clocks that jump. It keeps its own account of what was said and
when, and holds every closing by the timer against it.

``HYPOTHESIS_PROFILE=soak`` runs it for long.
"""

import os

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

from app.domain.audit import Change
from app.domain.errors import DomainError
from app.domain.support import brakes, closing, events, moves, notes, silence, tickets
from app.domain.support.said import Said
from app.extensions import db
from app.models import (
    AddressHealth,
    Channel,
    Condition,
    Incident,
    IncidentState,
    MailState,
    TicketState,
)
from tests.domain.support.scene import (
    DAY,
    HOUR,
    MINUTE,
    Scene,
    letters,
    replayed,
    sweep,
    told,
)
from tests.domain.support.test_tickets import SYSTEM
from tests.factories import NOW

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
SETTINGS = settings(
    max_examples=600 if SOAK else 40,
    stateful_step_count=40,
    deadline=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
CHANNELS = st.sampled_from([Channel.WEB, Channel.EMAIL, Channel.TELEGRAM])
STEPS = st.sampled_from([MINUTE, 3 * HOUR, 12 * HOUR, 25 * HOUR, 2 * DAY, 3 * DAY, 5 * DAY])
LEAPS = st.sampled_from([7 * DAY, 21 * DAY, 30 * DAY])


class ClosingModel(RuleBasedStateMachine):
    """See the module."""

    scene = None

    @initialize()
    def answered(self):
        self.now = NOW
        self.ticket = self.scene.waiting()
        self.spoke = "desk"
        self.began_at = self.now  # the clock's
        self.warned = self.taken = None
        self.bounced = False
        self.incident = None

    def tried(self, verb, *arguments, **values):
        """Do it; what the rules refuse changes nothing."""
        before = told(self.ticket)
        try:
            verb(*arguments, **values)
        except DomainError:
            assert told(self.ticket) == before
            return False
        db.session.flush()
        return True

    def cancelled(self, speaker=None):
        """The clock begins anew, if it runs: by the clock of now, which may have been set back."""
        self.warned = self.taken = None
        self.spoke = speaker or self.spoke
        self.began_at = self.now

    @rule(step=STEPS)
    def time_passes(self, step):
        self.now += step

    @rule(leap=LEAPS)
    def the_clock_leaps_or_all_stands_still(self, leap):
        self.now += leap

    @rule(minutes=st.integers(1, 90))
    def the_clock_is_set_back(self, minutes):
        self.now -= minutes * MINUTE

    @rule(channel=CHANNELS)
    def the_owner_writes(self, channel):
        message = self.scene.ask(self.ticket, self.now, channel=channel)
        if message.ticket_id == self.ticket.id:
            self.cancelled("owner")

    @rule(channel=CHANNELS, then=st.sampled_from([None, None, None, "open", "on_hold"]))
    def the_desk_answers(self, channel, then):
        then = then and TicketState(then)
        if self.tried(self.scene.answer, self.ticket, self.now, then, channel):
            self.cancelled("desk")

    @rule(speaker=st.sampled_from(["user", "desk"]))
    def a_machine_writes_for_somebody(self, speaker):
        voice, said = getattr(self.scene, speaker)(Channel.EMAIL), Said("Away", automatic=True)
        tickets.post(self.ticket, said, voice=voice, now=self.now)

    @rule()
    def the_platform_writes(self):
        tickets.post(self.ticket, Said("Linked"), voice=SYSTEM, now=self.now)

    @rule()
    def a_note_is_written(self):
        before = (self.ticket.version, self.ticket.last_seq, self.ticket.warn_due_at)
        notes.add(self.ticket, "Hm", voice=self.scene.desk(), now=self.now)
        assert (self.ticket.version, self.ticket.last_seq, self.ticket.warn_due_at) == before

    @rule(verb=st.sampled_from([moves.need_help, moves.hold, moves.resolve, moves.reopen]))
    def somebody_moves_it(self, verb):
        before = self.ticket.state
        voice = self.scene.desk() if verb is moves.hold else self.scene.user()
        done = self.tried(verb, self.ticket, voice=voice, now=self.now)
        if done and self.ticket.state is not before:
            self.cancelled()

    @rule()
    def an_operator_has_it_wait_for_its_owner(self):
        before = self.ticket.state
        values = {"voice": self.scene.desk(), "now": self.now}
        waits = (self.ticket, TicketState.WAITING_USER, "ticket.test")
        done = self.tried(moves.move, *waits, **values)
        if done and self.ticket.state is not before:
            self.cancelled()

    @rule()
    def an_incident_comes_or_goes(self):
        if self.incident is None:
            self.incident = Incident(
                title="Down",
                state=IncidentState.IDENTIFIED,
                impact=Condition.DOWN,
                began_at=self.now,
                created_at=self.now,
            )
            db.session.add(self.incident)
            db.session.flush()
        before = self.ticket.incident_id
        self.ticket.incident_id = None if before else self.incident.id
        closing.restart(self.ticket, self.now)
        changes = [Change("incident_id", before, self.ticket.incident_id)]
        events.public(self.ticket, "ticket.incident", self.scene.desk(), self.now, changes)
        db.session.flush()
        self.cancelled()

    @rule(disabled=st.booleans())
    def the_address_bounces_or_heals(self, disabled):
        self.bounced = disabled
        key, at = self.scene.owner.email_key, self.now if disabled else None
        db.session.merge(
            AddressHealth(email_key=key, score=4 * disabled, scored_at=self.now, disabled_at=at)
        )
        db.session.flush()

    @precondition(lambda self: self.warned is not None and self.taken is None)
    @rule(state=st.sampled_from(["sent", "sent", "sent", "failed", "unknown", "cancelled"]))
    def the_mail_server_has_its_say(self, state):
        letter = letters(self.ticket)[-1]
        letter.state = MailState(state)
        if state == "sent":
            letter.sent_at = self.taken = self.now
        db.session.flush()

    @rule(times=st.integers(1, 3))
    def the_timer_runs(self, times):
        for _ in range(times):
            before, due_at = self.ticket.state, self.ticket.close_due_at
            outcomes = sweep(self.now)
            if "warned" in outcomes:
                self.may_warn()
                self.warned, self.taken = self.now, None
            if "closed" in outcomes:
                self.may_close(before, due_at)
                self.cancelled()

    def may_warn(self):
        assert self.spoke == "desk"
        assert not self.bounced
        assert self.now >= self.began_at + closing.WARN_AFTER or self.warned
        if self.warned:
            assert self.now > self.warned + silence.STALE

    def may_close(self, before, due_at):
        assert before is TicketState.WAITING_USER
        assert self.ticket.incident_id is None
        assert self.spoke == "desk", "its owner spoke last"
        assert not self.bounced
        assert self.warned is not None, "nobody was warned since"
        assert self.taken is not None, "no channel took the warning"
        assert self.now >= self.taken + 24 * HOUR
        assert self.now <= due_at + silence.STALE, "the timer stood still; this was not fresh"

    @invariant()
    def the_events_tell_what_it_is(self):
        assert replayed(self.ticket)
        assert self.ticket.version == len(told(self.ticket))
        timed = [it for it in told(self.ticket) if it in ("ticket.warn", "ticket.close")]
        for first, second in zip([None, *timed], timed, strict=False):
            assert second != "ticket.close" or first == "ticket.warn"

    @invariant()
    def a_warning_stands_as_long_as_nothing_cancels_it(self):
        assert (self.ticket.warned_at is not None) == (self.warned is not None)
        running = self.ticket.warn_due_at is not None
        waits = self.ticket.state is TicketState.WAITING_USER and self.ticket.incident_id is None
        assert running == waits

    def teardown(self):
        db.session.rollback()


@pytest.fixture
def engine_url(sqlite_url):
    """One is enough here: what depends on the database is proven in ``test_silence``."""
    return sqlite_url


@pytest.mark.timeout(3600 if SOAK else 600)
def test_closing_under_random_histories(app, monkeypatch):
    monkeypatch.setattr(brakes, "write_another", lambda *_: None)
    monkeypatch.setattr(brakes, "open_another", lambda *_: None)
    scene = Scene()
    db.session.commit()
    model = type("Model", (ClosingModel,), {"scene": scene})
    run_state_machine_as_test(model, settings=SETTINGS)
