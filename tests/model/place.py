"""An installation on Compute Engine, in a project that others share: bots, cloud and sweeps.

Beside the bots that a model looks at, some always sleep: so that what is forgotten is a small part
of what there is, as it is in life.
"""

from contextlib import suppress
from datetime import timedelta

from sqlalchemy import delete, select, update

from app.domain import bots, machines
from app.domain.errors import Conflict, Refused
from app.extensions import db
from app.models import (
    AlarmKind,
    BotAddress,
    BotCompute,
    CloudFind,
    CloudRegion,
    FleetAlarm,
    Leadership,
    Machine,
    Phase,
    SweepRun,
    ZoneCooldown,
)
from tests import factories
from tests.factories import NOW
from tests.fakes.gce.errors import Refusal
from tests.gateways.compute.gce_world import REGION
from tests.model import gce_checks
from tests.model.gce import GceCloud, GceWorld
from tests.model.sweeper import Sweeper

SLEEPERS = 24
ROUNDS = 500
"""So many looks at everything suffice to come to rest; the clock is moved between them."""
EVERY = timedelta(minutes=5)
LEAK = "leak"
MENDED = (
    AlarmKind.BLOCKED,
    AlarmKind.PHASE_DEADLINE,
    AlarmKind.LATE_WAKE,
    AlarmKind.ADDRESS_LOST,
)


class Place:
    """See the module. ``house`` makes worlds; ``sleepers``: name -> its ip and its bot."""

    def __init__(self, house, person_id, sleepers):
        self._house = house
        forget()
        self.cloud = GceCloud()
        self.cloud.keeps(sleepers)
        self.cloud.strangers_move_in()
        self.sweeper = Sweeper(self.cloud, person_id)
        self.worlds = self.sweeper.worlds

    def bot(self, age):
        """One more bot, of this age."""
        neighbour = self.worlds[-1] if self.worlds else None
        world = self._house(neighbour, make=GceWorld, cloud=self.cloud, region=REGION)
        self.worlds.append(world)
        world.grow(age)
        return world

    def close(self):
        for world in self.worlds:
            retire(world)
            world.close()
        self.cloud.close()

    def leak(self, kind, number):
        """Something of ours that no row accounts for."""
        name = f"b-{LEAK}{number}"
        labels = {"managed-by": "plutarc", "env": "test", "bot": f"bot_{LEAK}{number}"}
        with suppress(Refusal):
            if kind == "machine":
                self.cloud.insert_machine(f"{name}-g1", labels | {"generation": "1"})
            else:
                self.cloud.insert_address(f"{name}-ip", labels)

    # -- coming to rest -----------------------------------------------------------------------

    def comes_to_rest(self):
        """All works again and calls that were late have come: rows, cloud and wishes agree."""
        self._sweeps_are_blind()
        while self.cloud.fake.late:
            self.cloud.arrive()
        self.cloud.clears()
        for world in self.worlds:
            world.delayed = []
            if world.ip_removed:
                deleted(world)
        self._settle()
        self.worlds[0].pass_time(EVERY)  # everybody is looked at once more, and alarms have ended
        self._settle()
        self._check()

    def _sweeps_are_blind(self):
        """Listings lack a whole region twice in a row, which proves nothing of what is there."""
        self.cloud.fake.unreach(REGION)
        for _ in range(3):
            self.worlds[0].pass_time(EVERY)
            self.sweeper.sweep()

    def _settle(self):
        swept = None
        for _ in range(ROUNDS):
            self.go_on()
            if self._agrees():
                break
            if swept is None or abs(self.worlds[0].now - swept) >= EVERY:
                swept = self.worlds[0].now
                self.sweeper.sweep()
                self.sweeper.people_decide()
            self.worlds[0].pass_time(self._pause())

    def go_on(self):
        """Runners report, workers look at what is due, and deletions go a step further."""
        for world in self.worlds:
            if world.runner is not None:
                world._runner_behaves()
            if world.hint():
                world.step()
        self.sweeper.clear()

    def _agrees(self):
        differences = gce_checks.differences(self.cloud, self.worlds)
        return not any(differences.values()) and all(map(at_rest, self.worlds))

    def _pause(self):
        """Until something can happen; where all are at rest only sweeps are waited for."""
        waiting = [it for it in self.worlds if not at_rest(it)]
        moments = [it._nothing_before() for it in waiting]
        longest = min([*moments, self.worlds[0].now + EVERY]) - self.worlds[0].now
        return max(timedelta(seconds=2), longest)

    def _check(self):
        gce_checks.everything(self.cloud, self.worlds)
        for world in self.worlds:
            told = f"it came to rest as {world.compute.phase}, wanted {world.bot.wish}"
            assert at_rest(world), f"{told}: {world.compute.problem}"
        differences = gce_checks.differences(self.cloud, self.worlds)
        assert not any(differences.values()), f"rows and cloud differ: {differences}"
        self.sweeper.deadlines()
        self._quiet()

    def _quiet(self):
        """What has mended itself rings no more."""
        ours = {world.bot_id for world in self.worlds if not world.ip_removed}
        ringing = select(FleetAlarm.kind, FleetAlarm.message).where(
            FleetAlarm.cleared_at.is_(None),
            FleetAlarm.kind.in_(MENDED),
            FleetAlarm.bot_id.in_(ours),
        )
        told = [tuple(row) for row in db.session.execute(ringing)]
        assert not told, f"an alarm rings for what is mended: {told}"


def at_rest(world):
    """Whether a bot is where its wish says, as far as it can get there without its address."""
    if world.ip_removed and machines.stranded(world.bot_id):
        return True
    return world.at_goal()


def deleted(world):
    """A person gives up a bot whose address is lost: no other one takes its place."""
    with suppress(Conflict, Refused):
        world.wish(bots.delete, typed_name=world.bot.name)


def sleepers(workspace, version, _connection):
    """Bots that sleep, with their addresses."""
    found = {}
    for number in range(1, SLEEPERS + 1):
        bot = factories.bot(workspace, version=version, region=REGION)
        compute = db.session.get_one(BotCompute, bot.id)
        compute.phase, compute.due_at = Phase.ASLEEP, NOW + timedelta(days=3_650)
        name, ip = f"b-{bot.id.removeprefix('bot_')}-ip", f"127.81.0.{number}"
        address = {"workspace_id": bot.workspace_id, "bot_id": bot.id, "name": name, "ip": ip}
        db.session.add(BotAddress(**address, region=REGION, reserved_at=NOW))
        found[name] = ip, bot.id
    db.session.commit()
    return found


def forget():
    """What the platform knows of its cloud is from another one."""
    for kind in (CloudRegion, ZoneCooldown, CloudFind, SweepRun, Leadership, FleetAlarm):
        db.session.execute(delete(kind))
    db.session.commit()


def retire(world):
    """Its cloud ends with it: nothing of it counts any more."""
    db.session.rollback()
    mine = world.bot_id
    for statement in (
        update(BotCompute).where(BotCompute.bot_id == mine).values(phase=Phase.RELEASED),
        update(BotAddress).where(BotAddress.bot_id == mine).values(released_at=world.now),
        update(Machine).where(Machine.bot_id == mine).values(gone_at=world.now),
    ):
        db.session.execute(statement.execution_options(synchronize_session=False))
    db.session.commit()
