"""The fake cloud answers in the shapes of the API: every answer parses into the client library's
own types with no field left over, and has the fields that Google's documents promise.
"""

import json
import urllib.error
import urllib.request

import pytest
from google.cloud import compute_v1
from google.protobuf import json_format

from tests.fakes.gce import Cloud
from tests.waiting import PATIENCE

ZONE, REGION = "europe-west1-b", "europe-west1"
PROJECT = "/compute/v1/projects/demo-project"

# By Google's reference of each resource: what a client may count on.
FIELDS = {
    compute_v1.Address: "kind id name creationTimestamp status region selfLink addressType "
    "networkTier labelFingerprint",
    compute_v1.Instance: "kind id name creationTimestamp status zone selfLink machineType disks "
    "networkInterfaces metadata scheduling shieldedInstanceConfig labelFingerprint",
    compute_v1.Disk: "kind id name creationTimestamp status zone selfLink sizeGb type",
    compute_v1.Operation: "kind id name operationType targetLink targetId status progress user "
    "insertTime selfLink",
    compute_v1.Region: "kind id name description status selfLink zones quotas",
    compute_v1.SerialPortOutput: "kind contents start next selfLink",
    compute_v1.InstanceList: "kind id selfLink",
    compute_v1.AddressList: "kind id selfLink",
    compute_v1.DiskList: "kind id selfLink",
    compute_v1.OperationList: "kind id selfLink",
    compute_v1.RegionList: "kind id selfLink items",
    compute_v1.InstanceAggregatedList: "kind id selfLink items",
    compute_v1.AddressAggregatedList: "kind id selfLink items",
    compute_v1.DiskAggregatedList: "kind id selfLink items",
}
MACHINE = {
    "name": "b-one-g1",
    "machineType": f"zones/{ZONE}/machineTypes/e2-micro",
    "labels": {"managed-by": "plutarc"},
    "disks": [
        {"boot": True, "autoDelete": True, "initializeParams": {"labels": {"managed-by": "x"}}}
    ],
    "networkInterfaces": [{"accessConfigs": [{"networkTier": "STANDARD"}]}],
    "metadata": {"items": [{"key": "startup-script", "value": "#!/bin/sh"}]},
    "scheduling": {"maxRunDuration": {"seconds": "100"}, "instanceTerminationAction": "DELETE"},
}
ADDRESS = {"name": "b-one-ip", "networkTier": "STANDARD", "labels": {"managed-by": "plutarc"}}


