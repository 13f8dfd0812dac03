"""Compute Engine as the models see it: the fake server, the real driver over the real client
library, and a world whose clock is the cloud's as well.

It has the verbs of ``cloud.Cloud``, so that ``world.py``, ``runner.py`` and ``checks.py`` serve
both. What may befall one call is a fate of ``FATES``; what befalls the cloud as a whole is weather,
set with the fake's own verbs.
"""

from dataclasses import replace
from datetime import timedelta

from app.gateways.compute import boot
from app.gateways.compute.driver import StepKind
from app.gateways.compute.gce import GceDriver
from tests.factories import NOW
from tests.fakes.gce import Behaviour, Cloud
from tests.gateways.compute.gce_world import REGION, ZONE, settings
from tests.model import gce_checks
from tests.model.cloud import LOOKS, intent_is_committed
from tests.model.world import SETTINGS, World

ZONES = Behaviour().regions[REGION]
LOOKING = (*LOOKS, StepKind.LIST_ZONES)


def _change(mode, **more):
    return [("POST *", mode, more), ("DELETE *", mode, more)]


def _look(mode, **more):
    return [("GET *", mode, more)]


def _refusal(code, reason, info=""):
    return _change("error_before", code=code, reason=reason, info=info)


FATES = {
    "applied and answered": [],
    "never arrived": _change("drop_before"),
    "applied, the answer lost": _change("drop_after"),
    "no answer, applied some time later": _change("late"),
    "503 before": _change("error_before", code=503),
    "503 after": _change("error_after", code=503),
    "500 after": _change("error_after", code=500),
    "502 as a page after": _change("error_after", code=502, html=True),
    "too often": _refusal(403, "rateLimitExceeded"),
    "too many": _refusal(429, "tooManyRequests"),
    "too many at once": _refusal(403, "rateLimitExceeded", "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED"),
    "not allowed": _refusal(403, "forbidden"),
    "quota reached": _refusal(403, "quotaExceeded"),
    "nothing is to be seen": _look("drop_before"),
    "looking fails": _look("error_before", code=503),
    "looking too often": _look("error_before", code=403, reason="rateLimitExceeded"),
}
"""What befalls the first exchange that changes something, or that looks, of one step."""

FAILURES = (
    "ZONE_RESOURCE_POOL_EXHAUSTED",
    "INTERNAL_ERROR",
    "QUOTA_EXCEEDED",
    "PERMISSIONS_ERROR",
    "RESOURCE_OPERATION_RATE_EXCEEDED",
    "RESOURCE_NOT_READY",
)
"""What the operation that a step begins fails of."""

WEATHER = (
    {"reserve": 20.0},
    {"release": 20.0},
    {"insert": 9.0},
    {"insert": 90.0},
    {"delete": 30.0},
    {"stockout": 7.0},
    {"address_lag": 45.0},
    {"ghost": 30.0},
    {"operation_ttl": 1.0},
    {"request_ttl": 1.0},
    {"error_fields": False},
    {"detailed_stockout": True},
    {"held_sync": True},
    {"quota_sync": False},
    {"release_in_use": True},
    {"address_labels": False},
    {"leak_disks": True},
    {"static_addresses": 0},
    {"in_use_addresses": 0},
    {"page": 2},
)


class Watched(Cloud):
    """The fake server, which also counts boots and marks insertions that are going to fail."""

    def insert_instance(self, zone, body, request):
        told = super().insert_instance(zone, body, request)
        key = f"{zone}/{body['name']}"
        row, operation = self.store.get("instance", key), self.store.get("op", told["name"])
        if row is not None and operation.get("_failure") and row["id"] == operation["targetId"]:
            self.store.put("instance", key, row | {"_doomed": True})
        return told

    def run(self, key, row):
        row["_boots"] = row.get("_boots", 0) + 1
        super().run(key, row)


