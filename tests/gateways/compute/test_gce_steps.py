"""Steps on a cloud that is well: what is asked for, what is found, what a repeat does."""

from dataclasses import replace

import pytest

from app.domain import machines
from app.gateways.compute.driver import AddressState, Cause, MachineState, Outcome
from tests.gateways.compute.gce_world import OTHER_ZONE, REGION, TOKEN, ZONE


def test_an_address_is_reserved_and_found_again(gce):
    first = gce.do("reserve_address")
    assert first.outcome is Outcome.PENDING
    assert first.operation.startswith("operation-")
    ip = gce.reserved()
    again = gce.do("reserve_address", ip=ip)
    assert (again.outcome, again.ip, again.address) == (Outcome.DONE, ip, AddressState.RESERVED)
    assert gce.changes() == ["POST addresses"]


def test_an_address_bears_labels_description_and_tier(gce):
    gce.reserved()
    (address,) = gce.cloud.snapshot()["addresses"]
    assert address["labels"] == {"managed-by": "plutarc", "env": "test", "bot": "bot_one"}
    assert address["description"] == "plutarc/test/bot_one"
    assert (address["networkTier"], address["addressType"]) == ("STANDARD", "EXTERNAL")


def test_labels_that_did_not_stick_are_put_right(gce):
    gce.cloud.configure(address_labels=False)
    ip = gce.reserved()
    gce.cloud.advance(1)
    assert gce.do("observe_address", ip=ip).address is AddressState.RESERVED
    (address,) = gce.cloud.snapshot()["addresses"]
    assert address["labels"]["env"] == "test"


def test_a_machine_has_all_that_it_must(gce):
    ip = gce.running()
    (machine,) = gce.instances()
    (config,) = machine["networkInterfaces"][0]["accessConfigs"]
    assert (config["natIP"], config["networkTier"]) == (ip, "STANDARD")
    assert not machine.get("serviceAccounts")
    assert machine["labels"] == {
        "managed-by": "plutarc", "env": "test", "bot": "bot_one", "generation": "1"
    }  # fmt: skip
    assert machine["shieldedInstanceConfig"] == {
        "enableSecureBoot": True, "enableVtpm": True, "enableIntegrityMonitoring": True
    }  # fmt: skip
    assert [(disk["autoDelete"], disk["boot"]) for disk in machine["disks"]] == [(True, True)]
    assert machine["disks"][0]["diskSizeGb"] == "10"
    scheduling = machine["scheduling"]
    assert int(scheduling["maxRunDuration"]["seconds"]) == 120 * 86400
    assert scheduling["instanceTerminationAction"] == "DELETE"
    assert scheduling["onHostMaintenance"] == "MIGRATE"
    assert machine["metadata"]["items"] == [{"key": "plutarc-token", "value": TOKEN}]
    (disk,) = gce.cloud.snapshot()["disks"]
    assert disk["labels"] == machine["labels"]


def test_an_insertion_is_pending_until_the_machine_runs(gce):
    ip = gce.reserved()
    step = gce.step("insert_machine", ip=ip)
    first = gce.driver.do(step)
    assert first.outcome is Outcome.PENDING
    (machine,) = gce.instances()
    assert first.cloud_id == machine["id"]
    seen = gce.do("observe_machine", ip=ip)
    assert (seen.machine, seen.cloud_id) == (MachineState.STARTING, machine["id"])
    gce.cloud.advance(5)
    done = gce.driver.do(replace(step, operation=first.operation))
    assert (done.outcome, done.machine, done.ip) == (Outcome.DONE, MachineState.RUNNING, ip)


def test_a_repeat_inserts_nothing_and_finds_the_call_under_way(gce):
    ip = gce.reserved()
    first = gce.do("insert_machine", ip=ip)
    again = gce.another().do(gce.step("insert_machine", ip=ip))
    assert (again.outcome, again.operation) == (Outcome.PENDING, first.operation)
    gce.cloud.advance(5)
    assert gce.do("insert_machine", ip=ip).outcome is Outcome.DONE
    assert gce.changes() == ["POST addresses", "POST instances"]


