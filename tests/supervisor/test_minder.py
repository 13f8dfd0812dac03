import asyncio
import os
import select
import signal
import subprocess
import sys
import textwrap

import pytest

from app.gateways.compute import locks
from app.supervisor import minder
from app.supervisor.child import Program
from app.supervisor.ground import CannotStart
from app.supervisor.minder import Minder
from tests import waiting
from tests.waiting import PATIENCE

READY = """
import pathlib, signal, sys, time
place = pathlib.Path(sys.argv[1])
def end(*_):
    with (place.parent / "endings").open("a") as file:
        file.write(place.name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
place.write_text("up")
print("WARNING: look at me", flush=True)
print("nothing to see", flush=True)
"""
STEADY = READY + "time.sleep(1000)"
FRAIL = (
    READY
    + """
lives = place.with_suffix(".lives")
count = int(lives.read_text()) + 1 if lives.exists() else 1
lives.write_text(str(count))
if count < 3:
    sys.exit(7)
time.sleep(1000)
"""
)
STUBBORN = "import signal; IGNORED = signal.SIG_IGN\n" + READY.replace("TERM, end", "TERM, IGNORED")
STUBBORN += "time.sleep(1000)"
PARENT = (
    READY
    + """
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
place.with_suffix(".child").write_text(str(child.pid))
time.sleep(1000)
"""
)


async def until(condition):
    for _ in range(100 * PATIENCE):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("waited in vain")


class Stage:
    def __init__(self, directory):
        self.dir = directory
        self.said = []
        self.minder = Minder(directory / "var", self.said.append)

    def program(self, name, script=STEADY, marker=None):
        async def ready():
            return (self.dir / (marker or name)).exists()

        command = (sys.executable, "-c", script, str(self.dir / name))
        return Program(name, command, dict(os.environ), ready)

    def play(self, scene):
        async def whole():
            try:
                await scene()
            finally:
                await self.minder.stop()

        asyncio.run(whole())

    def log(self, name):
        return (self.dir / "var" / "log" / f"{name}.log").read_text()


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def test_layers_end_in_reverse_order(stage):
    async def scene():
        for name in ("redis", "gate", "web"):
            await stage.minder.ready(stage.minder.start([stage.program(name)]))

    stage.play(scene)
    assert (stage.dir / "endings").read_text().split() == ["web", "gate", "redis"]


def test_what_dies_is_started_again(stage):
    async def scene():
        (child,) = stage.minder.start([stage.program("frail", FRAIL)])
        await until(lambda: child.restarts >= 2)

    stage.play(scene)
    assert sum("ended (code 7)" in line for line in stage.said) == 2


def test_warnings_are_said_and_the_rest_is_logged(stage):
    async def scene():
        stage.minder.start([stage.program("web")])
        await until(lambda: "web | WARNING: look at me" in stage.said)
        await until(lambda: "nothing to see" in stage.log("web"))

    stage.play(scene)
    assert not any("nothing to see" in line for line in stage.said)


def test_a_stubborn_program_is_made_to_end(stage):
    async def scene():
        (child,) = stage.minder.start([stage.program("stubborn", STUBBORN)])
        await child.wait_ready(20)
        await child.stop(0.2)
        assert child.process is None

    stage.play(scene)


def test_nothing_of_a_group_is_left(stage):
    async def scene():
        (child,) = stage.minder.start([stage.program("parent", PARENT, marker="parent.child")])
        await stage.minder.ready([child])

    stage.play(scene)
    await_end(int((stage.dir / "parent.child").read_text() or 0))


def await_end(pid):
    """Wait until the process is gone, or only its entry waits for whoever collects it."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([watched], [], [], PATIENCE)[0]
    finally:
        os.close(watched)


def test_a_program_that_is_not_there_is_told(stage):
    async def scene():
        program = Program("ghost", ("/nowhere/ghost",), {}, None)
        (child,) = stage.minder.start([program])
        await until(lambda: child.restarts)

    stage.play(scene)
    assert any("No such file" in line for line in stage.said)


def test_a_slow_start_is_waited_for_and_told(stage, monkeypatch):
    monkeypatch.setattr(minder, "_PATIENT_SECONDS", 0.05)
    waiting_for = stage.program("slow", marker="permission")

    async def scene():
        ready = asyncio.create_task(stage.minder.ready(stage.minder.start([waiting_for])))
        await until(lambda: "Still starting: slow." in stage.said)
        assert not ready.done()
        (stage.dir / "permission").touch()
        await ready

    stage.play(scene)


def test_what_ends_again_and_again_is_not_waited_for(stage, monkeypatch):
    monkeypatch.setattr(minder, "_READY_SECONDS", 10 * PATIENCE)

    async def scene():
        steady = stage.program("steady", marker="never")
        broken = stage.program("broken", "import sys; sys.exit('ERROR: port taken')")
        with pytest.raises(CannotStart, match=r"(?s)broken does not answer.*port taken"):
            await stage.minder.ready(stage.minder.start([steady, broken]))

    stage.play(scene)


def test_a_command_that_hangs_is_ended(stage, monkeypatch):
    monkeypatch.setattr(minder, "_COMMAND_SECONDS", 0.1)

    async def scene():
        with pytest.raises(CannotStart, match="migrate did not end"):
            await stage.minder.command(
                "migrate", ["-c", "import time; time.sleep(1000)"], os.environ
            )

    stage.play(scene)


def test_a_command_that_fails_says_why(stage):
    async def scene():
        with pytest.raises(CannotStart, match="no such table"):
            await stage.minder.command(
                "migrate", ["-c", "import sys; sys.exit('no such table')"], os.environ
            )

    stage.play(scene)
    assert "no such table" in stage.log("migrate")


def test_machines_end_before_the_gate(stage):
    place = stage.dir / "var" / "machines" / "b-one-g1"
    place.mkdir(parents=True)
    lock = locks.acquire(place / "lock")
    machine = subprocess.Popen(
        [sys.executable, "-c", STEADY, str(stage.dir / "machine")], pass_fds=[lock]
    )
    os.close(lock)
    (place / "pid").write_text(str(machine.pid))

    async def scene():
        gate, web = ([stage.program(name)] for name in ("gate", "web"))
        await stage.minder.ready([*stage.minder.start(gate), *stage.minder.start(web)])
        await until((stage.dir / "machine").exists)

    stage.play(scene)
    assert machine.wait(PATIENCE) == 0
    order = (stage.dir / "endings").read_text().split()
    assert order.index("machine") < order.index("gate")
    assert place.exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a promise of the Linux kernel")
def test_a_killed_supervisor_leaves_nothing(tmp_path):
    script = textwrap.dedent(f"""
        import asyncio, os, pathlib, sys
        from app.supervisor.child import Program
        from app.supervisor.minder import Minder

        async def main():
            minder = Minder(pathlib.Path({str(tmp_path)!r}), lambda line: None)
            command = (sys.executable, "-c", {STEADY!r}, {str(tmp_path / "one")!r})
            (child,) = minder.start([Program("one", command, dict(os.environ))])
            while child.process is None:
                await asyncio.sleep(0.01)
            print(child.process.pid, flush=True)
            await asyncio.sleep(1000)

        asyncio.run(main())
    """)
    supervisor = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with supervisor:
        pid = int(supervisor.stdout.readline())
        waiting.until("it is ready", (tmp_path / "one").exists)
        supervisor.send_signal(signal.SIGKILL)
    await_end(pid)
