"""One bot with its planner, its cloud, its venue, its runners and a clock moved by hand.

A neighbour is another bot of the same workspace under the same clock and in the same cloud.

The verbs are the moves that tests and the state machine share; ``checks`` holds what must be true
after each of them.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import event, select

from app.domain import audit, bots, fleet, machines, renewals, retries
from app.extensions import db
from app.gateways.compute.driver import Result, StepKind
from app.gateways.vault import Opener
from app.models import AuditEvent, Bot, BotAddress, BotCompute, Connection, Phase
from tests import factories
from tests.factories import NOW, TEMPO
from tests.model import checks
from tests.model.cloud import Cloud, Fate
from tests.model.runner import Runner

SETTINGS = fleet.Settings(tempo=TEMPO, gate_url="http://127.0.0.1:1", in_flight=10_000)


@dataclass
class Errand:
    """What a worker has in hand: a begun step, and the cloud's answer once it has one."""

    errand: fleet.Errand
    result: Result | None = None


class HandClock:
    """The time, and where the database has a clock of its own, the database's too."""

    def __init__(self, set_clock, follow):
        self._set, self._follow, self.now = set_clock, follow, NOW
        self.move(timedelta(0))

    def move(self, by):
        self.now += by
        self._set(self.now)
        self._follow(by)


