"""Plays the computer behind an instance: runs its real startup script and what that asks for.

Each instance has a directory, a metadata server of its own on loopback, and stand-ins for what
only root may do: they note what was asked. The unit that the script wrote is really run, under
its own rules of restarting, with the instance's address as the source of its connections.
"""

import os
import shlex
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_NOTED = """#!/bin/sh
echo "$0 $*" >>"$PLUTARC_ROOT/asked"
"""
_STAND_INS = {
    "systemctl": _NOTED,
    "useradd": _NOTED + 'touch "$PLUTARC_ROOT/user"\n',
    "chown": _NOTED,
    "id": '#!/bin/sh\n[ -f "$PLUTARC_ROOT/user" ] && echo 997\n',
    "nft": _NOTED + 'cat >"$PLUTARC_ROOT/rules"\n',
}
_SCRIPT_SECONDS = 120


class Metadata(ThreadingHTTPServer):
    """What the cloud tells an instance about itself, to those who ask in the proper way."""

    daemon_threads = True

    def __init__(self, items):
        self.items = items
        super().__init__(("127.0.0.1", 0), _Answer)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/computeMetadata/v1"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.rpartition("/instance/attributes/")[2]
        known = self.headers.get("Metadata-Flavor") == "Google" and name in self.server.items
        body = self.server.items[name].encode() if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


class Computer:
    """One start of an instance, from power on to power off; its directory outlives it."""

    def __init__(self, place, items, ip, python=sys.executable):
        self.place, self.ip = place, ip
        self.root = place / "disk"
        self.root.mkdir(parents=True, exist_ok=True)
        self._items, self._python = items, python
        self._metadata = Metadata(items)
        self._off = threading.Event()
        self._lock = threading.Lock()
        self._child = None
        self.starts = 0
        self._life = threading.Thread(target=self._live, daemon=True)
        self._life.start()

    # -- what the cloud does with it ------------------------------------------------------------

    def console(self):
        """All that was written to the serial port."""
        path = self.place / "console"
        return path.read_text() if path.exists() else ""

    def power_off(self):
        """Ask every process to end, then make it."""
        self._off.set()
        self.signal(signal.SIGTERM)
        self._life.join(8)
        if self._life.is_alive():
            self.signal(signal.SIGKILL)
            self._life.join()
        self._metadata.shutdown()
        self._metadata.server_close()

    def signal(self, number):
        """To the process at work and all it started."""
        with self._lock:
            if self._child is not None and self._child.poll() is None:
                os.killpg(self._child.pid, number)

    # -- what a test looks at -------------------------------------------------------------------

    def asked(self):
        """What the script asked of the system, line by line."""
        path = self.root / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.rpartition("/bin/")[2] for line in lines]

    def unit(self):
        """The unit's settings by name; the last of equal names counts."""
        path = self.root / "etc/systemd/system/plutarc.service"
        lines = path.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def join(self):
        """Wait until there is nothing more to run."""
        self._life.join(_SCRIPT_SECONDS)

    # -- its life -------------------------------------------------------------------------------

    def _live(self):
        if self._run_script() == 0 and "systemctl restart plutarc.service" in self.asked():
            unit = self.unit()
            while not self._off.is_set():
                self.starts += 1
                self._run_unit(unit)
                if unit["Restart"] != "always":
                    break
                self._off.wait(float(unit["RestartSec"]))

    def _run_script(self):
        bin_dir = self.place / "bin"
        bin_dir.mkdir(exist_ok=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        stand_ins = dict(_STAND_INS)
        if self._python:
            stand_ins[version] = f'#!/bin/sh\nexec {shlex.quote(self._python)} "$@"\n'
        for name, text in stand_ins.items():
            (bin_dir / name).write_text(text)
            (bin_dir / name).chmod(0o755)
        (self.root / "asked").unlink(missing_ok=True)
        script = self.place / "startup-script"
        script.write_text(self._items["startup-script"])
        return self._run(
            ["/bin/sh", str(script)],
            {
                "PATH": f"{bin_dir}:/usr/bin:/bin",
                "PLUTARC_METADATA": self._metadata.url,
                "PLUTARC_ROOT": str(self.root),
                "PLUTARC_RETRY_SECONDS": "0.2",
            },
        )

    def _run_unit(self, unit):
        lines = Path(unit["EnvironmentFile"]).read_text().splitlines()
        # The network of a cloud gives every connection the instance's address; here it is asked.
        given = dict(line.split("=", 1) for line in lines) | {"PLUTARC_SOURCE_ADDRESS": self.ip}
        environment = {"PATH": "/usr/bin:/bin", **given}
        return self._run(shlex.split(unit["ExecStart"]), environment, unit["WorkingDirectory"])

    def _run(self, command, environment, directory=None):
        with self._lock:
            if self._off.is_set():
                return -1
            with (self.place / "console").open("ab") as console:
                self._child = subprocess.Popen(
                    command,
                    cwd=directory or self.place,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=console,
                    start_new_session=True,
                )
        return self._child.wait()