class Vm:
    """One incarnation of a machine; ``disk`` outlives its boots."""

    def __init__(self, cloud, row, disk):
        self._cloud, self.disk = cloud, disk
        self.number, self.name = row["id"], row["name"]
        self.bot, self.generation = row["labels"]["bot"], int(row["labels"].get("generation", 0))
        self.ip = row["networkInterfaces"][0]["accessConfigs"][0]["natIP"]
        items = row.get("metadata", {}).get("items", [])
        self.token = {it["key"]: it["value"] for it in items}.get("plutarc-token", "")

    @property
    def row(self):
        return self._cloud.rows().get(self.number)

    @property
    def running(self):
        row = self.row
        return row is not None and row["status"] == "RUNNING"

    @running.setter
    def running(self, on):
        assert not on
        if self.running:
            self._cloud.fake.terminate(self.name)

    @property
    def ending(self):
        row = self.row
        return row is None or row["status"] == "STOPPING"

    @property
    def boots(self):
        row = self.row
        return row.get("_boots", 0) if row else 0


class GceCloud:
    """``strays``: incarnations that came of a call which nobody waited for any more."""

    def __init__(self):
        self.fake = Watched(clock="virtual")
        self.fake.start()
        self.fake.advance(NOW.timestamp() - self.fake.now())
        self.driver = GceDriver(settings(self.fake), _metadata)
        self.strays, self.disks = set(), {}
        self._vms, self._fair = {}, replace(self.fake.behaviour)
        self._foreign = {}

    def close(self):
        self.fake.close()

    def follow(self, by):
        """The platform's clock moved; the cloud's goes along, but never back."""
        if by > timedelta(0):
            self.fake.advance(by.total_seconds())

    # -- what there is ------------------------------------------------------------------------

    def rows(self):
        """Our machines by number, as they are inside the cloud."""
        with self.fake.lock:
            found = [row for _, row in self.fake.store.all("instance")]
        return {row["id"]: row for row in found if _is_ours(row)}

    @property
    def all(self):
        """Every machine of ours, also one that is about to fail."""
        found = []
        for number, row in self.rows().items():
            if number not in self._vms:
                disk = self.disks.setdefault(row["name"], {"told": [], "acked": 0, "done": set()})
                self._vms[number] = Vm(self, row, disk)
            found.append(self._vms[number])
        return found

    @property
    def vms(self):
        return {vm.name: vm for vm in self.all if not vm.row.get("_doomed")}

    def of(self, bot_id):
        return [vm for vm in self.vms.values() if vm.bot == bot_id]

    @property
    def addresses(self):
        with self.fake.lock:
            found = [row for _, row in self.fake.store.all("address")]
        return {row["name"]: row["_ip"] for row in found}

    # -- calls --------------------------------------------------------------------------------

    def do(self, step, fate="applied and answered", failure=None):
        """One step by the driver, under a fate; what it changes must have been written down."""
        assert step.kind in LOOKING or intent_is_committed(step), f"{step.kind} without intent"
        before = self.fake.calls()
        for match, mode, more in FATES.get(fate, []):
            self.fake.fault(match, mode, **more)
        if failure:
            self.fake.fail_next("*", failure)
        result = self.driver.do(step)
        self.fake.faults.clear()
        self.fake.planned.clear()
        made = self.fake.calls()[len(before) :]
        assert step.kind not in LOOKING or not made, f"{step.kind} changed something"
        assert {call["request"] for call in made} <= {"", step.request_id}
        self._unspent(before, made)
        return result

    def _unspent(self, before, made):
        """No request id is sent once more after what it was for has failed."""
        ended = [it for it in self.fake.snapshot()["operations"] if "error" in it]
        failed = {it.get("clientOperationId") for it in ended}
        failed |= {call["request"] for call in before if 400 <= call["code"] < 500}
        again = {call["request"] for call in before} & {call["request"] for call in made} - {""}
        assert not again & failed, "a request id was used again after a failure"

    def arrive(self):
        """A call that nobody waits for any more arrives."""
        with self.noting_strays():
            self.fake.arrive()

    def noting_strays(self):
        return _Strays(self)

    # -- weather ------------------------------------------------------------------------------

    def clears(self):
        """Nothing goes wrong from now on; what is under way on its old terms ends on them."""
        self.fake.calm()
        self.fake.configure(**{name: getattr(self._fair, name) for name in _FIELDS})

    # -- others -------------------------------------------------------------------------------

    def keeps(self, addresses):
        """These addresses of ours were reserved long ago: name -> ip, and the bot each is of."""
        for name, (ip, bot) in addresses.items():
            labels = {"managed-by": "plutarc", "env": "test", "bot": bot}
            self.insert_address(name, labels, ip)

    def insert_address(self, name, labels, ip=None):
        """An address that no step of ours asked for."""
        mark = "/".join(
            [labels.get("managed-by", "-"), labels.get("env", "-"), labels.get("bot", "-")]
        )
        body = {"name": name, "labels": labels, "networkTier": "STANDARD", "description": mark}
        with self.fake.lock:
            self.fake.insert_address(REGION, body, {"verb": "hand"})
            row = self.fake.store.get("address", f"{REGION}/{name}")
            row |= {"status": "RESERVED", "_ip": ip or row["_ip"]}
            row["address"] = row["_ip"]
            self.fake.store.put("address", f"{REGION}/{name}", row)

    def insert_machine(self, name, labels):
        """A machine that no step of ours asked for, at an address of its own."""
        start = {"sourceImage": "x", "labels": labels}
        body = {
            "name": name,
            "labels": labels,
            "machineType": f"zones/{ZONE}/machineTypes/e2-micro",
            "disks": [{"boot": True, "autoDelete": True, "initializeParams": start}],
            "networkInterfaces": [{"accessConfigs": [{"networkTier": "STANDARD"}]}],
        }
        with self.fake.lock:
            self.fake.insert_instance(ZONE, body, {"verb": "hand"})

    def strangers_move_in(self):
        """Others in the same project: another installation, and people with names like ours."""
        ours = {"managed-by": "plutarc", "env": "another", "bot": "bot_other", "generation": "1"}
        self.insert_machine("b-other-g1", ours)
        self.insert_machine("b-theirs-g1", {})
        self.insert_address("b-other-ip", ours)
        self.insert_address("b-theirs-ip", {})
        self.fake.advance(5)
        self._foreign = self.foreign()

    def foreign(self):
        """All that is not ours, as the API shows it."""
        shown = self.fake.snapshot()
        return {
            (kind, it["name"]): it
            for kind in ("instances", "addresses", "disks")
            for it in shown[kind]
            if it["name"].startswith(("b-other-", "b-theirs-"))
        }

    @property
    def strangers_are_unharmed(self):
        return self.foreign() == self._foreign


