import os
import signal
import subprocess
import threading
from ipaddress import ip_address, ip_network

import pytest

from app.domain import machines
from app.gateways.compute import locks
from app.gateways.compute.driver import AddressState, Cause, MachineState, Outcome, Step, StepKind
from tests.waiting import until

RUNNING, TERMINATED, ABSENT = MachineState.RUNNING, MachineState.TERMINATED, MachineState.ABSENT


def insert(world, generation=1, **changes):
    result = world.do("insert_machine", generation, **changes)
    assert (result.outcome, result.machine) == (Outcome.DONE, RUNNING), result
    written = world.place(generation) / "disk" / "environment"
    until("it has written", lambda: written.exists() and written.read_text())
    return result


# -- addresses


def test_an_address_is_reserved_once_and_stays(world):
    first = world.do("reserve_address")
    again = world.do("reserve_address")
    assert first == again
    assert ip_address(first.ip) in ip_network("127.64.0.0/10")
    assert world.do("observe_address").address is AddressState.RESERVED
    assert world.do("observe_address").ip == first.ip


def test_addresses_are_unique_also_when_hashes_collide(world, monkeypatch):
    import app.gateways.compute.addresses as book

    monkeypatch.setattr(book, "_SIZE", 64)
    found = {world.do("reserve_address", bot=f"b-{n}").ip for n in range(60)}
    assert len(found) == 60


