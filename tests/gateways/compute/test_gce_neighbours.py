"""A project that others share: only what bears our name, labels and environment is changed."""

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import compute_v1

from app.gateways.compute.driver import Cause, Outcome
from tests.gateways.compute.gce_world import REGION, ZONE

FOREIGN = [
    {"env": "another"},
    {"managed-by": "somebody"},
    {"bot": "bot_other"},
    {},
]


class Neighbour:
    """Somebody else in the project, with the same client library."""

    def __init__(self, gce):
        self.cloud = gce.cloud
        how = {
            "credentials": AnonymousCredentials(),
            "client_options": {"api_endpoint": gce.cloud.url},
        }
        self._addresses = compute_v1.AddressesClient(**how)
        self._machines = compute_v1.InstancesClient(**how)

    def labels(self, changes):
        mine = {"managed-by": "plutarc", "env": "test", "bot": "bot_one", "generation": "1"}
        return mine | changes if changes else {}

    def reserve(self, name, changes):
        body = compute_v1.Address(
            name=name, labels=self.labels(changes), network_tier="STANDARD", description="mine"
        )
        self._addresses.insert_unary(project="demo-project", region=REGION, address_resource=body)
        self.cloud.advance(1)

    def insert(self, name, changes):
        config = compute_v1.AccessConfig(network_tier="STANDARD")
        start = compute_v1.AttachedDiskInitializeParams(labels=self.labels(changes))
        body = compute_v1.Instance(
            name=name,
            labels=self.labels(changes),
            machine_type=f"zones/{ZONE}/machineTypes/e2-micro",
            disks=[compute_v1.AttachedDisk(boot=True, initialize_params=start)],
            network_interfaces=[compute_v1.NetworkInterface(access_configs=[config])],
        )
        self._machines.insert_unary(project="demo-project", zone=ZONE, instance_resource=body)
        self.cloud.advance(1)


@pytest.fixture
def neighbour(gce):
    return Neighbour(gce)


@pytest.mark.parametrize("changes", FOREIGN)
def test_a_foreign_machine_of_our_name_is_left_alone(gce, neighbour, changes):
    ip = gce.reserved()
    neighbour.insert("b-one-g1", changes)
    before = gce.changes()
    for kind in ("insert_machine", "delete_machine", "observe_machine", "read_console"):
        result = gce.do(kind, ip=ip)
        assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.INVALID), kind
        assert "not of this installation" in result.detail
    assert gce.do("delete_disk").outcome is Outcome.FAILED
    assert gce.changes() == before


@pytest.mark.parametrize("changes", FOREIGN)
def test_a_foreign_address_of_our_name_is_left_alone(gce, neighbour, changes):
    neighbour.reserve("b-one-ip", changes)
    before = gce.changes()
    for kind in ("reserve_address", "release_address", "observe_address"):
        result = gce.do(kind)
        assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.INVALID), kind
    ip = gce.cloud.snapshot()["addresses"][0]["address"]
    assert gce.do("insert_machine", ip=ip).outcome is Outcome.FAILED
    assert gce.changes() == before


def test_a_second_installation_sees_nothing_of_ours(gce):
    gce.running()
    other = gce.another(env_label="test2")
    seen = other.survey((REGION,))
    assert (seen.machines, seen.addresses, seen.disks) == ((), (), ())
    assert other.do(gce.step("delete_machine")).outcome is Outcome.FAILED
    assert other.do(gce.step("release_address")).outcome is Outcome.FAILED
    gce.cloud.configure(address_labels=False)
    gce.reserved(bot="bot_two")
    assert gce.another(env_label="test2").survey((REGION,)).addresses == ()


def test_an_address_whose_labels_did_not_stick_is_known_by_its_description(gce):
    gce.cloud.configure(address_labels=False)
    gce.do("reserve_address")
    gce.cloud.advance(1)
    assert [address.name for address in gce.driver.survey((REGION,)).addresses] == ["b-one-ip"]
    assert gce.finish("release_address").outcome is Outcome.DONE


@pytest.mark.parametrize(
    "changes",
    [
        {"machine_name": "web-1"},
        {"machine_name": "b-one"},
        {"machine_name": "b-one-g1/../../x"},
        {"machine_name": None},
        {"machine_name": "b-one-g1\n"},
        {"zone": "us-central1-a"},
        {"zone": "europe-west1-b/instances"},
        {"region": "Europe"},
        {"bot": "Bot One"},
    ],
)
@pytest.mark.parametrize("kind", ["insert_machine", "delete_machine", "delete_disk"])
def test_a_name_that_is_not_ours_is_asked_nothing(gce, kind, changes):
    step = gce.step(kind, ip="127.80.0.1")
    values = {name: getattr(step, name) for name in step.__dataclass_fields__}
    result = gce.driver.do(type(step)(**(values | changes)))
    assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.INVALID)
    assert gce.changes() == []


@pytest.mark.parametrize("kind", ["reserve_address", "release_address"])
def test_an_address_of_another_pattern_is_asked_nothing(gce, kind):
    assert gce.do(kind, address_name="office-ip").outcome is Outcome.FAILED
    assert gce.changes() == []


def test_no_address_outside_the_regions_of_the_settings(gce):
    result = gce.do("reserve_address", region="asia-east1")
    assert result.outcome is Outcome.FAILED
    narrow = gce.another(regions=("us-central1",))
    result = narrow.do(gce.step("reserve_address"))
    assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.INVALID)
    assert "GCE_REGIONS" in result.detail
    assert gce.changes() == []


def test_a_machine_that_is_another_than_asked_for_is_not_taken_for_it(gce):
    ip = gce.running()
    result = gce.do("insert_machine", ip="127.80.9.9")
    assert result.outcome is Outcome.FAILED
    assert ip in result.detail