def test_a_deletion_is_done_once_machine_and_hold_are_gone(gce):
    gce.cloud.configure(address_lag=60)
    ip = gce.running()
    first = gce.do("delete_machine", ip=ip)
    assert first.outcome is Outcome.PENDING
    assert gce.do("observe_machine").machine is MachineState.STOPPING
    again = gce.do("delete_machine", ip=ip)
    assert (again.outcome, again.operation) == (Outcome.PENDING, first.operation)
    gce.cloud.advance(5)
    held = gce.do("delete_machine", ip=ip, operation=first.operation)
    assert (held.outcome, held.machine) == (Outcome.RETRY, MachineState.STOPPING)
    gce.cloud.advance(60)
    done = gce.do("delete_machine", ip=ip, operation=first.operation)
    assert (done.outcome, done.machine) == (Outcome.DONE, MachineState.ABSENT)
    assert gce.do("observe_address", ip=ip).address is AddressState.RESERVED
    assert gce.cloud.snapshot()["disks"] == []


def test_a_ghost_is_not_gone(gce):
    gce.cloud.configure(ghost=30)
    gce.running()
    step = gce.step("delete_machine")
    first = gce.driver.do(step)
    gce.cloud.advance(5)
    shown = gce.driver.do(replace(step, operation=first.operation))
    assert (shown.outcome, shown.cause) == (Outcome.RETRY, Cause.TRANSIENT)
    assert gce.do("delete_machine").outcome is Outcome.RETRY
    gce.cloud.advance(30)
    assert gce.do("delete_machine").machine is MachineState.ABSENT


def test_deleting_and_observing_without_a_zone_look_in_all(gce):
    gce.running(zone=OTHER_ZONE)
    assert gce.do("observe_machine", zone="").machine is MachineState.RUNNING
    assert gce.do("observe_machine", zone=ZONE).machine is MachineState.ABSENT
    assert gce.do("delete_machine", zone="").outcome is Outcome.PENDING
    gce.cloud.advance(5)
    assert gce.do("delete_machine", zone="").machine is MachineState.ABSENT


def test_an_address_in_use_is_not_released(gce):
    ip = gce.running()
    refused = gce.do("release_address", ip=ip)
    assert (refused.outcome, refused.cause, refused.holder) == (
        Outcome.RETRY, Cause.HELD, "b-one-g1"
    )  # fmt: skip
    gce.finish("delete_machine")
    released = gce.finish("release_address", ip=ip)
    assert (released.outcome, released.address) == (Outcome.DONE, AddressState.ABSENT)
    assert gce.do("release_address", ip=ip).outcome is Outcome.DONE
    assert gce.cloud.snapshot()["addresses"] == []


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("TERMINATED", MachineState.TERMINATED),
        ("SUSPENDED", MachineState.TERMINATED),
        ("STOPPED", MachineState.TERMINATED),
        ("SUSPENDING", MachineState.STOPPING),
        ("DEPROVISIONING", MachineState.STOPPING),
        ("PENDING_STOP", MachineState.STOPPING),
        ("REPAIRING", MachineState.STARTING),
        ("DANCING", MachineState.UNKNOWN),
    ],
)
def test_every_state_but_not_found_is_there(gce, status, state):
    gce.running()
    gce.cloud.terminate("b-one-g1", status)
    assert gce.do("observe_machine").machine is state


def test_the_console_is_a_tail(gce):
    gce.running()
    gce.cloud.write_console("b-one-g1", "x" * 20_000 + "é the end")
    result = gce.do("read_console")
    assert result.console.endswith("é the end")
    assert len(result.console.encode()) <= 16 * 1024
    gone = gce.do("read_console", generation=7)
    assert (gone.machine, gone.console) == (MachineState.ABSENT, "")