def test_six_reserving_at_once_agree(world):
    results = []

    def reserve():
        results.append(world.do("reserve_address").ip)

    threads = [threading.Thread(target=reserve) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 1
    assert None not in results


def test_releasing_is_idempotent_and_refused_while_in_use(world):
    assert world.do("release_address").outcome is Outcome.DONE
    world.do("reserve_address")
    insert(world)
    assert world.do("observe_address").address is AddressState.IN_USE
    refused = world.do("release_address")
    assert (refused.outcome, refused.address) == (Outcome.RETRY, AddressState.IN_USE)
    world.do("delete_machine")
    assert world.do("release_address").address is AddressState.ABSENT
    assert world.do("observe_address").address is AddressState.ABSENT


# -- the life of a machine


def test_a_machine_is_a_process_at_its_own_address(world):
    ip = world.do("reserve_address").ip
    assert world.do("observe_machine").machine is ABSENT
    insert(world, ip=ip)
    assert world.do("observe_machine").machine is RUNNING
    assert world.driver.survey(()).names == ("b-one-g1",)
    given = (world.place() / "disk" / "environment").read_text()
    assert f"'PLUTARC_SOURCE_ADDRESS': '{ip}'" in given
    assert "up" in (world.place() / "machine.log").read_text()
    assert world.do("delete_machine").machine is ABSENT
    assert world.do("observe_machine").machine is ABSENT
    assert world.driver.survey(()).names == ()
    assert list((world.var / "machines-past").iterdir())


def test_a_machine_sees_nothing_of_the_platform(world, monkeypatch):
    monkeypatch.setenv("MASTER_KEYS", "hunter2")
    world.do("reserve_address")
    insert(world, environment={"PLUTARC_TOKEN": "t", "MASTER_KEYS": "hunter2"})
    given = (world.place() / "disk" / "environment").read_text()
    assert "hunter2" not in given
    assert "'PLUTARC_TOKEN': 't'" in given


def test_a_repeat_starts_nothing(world):
    world.do("reserve_address")
    insert(world)
    insert(world)
    assert len(world.starts()) == 1


def test_a_machine_that_another_start_made_is_neither_taken_over_nor_deleted(world):
    world.do("reserve_address")
    ours, other = machines.token_digest("t0ken"), machines.token_digest("another")
    insert(world, proof=ours)
    for kind in ("insert_machine", "observe_machine", "delete_machine"):
        refused = world.do(kind, proof=other)
        assert (refused.outcome, refused.cause) == (Outcome.RETRY, Cause.HELD)
        assert (refused.holder, refused.machine) == ("b-one-g1", RUNNING)
    insert(world, proof=ours)
    assert len(world.starts()) == 1
    assert world.do("observe_machine", proof=ours).machine is RUNNING
    assert world.do("delete_machine", proof=ours).machine is ABSENT


def test_a_dead_machine_is_terminated_and_never_started_again(world):
    world.do("reserve_address")
    insert(world)
    world.kill()
    assert world.do("observe_machine").machine is TERMINATED
    again = world.do("insert_machine")
    assert (again.outcome, again.machine) == (Outcome.DONE, TERMINATED)
    assert len(world.starts()) == 1
    assert world.do("delete_machine").machine is ABSENT


def test_a_deleted_generation_never_starts_again(world):
    world.do("reserve_address")
    insert(world)
    world.do("delete_machine")
    late = world.do("insert_machine")
    assert late.outcome is Outcome.FAILED
    assert "never starts again" in late.detail
    insert(world, 2)


def test_deleting_before_an_insert_that_comes_late_shuts_the_door(world):
    world.do("reserve_address")
    assert world.do("delete_machine", 3).machine is ABSENT
    assert world.do("insert_machine", 3).outcome is Outcome.FAILED
    insert(world, 4)


def test_an_address_has_one_machine_at_a_time(world):
    world.do("reserve_address")
    insert(world, 1)
    second = world.do("insert_machine", 2)
    assert second.outcome is Outcome.RETRY
    assert "still has the address" in second.detail
    assert world.starts(2) == []
    world.do("delete_machine", 1)
    insert(world, 2)


def test_a_stubborn_machine_is_made_to_end(world):
    world.do("reserve_address")
    insert(world, environment={"PLUTARC_STUBBORN": "1"})
    pid = world.pid()
    assert world.do("delete_machine").machine is ABSENT
    assert not locks.signal_holder(pid, world.place() / "lock", signal.SIGKILL)


def test_a_stopped_machine_is_made_to_end(world):
    world.do("reserve_address")
    insert(world)
    os.kill(world.pid(), signal.SIGSTOP)
    assert world.do("observe_machine").machine is RUNNING
    assert world.do("delete_machine").machine is ABSENT


def test_a_stranger_with_a_recycled_pid_is_left_alone(world):
    world.do("reserve_address")
    insert(world)
    real = world.pid()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (world.place() / "pid").write_text(str(stranger.pid))
        result = world.do("delete_machine")
        assert (result.outcome, result.machine) == (Outcome.RETRY, MachineState.STOPPING)
        assert stranger.poll() is None
        (world.place() / "pid").write_text(str(real))
        assert world.do("delete_machine").machine is ABSENT
    finally:
        stranger.kill()
        stranger.wait()


def test_only_the_last_few_disks_are_kept(world):
    world.do("reserve_address")
    for number in range(25):
        (world.place(number)).mkdir(parents=True)
        world.do("delete_machine", number)
    kept = list((world.var / "machines-past").iterdir())
    assert len(kept) == 20


# -- what cannot be done


@pytest.mark.parametrize("name", ["../x", "", ".hidden", "a/b", "a\nb"])
def test_names_cannot_leave_their_place(world, name):
    result = world.do("insert_machine", machine_name=name)
    assert result.outcome is Outcome.FAILED


def test_no_machine_without_an_address(world):
    assert "reserve it first" in world.do("insert_machine").detail


def test_no_machine_with_another_address(world):
    world.do("reserve_address")
    assert world.do("insert_machine", ip="127.64.9.9").outcome is Outcome.FAILED


def test_an_exchange_that_does_not_exist(world):
    world.do("reserve_address")
    result = world.do("insert_machine", exchange="nowhere")
    assert result.outcome is Outcome.FAILED
    assert "no exchange nowhere" in result.detail


def test_a_driver_never_raises(world):
    world.var.mkdir()
    (world.var / "addresses").write_text("a file where a directory should be")
    assert world.do("reserve_address").outcome is Outcome.RETRY


def test_a_step_shows_no_token():
    step = Step(
        StepKind.INSERT_MACHINE, "r", "b", "x", "a", environment={"PLUTARC_TOKEN": "s3cret"}
    )
    assert "s3cret" not in repr(step)


# -- many hands, sudden ends


def in_child(action, end=lambda: None):
    """Run ``action`` in a forked process, which ends without any of our cleaning up."""
    pid = os.fork()
    if pid == 0:
        try:
            end()
            action()
        finally:
            os._exit(0)
    return pid


def test_two_processes_inserting_at_once_start_one(world):
    world.do("reserve_address")
    children = [in_child(lambda: world.do("insert_machine")) for _ in range(5)]
    for child in children:
        os.waitpid(child, 0)
    insert(world)
    assert len(world.starts()) == 1


def kill_at(line):
    """Kill this process the moment it is about to run the ``line``-th line of the driver."""
    import sys

    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if "gateways/compute" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        if count >= line:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return lambda: sys.settrace(trace)


@pytest.mark.parametrize("line", [3, 17, 31, 40, 47, 55, 62, 70, 78, 86, 94, 110])
def test_an_insert_cut_short_anywhere_starts_one_machine_or_none(world, line):
    world.do("reserve_address")
    _, status = os.waitpid(in_child(lambda: world.do("insert_machine"), kill_at(line)), 0)
    assert os.WIFSIGNALED(status)
    until("it runs", lambda: world.do("insert_machine").machine is RUNNING)
    insert(world)
    assert len(world.starts()) == 1
    assert world.do("delete_machine").machine is ABSENT


@pytest.mark.parametrize("line", [2, 9, 16, 23, 30, 37, 44, 51, 58])
def test_a_delete_cut_short_anywhere_can_be_repeated(world, line):
    world.do("reserve_address")
    insert(world)
    _, status = os.waitpid(in_child(lambda: world.do("delete_machine"), kill_at(line)), 0)
    assert os.WIFSIGNALED(status)
    assert world.do("delete_machine").machine is ABSENT
    assert world.do("insert_machine").outcome is Outcome.FAILED
    insert(world, 2)


def test_what_a_machine_wrote_can_be_read(world):
    world.do("reserve_address")
    world.do("insert_machine")
    until("it is up", lambda: world.do("read_console").console.endswith("up\n"))
    assert world.do("read_console", generation=9).console == ""
