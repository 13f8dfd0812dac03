"""The real startup script, run on this computer by a stand-in for a cloud's machine."""

import hashlib
import io
import os
import signal
import stat
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.gateways.compute import boot
from tests.fakes.gce_host import Computer
from tests.waiting import until

TOKEN = "tokenZx98q-secret_Zx98q"
PROGRAM = """
import os, time
told = os.environ
with open(told["PLUTARC_DIR"] + "/starts", "a") as file:
    file.write(f"{os.getpid()} {told['PLUTARC_GENERATION']} {len(told['PLUTARC_TOKEN'])}\\n")
time.sleep(300)
"""


class Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        pass


class Place:
    """A directory that is served as a gate serves its bundles, and computers that start from it."""

    def __init__(self, directory):
        self.directory = directory
        self.served = directory / "served"
        self.served.mkdir()
        self.server = ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(Handler, directory=str(self.served))
        )
        self.server.asked = []
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.gate = f"http://127.0.0.1:{self.server.server_address[1]}"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(zipfile.ZipInfo("__main__.py"), PROGRAM)
        self.digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        (self.served / "bundle.pyz").write_bytes(buffer.getvalue())
        self.computers = []

    def start(self, python=sys.executable, **changes):
        environment = {
            "PLUTARC_GATE": self.gate,
            "PLUTARC_BOT": "bot_one",
            "PLUTARC_GENERATION": "7",
            "PLUTARC_TOKEN": TOKEN,
            "UNRELATED": "Zx98q-unrelated",
        }
        items = boot.metadata(environment, self.digest, f"{self.gate}/bundle.pyz")
        computer = Computer(
            self.directory / "computer", items | changes, "127.80.9.9", python=python
        )
        self.computers.append(computer)
        return computer

    def starts(self):
        path = self.directory / "computer/disk/var/lib/plutarc/starts"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def wait_starts(self, number):
        until(f"start {number}", lambda: len(self.starts()) >= number)
        assert len(self.starts()) == number, self.computers[-1].console()

    def close(self):
        for computer in self.computers:
            computer.power_off()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    place.close()


def test_the_runner_runs_under_the_unit_with_its_environment(place):
    computer = place.start()
    place.wait_starts(1)
    assert place.starts()[0][1:] == ["7", str(len(TOKEN))]
    assert "the bundle is verified" in computer.console()
    assert "bot bot_one, generation 7" in computer.console()
    unit = computer.unit()
    assert unit["Restart"] == "always"
    assert unit["User"] == "plutarc"
    assert unit["NoNewPrivileges"] == unit["ProtectHome"] == unit["PrivateTmp"] == "yes"
    assert unit["ProtectSystem"] == "strict"
    assert unit["CapabilityBoundingSet"] == ""
    assert unit["MemoryMax"]


def test_the_token_lies_in_one_file_that_root_alone_may_read(place):
    computer = place.start()
    place.wait_starts(1)
    holders = {
        path.relative_to(computer.root).as_posix()
        for path in computer.root.rglob("*")
        if path.is_file() and TOKEN.encode() in path.read_bytes()
    }
    assert holders == {"etc/plutarc.env"}
    assert stat.S_IMODE((computer.root / "etc/plutarc.env").stat().st_mode) == 0o600
    assert TOKEN not in computer.console()


def test_the_runner_reaches_names_time_the_gate_and_https_alone(place):
    computer = place.start()
    place.wait_starts(1)
    rules = (computer.root / "rules").read_text()
    port = place.gate.rpartition(":")[2]
    assert f"tcp dport {{ 443, {port} }} accept" in rules
    assert "meta skuid != 997 accept" in rules
    accepted = [line.strip() for line in rules.splitlines() if line.strip().endswith("accept")]
    assert len(accepted) == 5
    assert rules.split()[-3:] == ["reject", "}", "}"]


def test_a_runner_that_dies_is_started_again(place):
    place.start()
    place.wait_starts(1)
    os.kill(int(place.starts()[0][0]), signal.SIGKILL)
    place.wait_starts(2)