class Wire:
    """The bare HTTP, without a library that forgives."""

    def __init__(self, cloud):
        self.cloud = cloud
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def __call__(self, verb, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.cloud.url}{PROJECT}/{path}", data, method=verb)
        try:
            with self._open(request, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def get(self, path):
        code, told = self("GET", path)
        assert code == 200, told
        return told

    def change(self, verb, path, body=None):
        code, told = self(verb, path, body)
        assert code == 200, told
        conforms(told, compute_v1.Operation)
        self.cloud.advance(2)
        scope = told["selfLink"].partition("/demo-project/")[2]
        done = self.get(scope)
        conforms(done, compute_v1.Operation)
        assert done["status"] == "DONE"
        return done


@pytest.fixture
def wire():
    with Cloud(clock="virtual") as cloud:
        yield Wire(cloud)
        assert cloud.problems() == []


def conforms(told, kind):
    """Parses strictly, and is what it was once it is written again."""
    message = json_format.ParseDict(told, kind.pb()(), ignore_unknown_fields=False)
    missing = set(FIELDS[kind].split()) - set(told)
    assert not missing, f"{kind.__name__} lacks {missing}"
    back = json_format.MessageToDict(message)
    assert back.get("name") == told.get("name")
    if "id" in told and told["kind"].count("List") == 0:
        assert told["id"].isdigit()
    return message


def test_everything_of_a_machine_s_life(wire):
    wire.change("POST", f"regions/{REGION}/addresses", ADDRESS)
    address = wire.get(f"regions/{REGION}/addresses/b-one-ip")
    conforms(address, compute_v1.Address)
    assert (address["status"], address["kind"]) == ("RESERVED", "compute#address")
    body = json.loads(json.dumps(MACHINE))
    body["networkInterfaces"][0]["accessConfigs"][0]["natIP"] = address["address"]
    wire.change("POST", f"zones/{ZONE}/instances", body)
    conforms(wire.get(f"zones/{ZONE}/instances/b-one-g1"), compute_v1.Instance)
    conforms(wire.get(f"zones/{ZONE}/disks/b-one-g1"), compute_v1.Disk)
    held = wire.get(f"regions/{REGION}/addresses/b-one-ip")
    conforms(held, compute_v1.Address)
    assert (held["status"], len(held["users"])) == ("IN_USE", 1)
    conforms(wire.get(f"zones/{ZONE}/instances/b-one-g1/serialPort"), compute_v1.SerialPortOutput)
    for path, kind in (
        (f"zones/{ZONE}/instances", compute_v1.InstanceList),
        (f"zones/{ZONE}/disks", compute_v1.DiskList),
        (f"zones/{ZONE}/operations", compute_v1.OperationList),
        (f"regions/{REGION}/operations", compute_v1.OperationList),
        (f"regions/{REGION}/addresses", compute_v1.AddressList),
        ("regions", compute_v1.RegionList),
        (f"regions/{REGION}", compute_v1.Region),
        ("aggregated/instances", compute_v1.InstanceAggregatedList),
        ("aggregated/addresses", compute_v1.AddressAggregatedList),
        ("aggregated/disks", compute_v1.DiskAggregatedList),
    ):
        conforms(wire.get(path), kind)
    wire.change("DELETE", f"zones/{ZONE}/instances/b-one-g1")
    assert wire("GET", f"zones/{ZONE}/instances/b-one-g1")[0] == 404
    wire.change("DELETE", f"regions/{REGION}/addresses/b-one-ip")


def test_every_status_is_one_of_the_api(wire):
    wire("POST", f"zones/{ZONE}/instances", MACHINE)
    known = {status.name for status in compute_v1.Instance.Status}
    seen = [wire.get(f"zones/{ZONE}/instances/b-one-g1")["status"]]
    wire.cloud.advance(0.25)
    seen.append(wire.get(f"zones/{ZONE}/instances/b-one-g1")["status"])
    wire.cloud.advance(1)
    seen.append(wire.get(f"zones/{ZONE}/instances/b-one-g1")["status"])
    wire("DELETE", f"zones/{ZONE}/instances/b-one-g1")
    seen.append(wire.get(f"zones/{ZONE}/instances/b-one-g1")["status"])
    assert seen == ["PROVISIONING", "STAGING", "RUNNING", "STOPPING"]
    assert set(seen) <= known
    states = {row["status"] for row in wire.get(f"zones/{ZONE}/operations")["items"]}
    assert states <= {status.name for status in compute_v1.Operation.Status}


@pytest.mark.parametrize("fields", [True, False])
@pytest.mark.parametrize(
    "code", ["ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "QUOTA_EXCEEDED", "SOMETHING_NEW"]
)
def test_failed_operations(wire, code, fields):
    wire.cloud.fail_next("insert", code, fields=fields)
    done = wire.change("POST", f"zones/{ZONE}/instances", MACHINE)
    assert done["error"]["errors"][0]["code"] == code
    assert ("httpErrorStatusCode" in done) is fields
    assert wire.get(f"zones/{ZONE}/instances").get("items", []) == []


def test_refusals_have_google_s_envelope(wire):
    code, told = wire("GET", f"zones/{ZONE}/instances/none")
    assert (code, told["error"]["code"]) == (404, 404)
    assert told["error"]["errors"] == [
        {
            "domain": "global",
            "reason": "notFound",
            "message": "The resource 'projects/demo-project/zones/europe-west1-b/instances/none' "
            "was not found",
        }
    ]
    wire.cloud.configure(operations_in_flight=0)
    code, told = wire("POST", f"regions/{REGION}/addresses", ADDRESS)
    assert code == 403
    (detail,) = told["error"]["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"


def test_a_place_that_does_not_answer(wire):
    wire.cloud.unreach(ZONE)
    told = wire.get("aggregated/instances")
    message = conforms(told, compute_v1.InstanceAggregatedList)
    assert list(message.unreachables) == [f"projects/demo-project/zones/{ZONE}"]
    assert told["items"][f"zones/{ZONE}"]["warning"]["code"] == "UNREACHABLE"


def test_every_field_is_one_of_the_documents():
    for kind, fields in FIELDS.items():
        known = {field.json_name for field in kind.pb().DESCRIPTOR.fields}
        assert set(fields.split()) <= known, kind.__name__
