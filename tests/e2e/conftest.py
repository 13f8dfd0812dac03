"""A whole plutarc, started the way ``make run`` starts it, in a folder of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from app.supervisor.ground import DEFAULT_PORTS
from tests.services import free_port
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


class Installation:
    """One running supervisor with everything under it."""

    def __init__(self, folder, **settings):
        self.var = folder / "var"
        self.var.mkdir()
        ports = {name: free_port() for name in DEFAULT_PORTS}
        (self.var / "ports.json").write_text(json.dumps(ports))
        self.settings = settings
        self.process = None
        self.base = None

    def start(self):
        inherited = {k: os.environ[k] for k in ("PATH", "HOME", "LANG") if k in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.supervisor"],
            cwd=ROOT,
            env={**inherited, "VAR_DIR": str(self.var), **self.settings},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        watchdog = threading.Timer(2 * PATIENCE, self.process.kill)
        watchdog.start()
        said = []
        for line in self.process.stderr:
            said.append(line)
            found = re.search(r"plutarc is at (http://\S+)", line)
            if found:
                self.base = found[1]
                break
        watchdog.cancel()
        assert self.base, "".join(said)
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        return self

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE) == 0

    @property
    def market(self):
        ports = json.loads((self.var / "ports.json").read_text())
        return f"http://127.0.0.1:{ports['practice']}"

    def callers(self):
        """Who called the practice market, by its own record."""
        return requests.get(f"{self.market}/practice/v1/callers", timeout=PATIENCE).json()

    def machines(self):
        """Processes of bots that are alive, by the name of their machine."""
        told = {
            place.parent.name: int(place.read_text() or 0)
            for place in self.var.glob("machines/*/pid")
        }
        return {name: pid for name, pid in told.items() if runs(pid)}


def runs(pid):
    """Whether it runs; one that ended and that nobody has waited for yet does not.

    A machine belongs to process 1, which in a bare container never waits for anybody.
    """
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return told.stdout.strip()[:1] not in ("", "Z")


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path, DEMO="0").start()
    yield made
    if made.process.poll() is None:
        made.stop()
    assert made.machines() == {}
