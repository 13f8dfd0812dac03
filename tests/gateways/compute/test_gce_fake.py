"""What the fake cloud promises beyond shapes: order, exclusiveness, memory, and going wrong."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.gateways.compute.driver import Cause, MachineState, Outcome
from tests.fakes.gce import Behaviour, Cloud, Remote
from tests.gateways.compute.gce_world import OTHER_ZONE, GceWorld
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[3]


def test_a_request_id_gives_back_its_operation_also_a_failed_one(gce):
    ip = gce.reserved()
    gce.cloud.fail_next("insert", "QUOTA_EXCEEDED")
    step = gce.step("insert_machine", ip=ip)
    first = gce.driver.do(step)
    gce.cloud.advance(5)
    again = gce.driver.do(step)
    assert (again.outcome, again.cause) == (Outcome.FAILED, Cause.QUOTA)
    assert first.operation in {row["name"] for row in gce.cloud.snapshot()["operations"]}
    assert gce.finish("insert_machine", ip=ip).outcome is Outcome.DONE


def test_a_request_id_is_forgotten_in_time(gce):
    ip = gce.reserved()
    gce.cloud.fail_next("insert", "QUOTA_EXCEEDED")
    step = gce.step("insert_machine", ip=ip)
    gce.driver.do(step)
    gce.cloud.advance(3601)
    assert gce.driver.do(step).outcome is Outcome.PENDING


def test_a_request_id_with_another_body_is_noted():
    with Cloud(clock="virtual") as cloud:
        world = GceWorld(cloud)
        world.do("reserve_address", request_id="11111111-1111-4111-8111-111111111111")
        world.do(
            "reserve_address", bot="bot_two", request_id="11111111-1111-4111-8111-111111111111"
        )
        assert len(cloud.violations()) == 1


def test_names_are_unique_in_a_zone_and_addresses_in_all(gce):
    ip = gce.running()
    result = gce.do("insert_machine", ip=ip, zone=OTHER_ZONE)
    assert result.cause is Cause.HELD
    assert len(gce.instances()) == 1


def test_the_longest_run_time_ends_a_machine(gce):
    gce.running()
    gce.cloud.advance(120 * 86400 - 60)
    assert gce.do("observe_machine").machine is MachineState.RUNNING
    gce.cloud.advance(120)
    assert gce.do("observe_machine").machine is MachineState.ABSENT


def test_a_terminated_machine_keeps_its_address(gce):
    ip = gce.running()
    gce.cloud.terminate("b-one-g1")
    assert gce.do("release_address", ip=ip).cause is Cause.HELD
    assert gce.finish("delete_machine").machine is MachineState.ABSENT


def test_stale_fingerprints_are_refused(gce):
    gce.reserved()
    with pytest.raises(Exception, match="fingerprint"):
        gce.driver._calls.label_address("europe-west1", "b-one-ip", {"a": "b"}, "c3RhbGU=")


def test_the_same_seed_is_the_same_cloud():
    def story(seed):
        with Cloud(clock="virtual", seed=seed) as cloud:
            world = GceWorld(cloud)
            world.cloud.advance(1)
            world.running()
            return [(row["id"], row["creationTimestamp"]) for row in world.instances()]

    assert story(5) == story(5)
    assert story(5) != story(6)


class Host:
    def __init__(self):
        self.log = []
        self.lock = threading.Lock()

    def boot(self, instance):
        with self.lock:
            self.log.append(f"boot {instance['name']}")
        return instance["name"]

    def halt(self, handle):
        with self.lock:
            self.log.append(f"halt {handle}")


def test_hooks_run_with_the_machines():
    host = Host()
    with Cloud(clock="virtual", boot=host.boot, halt=host.halt) as cloud:
        world = GceWorld(cloud)
        world.running()
        cloud.advance(0)
        assert host.log == ["boot b-one-g1"]
        cloud.restart_host("b-one-g1")
        cloud.advance(0)
        assert host.log == ["boot b-one-g1", "halt b-one-g1", "boot b-one-g1"]
        world.finish("delete_machine")
        assert host.log[3:] == ["halt b-one-g1"]
        world.finish("insert_machine", ip=world.reserved(), generation=2)
    assert host.log[4:] == ["boot b-one-g2", "halt b-one-g2"]


def test_a_host_that_failed_boots_the_same_machine_again(gce):
    gce.running()
    before = gce.instances()[0]
    gce.cloud.advance(60)
    gce.cloud.restart_host("b-one-g1")
    after = gce.instances()[0]
    assert (after["id"], after["status"]) == (before["id"], "RUNNING")
    assert after["lastStartTimestamp"] != before["lastStartTimestamp"]


def test_the_real_clock_moves_by_itself():
    with Cloud() as cloud:
        world = GceWorld(cloud)
        world.do("reserve_address")
        until("it is reserved", lambda: world.do("reserve_address").outcome is Outcome.DONE)
        ip = world.do("observe_address").ip
        world.do("insert_machine", ip=ip)
        until("it runs", lambda: world.do("observe_machine").machine is MachineState.RUNNING)


class Program:
    """The fake as a process of its own, on a state file."""

    def __init__(self, state):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.gce", "--state", state, "--clock", "virtual"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.remote = Remote(self.process.stdout.readline().strip())

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.process.stdout.close()


class Faraway:
    """``GceWorld`` asks a ``Cloud``; this is one in another process."""

    def __init__(self, remote):
        self.url = remote.url
        self.behaviour = Behaviour()
        self._remote = remote

    def __getattr__(self, name):
        return getattr(self._remote, name)


def test_all_of_it_survives_the_death_of_its_process(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    state = str(tmp_path / "cloud.db")
    first = Program(state)
    try:
        world = GceWorld(Faraway(first.remote))
        ip = world.reserved()
        pending = world.do("insert_machine", ip=ip)
    finally:
        first.kill()
    second = Program(state)
    try:
        world = GceWorld(Faraway(second.remote))
        assert world.do("insert_machine", ip=ip).operation == pending.operation
        second.remote.advance(5)
        assert world.do("observe_machine").machine is MachineState.RUNNING
        assert world.do("observe_address", ip=ip).holder == "b-one-g1"
        assert [call["code"] for call in second.remote.calls()] == [200, 200]
    finally:
        second.kill()


def test_a_request_that_is_held_up_arrives_when_nobody_waits_for_it(gce):
    gce.cloud.fault("POST addresses", "late")
    assert gce.do("reserve_address").outcome is Outcome.UNKNOWN
    assert gce.cloud.snapshot()["addresses"] == []
    gce.cloud.arrive()
    assert [it["name"] for it in gce.cloud.snapshot()["addresses"]] == ["b-one-ip"]