def test_a_disk_left_behind_is_deleted_once_nothing_has_it(gce):
    gce.cloud.configure(leak_disks=True)
    gce.running()
    assert gce.do("delete_disk").cause is Cause.HELD
    gce.finish("delete_machine")
    assert len(gce.cloud.snapshot()["disks"]) == 1
    assert gce.finish("delete_disk").outcome is Outcome.DONE
    assert gce.cloud.snapshot()["disks"] == []
    assert gce.do("delete_disk").outcome is Outcome.DONE


def test_a_survey_of_everything(gce):
    ip = gce.running()
    gce.reserved(bot="bot_two")
    seen = gce.driver.survey((REGION,))
    assert seen.complete
    assert seen.names == ("b-one-g1",)
    (machine,) = seen.machines
    assert (machine.zone, machine.region, machine.ip) == (ZONE, REGION, ip)
    assert machine.state is MachineState.RUNNING
    assert machine.created_at.utcoffset().total_seconds() == 0
    assert machine.cloud_id == gce.instances()[0]["id"]
    by_name = {address.name: address for address in seen.addresses}
    assert by_name["b-one-ip"].users == ("b-one-g1",)
    assert by_name["b-two-ip"].state is AddressState.RESERVED
    assert [(disk.name, disk.users) for disk in seen.disks] == [("b-one-g1", ("b-one-g1",))]
    (region,) = seen.regions
    assert region.zones == (ZONE, OTHER_ZONE, "europe-west1-d")
    quotas = {quota.metric: (quota.used, quota.limit) for quota in region.quotas}
    assert quotas["STATIC_ADDRESSES"] == (2, 1000)
    assert quotas["IN_USE_ADDRESSES"] == (1, 1000)


def test_a_survey_turns_pages(gce):
    for bot in range(5):
        gce.reserved(bot=f"bot_{bot}q")
    gce.cloud.configure(page=2)
    assert len(gce.driver.survey((REGION,)).addresses) == 5


def test_a_zone_that_does_not_answer_makes_a_survey_incomplete(gce):
    gce.running()
    gce.cloud.unreach(ZONE)
    seen = gce.driver.survey((REGION,))
    assert (seen.complete, seen.unreachable, seen.machines) == (False, (ZONE,), ())
    gce.cloud.reach()
    assert gce.driver.survey((REGION,)).complete


def test_a_survey_that_is_refused_is_incomplete(gce):
    gce.cloud.fault("GET aggregated", "error_before", code=503)
    seen = gce.driver.survey((REGION,))
    assert not seen.complete
    assert "Backend Error" in seen.problem
    assert seen.regions


def test_the_zones_of_a_region_are_told(gce):
    told = gce.do("list_zones", zone="", machine_name=None)
    assert (told.outcome, told.zones) == (Outcome.DONE, gce.cloud.behaviour.regions[REGION])


def test_a_machine_that_another_start_made_is_neither_taken_over_nor_deleted(gce):
    ip = gce.running()
    ours, other = machines.token_digest(TOKEN), machines.token_digest("another")
    for kind in ("insert_machine", "observe_machine", "delete_machine"):
        refused = gce.do(kind, ip=ip, proof=other)
        assert (refused.outcome, refused.cause) == (Outcome.RETRY, Cause.HELD)
        assert (refused.holder, refused.machine) == ("b-one-g1", MachineState.RUNNING)
        assert "somebody else" in refused.detail
    assert gce.changes() == ["POST addresses", "POST instances"]
    assert gce.do("insert_machine", ip=ip, proof=ours).outcome is Outcome.DONE
    assert gce.do("observe_machine", ip=ip, proof=ours).machine is MachineState.RUNNING
    assert gce.finish("delete_machine", ip=ip, proof=ours).machine is MachineState.ABSENT
