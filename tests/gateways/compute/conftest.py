"""A world for the local driver: real processes of a small real program, ended by the test."""

import signal

import pytest

from app.gateways.compute import locks
from app.gateways.compute.driver import Step, StepKind
from app.gateways.compute.local import LocalDriver, end_process

BUILDER = '''
import hashlib, io, json, pathlib, sys, zipfile
PROGRAM = """
import os, pathlib, signal, socket, sys, time
disk = pathlib.Path(os.environ["PLUTARC_DIR"])
with (disk / "starts").open("a") as file:
    file.write(f"{os.getpid()}\\\\n")
if os.environ.get("PLUTARC_STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = socket.create_server((os.environ["PLUTARC_SOURCE_ADDRESS"], 0))
(disk / "environment").write_text(repr(dict(os.environ)))
print("up", file=sys.stderr, flush=True)
time.sleep(120)
"""
if sys.argv[3] == "nowhere":
    sys.stderr.write("no exchange nowhere\\n")
    sys.exit(2)
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w") as archive:
    archive.writestr(zipfile.ZipInfo("__main__.py"), PROGRAM)
digest = hashlib.sha256(buffer.getvalue()).hexdigest()
out = pathlib.Path(sys.argv[5])
out.mkdir(parents=True, exist_ok=True)
path = out / f"{digest}.pyz"
draft = path.with_suffix(f".{__import__('os').getpid()}")
draft.write_bytes(buffer.getvalue())
draft.replace(path)
print(json.dumps({"path": str(path), "sha256": digest, "size": path.stat().st_size}))
'''


class World:
    def __init__(self, tmp_path):
        self.root = tmp_path / "sources"
        (self.root / "runner").mkdir(parents=True)
        (self.root / "runner" / "__main__.py").write_text(BUILDER)
        self.var = tmp_path / "var"
        self.driver = LocalDriver(self.var, self.root, patience=2.0)

    def step(self, kind, generation=1, bot="b-one", **changes):
        values = {
            "kind": StepKind(kind),
            "request_id": "r",
            "bot": bot,
            "region": "here",
            "address_name": f"{bot}-ip",
            "machine_name": f"{bot}-g{generation}",
            "generation": generation,
            "exchange": "practice",
            "environment": {"PLUTARC_TOKEN": "t0ken"},
        }
        return Step(**(values | changes))

    def do(self, kind, generation=1, bot="b-one", **changes):
        return self.driver.do(self.step(kind, generation, bot, **changes))

    def place(self, generation=1, bot="b-one"):
        return self.var / "machines" / f"{bot}-g{generation}"

    def pid(self, generation=1, bot="b-one"):
        return int((self.place(generation, bot) / "pid").read_text())

    def starts(self, generation=1, bot="b-one"):
        path = self.place(generation, bot) / "disk" / "starts"
        return path.read_text().split() if path.exists() else []

    def kill(self, generation=1):
        lock = self.place(generation) / "lock"
        assert locks.signal_holder(self.pid(generation), lock, signal.SIGKILL)
        assert locks.wait_free(lock, 5)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    for place in (world.var / "machines").glob("*"):
        end_process(place, 0.2)


@pytest.fixture
def gce(monkeypatch):
    """A fake cloud whose clock the test moves, and the real driver."""
    from tests.fakes.gce import Cloud
    from tests.gateways.compute.gce_world import GceWorld

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Cloud(clock="virtual") as cloud:
        yield GceWorld(cloud)
        assert cloud.violations() == []
        assert cloud.problems() == []
