"""What ``make run`` starts, from the first start to the second, as an operator sees it."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from app.supervisor.ground import DEFAULT_PORTS
from tests.services import free_port
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]
STARTED = re.compile(r"plutarc is at (\S+)")


class Installation:
    """One supervisor in a directory of its own."""

    def __init__(self, directory):
        self.var = directory / "var"
        self.var.mkdir()
        ports = {name: free_port() for name in DEFAULT_PORTS}
        (self.var / "ports.json").write_text(json.dumps(ports))
        self.log = directory / "terminal"
        self.process = None

    def start(self):
        environ = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        environ |= {"VAR_DIR": str(self.var)}
        with self.log.open("w") as terminal:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.supervisor", "--bound"],
                cwd=ROOT,
                env=environ,
                stdout=terminal,
                stderr=terminal,
            )
        return until("plutarc has started", self.address)

    def address(self):
        assert self.process.poll() is None, self.log.read_text()
        started = STARTED.search(self.log.read_text())
        return started and started[1]

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def processes(self):
        """Every process that was told of this installation, by its arguments or environment."""
        mark = str(self.var).encode()
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                told = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
                if mark in told and int(place.name) != os.getpid():
                    found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
        return found

    def machines(self):
        return [pid for pid, line in self.processes().items() if b".pyz" in line]


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path)
    yield made
    if made.process and made.process.poll() is None:
        made.end()
    for pid in made.processes():
        os.kill(pid, signal.SIGKILL)


def page(address):
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        return answer.status, answer.read().decode()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes through /proc")
def test_from_the_first_start_to_the_second(installation):
    address = installation.start()
    status, html = page(f"{address}/login")
    assert status == 200
    assert "<form" in html
    assert "sign in as" in installation.log.read_text()
    until("a bot's machine runs", installation.machines)

    (web,) = [
        pid
        for pid, line in installation.processes().items()
        if b"create_app()" in line and parent(pid) == installation.process.pid
    ]
    os.kill(web, signal.SIGKILL)
    until("the end is seen", lambda: "web ended (signal 9)" in installation.log.read_text())
    until("the web is back", lambda: answers(f"{address}/login"))

    assert installation.end() == 0
    assert installation.processes() == {}
    kept = secrets(installation)

    installation.start()
    assert secrets(installation) == kept
    assert "already" in (installation.var / "log" / "prepare.log").read_text()
    assert installation.end(signal.SIGTERM) == 0
    assert installation.processes() == {}


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def answers(address):
    try:
        return page(address)[0] == 200
    except OSError:
        return False


def secrets(installation):
    return {path.name: path.read_text() for path in (installation.var / "secrets").iterdir()}