def test_a_restart_of_the_machine_keeps_the_bundle_and_starts_the_runner(place):
    computer = place.start()
    place.wait_starts(1)
    computer.power_off()
    place.start()
    place.wait_starts(2)
    assert place.server.asked == ["/bundle.pyz"]


def test_a_damaged_bundle_on_the_disk_is_fetched_anew(place):
    computer = place.start()
    place.wait_starts(1)
    computer.power_off()
    (computer.root / "opt/plutarc/runner.pyz").write_bytes(b"damaged")
    place.start()
    place.wait_starts(2)
    assert place.server.asked == ["/bundle.pyz"] * 2


def test_what_has_another_digest_never_runs(place):
    computer = place.start(**{"plutarc-bundle": "0" * 64})
    computer.join()
    assert "what came is not the bundle: its SHA-256 is not 000" in computer.console()
    assert "the bundle could not be fetched" in computer.console()
    assert not place.starts()
    assert list((computer.root / "opt/plutarc").iterdir()) == []
    assert computer.asked() == []


def test_a_bundle_that_comes_late_is_waited_for(place):
    (place.served / "bundle.pyz").rename(place.served / "elsewhere")
    computer = place.start()
    until("it has been told that there is none", lambda: "404" in computer.console())
    (place.served / "elsewhere").rename(place.served / "bundle.pyz")
    place.wait_starts(1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"plutarc-python": "3.99"}, "the runner needs Python 3.99, this image has 3."),
        ({"plutarc-bundle": "abc"}, "plutarc-bundle in the metadata is no SHA-256 digest"),
        ({"plutarc-token": "a$(id)"}, "plutarc-token in the metadata is empty or malformed"),
        ({"plutarc-bot": "a\nb"}, "plutarc-bot in the metadata is empty or malformed"),
        ({"plutarc-gate": "https://gate:1a"}, "the gate's address has no proper port"),
        ({"plutarc-gate": "http://gate.example"}, "the gate's address must begin with https://"),
        ({"plutarc-bundle-url": "http://a.example/b.pyz"}, "must begin with https://"),
        ({"plutarc-bundle-url": "http://127.0.0.1.a.example/b"}, "must begin with https://"),
        ({"plutarc-bundle-url": "ftp://127.0.0.1/b.pyz"}, "must begin with https://"),
    ],
)
def test_what_is_wrong_stands_on_the_console(place, changes, words):
    computer = place.start(**changes)
    computer.join()
    assert "this machine cannot trade: " in computer.console()
    assert words in computer.console()
    assert computer.starts == 0
    assert TOKEN not in computer.console()


def test_missing_metadata_stands_on_the_console(place):
    computer = place.start()
    computer.power_off()
    del computer
    items = boot.metadata({"PLUTARC_GATE": place.gate}, place.digest, f"{place.gate}/bundle.pyz")
    computer = Computer(place.directory / "other", items, "127.80.9.9")
    place.computers.append(computer)
    computer.join()
    assert "the metadata server does not tell plutarc-bot" in computer.console()


def test_an_image_without_a_library_is_named(place):
    # The system's own interpreter stands for an image that lacks what the runner needs.
    bare = place.directory / "bare"
    bare.write_text('#!/bin/sh\ncase "$*" in *aiohttp*) exit 1 ;; esac\nexit 0\n')
    bare.chmod(0o755)
    computer = place.start(python=str(bare))
    computer.join()
    assert "lacks aiohttp; choose an image that has it (GCE_IMAGE)" in computer.console()
    assert not place.starts()


def test_the_metadata_hold_what_a_claim_needs_and_no_more():
    given = {"PLUTARC_TOKEN": TOKEN, "PLUTARC_GATE": "https://gate.example", "API_SECRET": "Zx98q"}
    found = boot.metadata(given, "a" * 64, "https://gate.example/b.pyz")
    assert set(found) == {
        "plutarc-token",
        "plutarc-gate",
        "plutarc-work",
        "plutarc-code",
        "plutarc-bundle",
        "plutarc-bundle-url",
        "plutarc-python",
        "startup-script",
    }
    assert TOKEN not in found["startup-script"]