class _Strays:
    """Whatever machine comes meanwhile is a stray."""

    def __init__(self, cloud):
        self._cloud = cloud

    def __enter__(self):
        self._before = set(self._cloud.rows())

    def __exit__(self, *_):
        self._cloud.strays |= set(self._cloud.rows()) - self._before


class GceWorld(World):
    """One bot on Compute Engine; see ``world.py``."""

    settings = replace(SETTINGS, zoned=True, in_flight=1)

    def rest(self):
        """The cloud takes its time for everything."""
        self.pass_time(timedelta(seconds=1))

    def begin(self, skew=timedelta(0)):
        held = super().begin(skew)
        if held is not None:
            gce_checks.asked(self, held, self.now + skew)
        return held

    def do(self, held, fate="applied and answered", failure=None):
        if self.compute.fence == held.errand.fence:
            held.result = self.cloud.do(held.errand.step, fate, failure)
            return
        with self.cloud.noting_strays():
            held.result = self.cloud.do(held.errand.step, fate, failure)

    def finish(self, held, skew=timedelta(0)):
        taken = super().finish(held, skew)
        if taken:
            gce_checks.answered(self, held)
        return taken

    @property
    def secrets(self):
        """What opens the account at the venue."""
        mine = self.connection
        return self.opener.open(mine.sealed, mine.seal_context).values()

    def older_machines(self):
        return [
            vm for vm in self.cloud.all
            if vm.bot == self.bot_id and vm.number not in self.cloud.strays
        ]  # fmt: skip


_FIELDS = tuple({name for change in WEATHER for name in change} | {"instances"})


def _is_ours(row):
    labels = row.get("labels", {})
    return labels.get("managed-by") == "plutarc" and labels.get("env") == "test"


def _metadata(step):
    return boot.metadata(step.environment, "0" * 64, "http://127.0.0.1:1/bundle")