class World:
    """See the module. ``set_clock`` tells the database the time where it has a clock of its own.

    ``bot``: what the bot is made with, beside what all bots here have.
    """

    settings = SETTINGS

    def __init__(self, home, private_key, set_clock, neighbour=None, cloud=None, **bot):
        workspace, version, connection = home
        self.tempo, self.opener = TEMPO, Opener(private_key)
        self.neighbour = neighbour
        self._connection_id = connection.id
        self.cloud = neighbour.cloud if neighbour else cloud or Cloud()
        self._time = neighbour._time if neighbour else HandClock(set_clock, self.cloud.follow)
        self.ticks = 0
        self.runners, self.delayed = {}, []
        self.position, self.orders = False, 0
        self.newest_claim = None
        self.skews = {}
        self.ip, self.ip_removed = None, False
        self.moves = []
        bot = factories.bot(workspace, version=version, **bot)
        db.session.commit()
        self.bot_id = bot.id
        if neighbour:
            neighbour.neighbour = self
        event.listen(BotCompute.phase, "set", self._moved)

    def close(self):
        event.remove(BotCompute.phase, "set", self._moved)
        db.session.rollback()
        db.session.remove()

    # -- what there is ------------------------------------------------------------------------

    @property
    def bot(self):
        return db.session.get(Bot, self.bot_id, populate_existing=True)

    @property
    def compute(self):
        return db.session.get(BotCompute, self.bot_id, populate_existing=True)

    @property
    def connection(self):
        return db.session.get(Connection, self._connection_id, populate_existing=True)

    @property
    def address(self):
        return db.session.get(BotAddress, self.bot_id, populate_existing=True)

    @property
    def machine(self):
        return machines.current_machine(self.bot_id)

    @property
    def vm(self):
        return next(iter(self.cloud.of(self.bot_id)), None)

    @property
    def runner(self):
        """The runner of the machine's present boot, if the machine runs."""
        vm = self.vm
        if vm is None or not vm.running:
            return None
        found = self.runners.get(vm.name)
        if found is None or found.boot != f"{vm.name}-boot-{vm.boots}":
            found = self.runners[vm.name] = Runner(self, vm)
        return found

    @property
    def trading(self):
        return self.runner is not None and self.runner.trades

    def _moved(self, compute, after, before, _initiator):
        mine = compute.bot_id == self.bot_id
        if mine and isinstance(before, Phase) and before is not after:
            self.moves.append((before, after))

    # -- time ---------------------------------------------------------------------------------

    @property
    def now(self):
        return self._time.now

    def pass_time(self, by):
        self._time.move(by)

    def tick(self):
        """A moment of the runner's clock, later than any it has named before."""
        self.ticks += 1
        return NOW + timedelta(microseconds=self.ticks)

    # -- the planner --------------------------------------------------------------------------

    def begin(self, skew=timedelta(0)):
        """A worker begins a step and commits; what it has in hand, if anything."""
        unended = self.machine is not None and not self.machine.end_reason
        db.session.rollback()
        errand = fleet.begin(self.bot_id, self.now + skew, self.settings)
        db.session.commit()
        if errand is None:
            return None
        if errand.step.kind is StepKind.DELETE_MACHINE and unended:
            checks.may_be_deleted(self)
        if errand.step.kind is StepKind.INSERT_MACHINE and not errand.step.operation:
            checks.nothing_left_behind(self)
        return Errand(errand)

    def do(self, held, fate=Fate.ANSWERED):
        held.result = self.cloud.do(held.errand.step, fate)

    def finish(self, held, skew=timedelta(0)):
        """A worker writes down the answer; a stale one must not change a row."""
        stale = self.compute.fence != held.errand.fence
        before, next_door = checks.rows(self), self._next_door()
        taken = fleet.finish(held.errand, held.result, self.now + skew)
        db.session.commit()
        assert taken is not stale
        assert self._next_door() == next_door, "a step of one bot wrote rows of another"
        if stale:
            assert checks.rows(self) == before, "a stale fence wrote something"
        return taken

    def older_machines(self):
        """What must not be there when a next generation is asked for."""
        return self.cloud.of(self.bot_id)

    def step(self, *fate):
        held = self.begin()
        if held is not None:
            self.do(held, *fate)
            self.finish(held)
        return held

    def steps(self, count=8):
        for _ in range(count):
            self.step()
            self.rest()
        return self.compute.phase

    def rest(self):
        """Between two steps that follow each other: this cloud needs no time."""

    def hint(self):
        """What the ticker does: whether the bot was due; the hint itself may get lost."""
        due = self.bot_id in fleet.due(self.now, 10_000)
        if due:
            fleet.hinted([self.bot_id], self.now)
        db.session.commit()
        return due

    # -- people -------------------------------------------------------------------------------

    def wish(self, verb, *args, **kwargs):
        """A person's verb leaves one audit event if it changed something, and none if not."""
        seen, before, next_door = self._audited(), self._face(), self._next_door()
        try:
            verb(self.bot, *args, by=factories.TESTER, now=self.now, **kwargs)
        except Exception:
            db.session.rollback()
            assert (self._audited(), self._face()) == (seen, before), "a refusal left something"
            raise
        db.session.commit()
        due = verb in (bots.flatten, renewals.ask, retries.now_for) or self._face() != before
        assert self._audited() - seen == due, f"{verb.__name__} left no event, or too many"
        assert self._next_door() == next_door, "a wish for one bot wrote rows of another"

    def _face(self):
        """What people decide about a bot."""
        bot = self.bot
        today = bot.keep_awake_until, bot.asleep_until
        return bot.wish, bot.paused, bot.schedule, bot.mode, bot.testnet_connection_id, today

    def _next_door(self):
        return checks.rows(self.neighbour) if self.neighbour else None

    def _audited(self):
        kind = AuditEvent.actor_kind != audit.PLANNER.kind
        query = select(db.func.count()).select_from(AuditEvent)
        return db.session.scalar(query.where(AuditEvent.target_id == self.bot_id, kind))

    # -- short cuts ---------------------------------------------------------------------------

    def grow(self, age):
        """From birth, or from the middle of its life: most trouble begins there."""
        if age == "new":
            return
        self.steps(2)
        if age in ("awake", "finishing"):
            self.wish(bots.start)
            self.wake()
        if age == "finishing":
            self.wish(bots.stop)
            self.steps(2)
            self.runner.sync()

    def wake(self):
        """From wherever it is to a claimed, reporting runner; the wish must be to follow."""
        for _ in range(12):
            self.step()
            self.rest()
            if self.runner is not None and self.runner.claim_id is None:
                self.runner.claim()
                self.runner.asked_venue = True
                self.runner.sync()
        assert self.compute.phase is Phase.READY

    def settle(self, patience=150):
        """Everything works again: how far it gets by hints alone while its wish stays."""
        self.cloud.late = [it for it in self.cloud.late if it.bot != self.bot_id]
        self.delayed = []
        for _ in range(patience):
            if self.runner is not None:
                self._runner_behaves()
            if self.hint():
                self.step()
            if self.at_goal():
                return True
            self.pass_time(max(timedelta(seconds=2), self._nothing_before() - self.now))
        return False

    def _nothing_before(self):
        """When something can happen next, unless a runner says something."""
        if self.runner is not None:
            return self.now
        return max(self.compute.due_at, self.compute.lease_until)

    def _runner_behaves(self):
        runner = self.runner
        if runner.claim_id is None or runner.reload:
            runner.claim()
        if runner.trades:
            runner.asked_venue = True
            if runner.draining:
                self.position, self.orders = False, 0
            runner.sync()

    def at_goal(self):
        """Whether wish, rows and cloud agree."""
        wanted = fleet.wanted(self.bot, self.now, TEMPO)[0].value
        phase, vms = self.compute.phase, self.cloud.of(self.bot_id)
        if wanted == "run":
            runner = self.runner
            return (
                phase is Phase.READY
                and runner is not None
                and runner.trades
                and not (runner.draining or runner.pending())
            )
        if wanted == "sleep":
            return phase is Phase.ASLEEP and not vms
        gone = self.address is None or self.address.name not in self.cloud.addresses
        return phase is Phase.RELEASED and not vms and gone
