"""One bot on the stage: its rows, its things in the cloud, its runner, and people's wishes for it.

The runner is that of ``tests/model``: it keeps to the runner's contract, and asks the gate's own
verbs on the stage's database, as a gate of its own process would.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from app.domain import bots, machines
from app.extensions import db
from app.gateways.vault import Opener
from app.models import Bot, BotAddress, BotCompute, CloudOperation, Machine, OperationState, Phase
from tests import factories
from tests.faults import checks
from tests.faults.stage import REGION, seconds
from tests.faults.workers import PAUSE
from tests.model.cloud import Vm
from tests.model.runner import Runner
from tests.waiting import until

LEASE = seconds(31)
"""Longer than a lease: after it another worker may go on."""
SOON = seconds(1)
_AT_REST = (Phase.ASLEEP, Phase.READY, Phase.BLOCKED, Phase.RELEASED)


class Life:
    """See the module."""

    def __init__(self, stage, keys, workspace=None):
        self.stage, self.cloud = stage, stage.cloud
        self.tempo, self.opener = stage.config.tempo, Opener(keys.private)
        self.position, self.orders = False, 0
        self.newest_claim = None
        self.runners = {}
        self.ip = None
        now = datetime.now(UTC)
        workspace = workspace or factories.organisation(now=now)
        self.bot_id = factories.bot(workspace, now=now, region=REGION).id
        self.workspace_id = workspace.id
        db.session.commit()
        self.short = self.bot_id.removeprefix("bot_")
        self.address_name = f"b-{self.short}-ip"

    # -- rows ---------------------------------------------------------------------------------

    @property
    def bot(self):
        return db.session.get(Bot, self.bot_id, populate_existing=True)

    @property
    def compute(self):
        return db.session.get(BotCompute, self.bot_id, populate_existing=True)

    @property
    def address(self):
        return db.session.get(BotAddress, self.bot_id, populate_existing=True)

    @property
    def machine(self):
        return machines.current_machine(self.bot_id)

    @property
    def phase(self):
        found = self.compute.phase
        db.session.rollback()
        return found

    def all(self, kind):
        """This bot's rows of one kind, newly read."""
        query = select(kind).where(kind.bot_id == self.bot_id)
        found = db.session.scalars(query, execution_options={"populate_existing": True})
        return list(found)

    def generations(self):
        return sorted(it.generation for it in self.all(Machine))

    def calls(self, kind):
        """What was asked of the cloud, by the rows: states, oldest first."""
        found = [it for it in self.all(CloudOperation) if it.kind == kind]
        return [it.state for it in sorted(found, key=lambda it: it.started_at)]

    # -- the cloud ----------------------------------------------------------------------------

    def instances(self):
        """Its machines in the cloud, in whatever state."""
        found = self.cloud.snapshot()["instances"]
        return [it for it in found if it["labels"].get("bot") == self.bot_id]

    def addresses(self):
        """Its address in the cloud."""
        found = self.cloud.snapshot()["addresses"]
        return [it for it in found if it["name"] == self.address_name]

    def zones(self):
        return [it["zone"].rpartition("/")[2] for it in self.instances()]

    def asked(self, verb, what):
        """Changes of that kind that reached the cloud, also those it refused."""
        return [
            call
            for call in self.cloud.calls()
            if call["verb"] == verb and f"/{what}" in call["path"] and self.short in str(call)
        ]

    # -- its runner ---------------------------------------------------------------------------

    @property
    def now(self):
        return datetime.now(UTC)

    def tick(self):
        """What its runner's clock says."""
        return self.now

    @property
    def runner(self):
        """Of the machine that runs, as it was started last; none while none does."""
        running = [it for it in self.instances() if it["status"] == "RUNNING"]
        if not running:
            return None
        return self.runner_of(running[0])

    def runner_of(self, instance):
        boot = instance["id"], instance["lastStartTimestamp"]
        if boot not in self.runners:
            items = {it["key"]: it["value"] for it in instance["metadata"]["items"]}
            config = instance["networkInterfaces"][0]["accessConfigs"][0]
            vm = Vm(
                name=instance["name"],
                bot=items["plutarc-bot"],
                generation=int(items["plutarc-generation"]),
                address_name=self.address_name,
                ip=config["natIP"],
                token=items["plutarc-token"],
                boots=len(self.runners),
            )
            earlier = [it for it in self.runners.values() if it.vm.name == vm.name]
            if earlier:
                vm.disk = earlier[0].vm.disk
            self.runners[boot] = Runner(self, vm)
        return self.runners[boot]

    def runner_behaves(self):
        """What a healthy runner does within a moment: claims, asks the venue, obeys, reports."""
        runner = self.runner
        if runner is None or runner.stopped:
            return
        if runner.claim_id is None or runner.reload:
            runner.claim()
        if runner.trades:
            runner.asked_venue = True
            runner.sync()
            if runner.pending():
                runner.sync()
        db.session.rollback()

    # -- people -------------------------------------------------------------------------------

    def wish(self, verb, **more):
        """A person's verb, committed."""
        verb(self.bot, by=factories.TESTER, now=datetime.now(UTC), **more)
        db.session.commit()

    def start(self):
        self.wish(bots.start)

    def stop(self):
        self.wish(bots.stop)

    # -- faults -------------------------------------------------------------------------------

    def cut(self, whom, event, function, file):
        """A worker is killed as it comes to that point, and its lease runs out."""
        self.stage.workers.trip(event, function, file)
        self.comes_to("a child stops at its point", self.stage.workers.stopped)
        self.strike(whom)

    def cut_at(self, whom, match, mode):
        """The same while the cloud holds an exchange, which it had the intent of before."""
        self.cloud.fault(match, mode)
        (held,) = self.comes_to("the cloud holds a call", self.cloud.held)
        self.intended(held["request"])
        self.strike(whom)
        return held

    def comes_to(self, what, look):
        """The timetable's looks go on until one of them has come that far."""
        for _ in range(6):
            self.stage.hint()
            until(what, lambda: look() or self.stage.is_quiet(), PAUSE)
            if found := look():
                return found
            self.comes_due()
        raise AssertionError(f"it never happens: {what}")

    def intended(self, request):
        """10, where it can be seen: while the call is made, its intent can be read."""
        told = {it.request_id: it.state for it in self.all(CloudOperation)}
        db.session.rollback()
        assert told[request] is OperationState.INTENDED

    def strike(self, whom):
        """Kill whoever is at work, and let so much time pass that others may go on."""
        self.stage.workers.strike(whom)
        self.stage.lose_jobs()
        self.stage.pass_time(LEASE)

    # -- time and looks -----------------------------------------------------------------------

    def due_in(self):
        """How long until the timetable would ask for this bot."""
        now, compute = self.stage.now(), self.compute
        found = max(compute.due_at, compute.lease_until) - now
        db.session.rollback()
        return found

    def comes_due(self, *, at_most=None):
        """Let time pass until this bot is due, a second at least."""
        wait = max(self.due_in() + timedelta(milliseconds=5), SOON)
        self.stage.pass_time(min(wait, at_most) if at_most else wait)

    def step(self):
        """It is due, and somebody looks."""
        self.comes_due()
        self.stage.look()

    def settles(self, phase, *, patience=40, behaves=True):
        """Everything works again: the timetable alone brings it where it is wished, and rest."""
        for looks in range(patience):
            checks.at_any_instant(self)
            if behaves:
                self.runner_behaves()
            if looks and self.phase is phase and self._rests():
                checks.everything(self)
                return
            awake = self.runner is not None
            self.comes_due(at_most=seconds(5) if awake else None)
            self.stage.look()
        raise AssertionError(f"it is {self._told()} and does not become {phase}")

    def _rests(self):
        phase, there = self.compute.phase, self.instances()
        if phase is Phase.READY:
            trades = self.runner is not None and self.runner.trades
            return trades and len(there) == 1 and not self.runner.draining
        return phase in _AT_REST and (phase is Phase.BLOCKED or not there)

    def _told(self):
        compute = self.compute
        return f"{compute.phase}, {compute.problem!r}, {self.instances()}"

    def reaches(self, phase, patience=20):
        """On its way, by the timetable alone."""
        for _ in range(patience):
            if self.phase is phase:
                return self
            self.step()
        raise AssertionError(f"it is {self._told()} and does not become {phase}")

    # -- situations ---------------------------------------------------------------------------

    def asleep(self):
        """It has its address."""
        return self.reaches(Phase.ASLEEP)

    def awake(self):
        """Its machine runs and trades."""
        self.asleep().start()
        self.reaches(Phase.BOOTING)
        self.runner_behaves()
        assert self.phase is Phase.READY
        return self

    def finishing(self):
        """It was stopped, and its runner has acknowledged the drain and is flat."""
        self.awake().stop()
        self.reaches(Phase.DRAINING)
        self.runner_behaves()
        self.runner_behaves()
        assert self.runner.draining
        return self

    def ripe(self):
        """The next look deletes its machine."""
        self.finishing()
        self.stage.pass_time(seconds(4))
        self.runner_behaves()
        return self
