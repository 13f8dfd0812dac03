"""Finds of sweeps are deleted by the cloud's own driver as they are in the rows."""

import uuid

import pytest

from app.domain import finds
from app.gateways.compute.driver import MachineState, Outcome
from app.models import CloudFind, FindKind
from tests.gateways.compute.gce_world import REGION, ZONE


@pytest.mark.parametrize("zone", [ZONE, ""])
def test_a_machine_and_then_its_address_go_by_what_a_listing_shows(gce, zone):
    ip = gce.finish("reserve_address", bot="bot_ghost").ip
    gce.finish("insert_machine", bot="bot_ghost", generation=3, ip=ip)
    [seen] = gce.driver.survey((REGION,)).machines
    machine = CloudFind(kind=FindKind.MACHINE, name=seen.name, region=seen.region, zone=zone)
    assert cleared(gce, machine).machine is MachineState.ABSENT
    address = CloudFind(kind=FindKind.ADDRESS, name="b-ghost-ip", region=REGION, zone="")
    cleared(gce, address)
    left = gce.driver.survey((REGION,))
    assert (left.machines, left.addresses, left.disks) == ((), (), ())


def cleared(gce, find):
    """As a worker does it, one call after the other."""
    find.request_id, find.operation = str(uuid.uuid4()), ""
    for _ in range(200):
        result = gce.driver.do(finds._step(find))
        if result.outcome is Outcome.DONE:
            return result
        assert result.outcome in (Outcome.PENDING, Outcome.RETRY), result
        find.operation = result.operation
        if result.outcome is Outcome.RETRY:  # as in the rows: what was refused is not asked again
            find.request_id = str(uuid.uuid4())
        gce.cloud.advance(0.5)
    raise AssertionError("it never went")
