"""What an installation stands on: its ports, its secrets, and the lock that makes it one."""

from __future__ import annotations

import json
import os
import secrets
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

from app.gateways import signing
from app.gateways.vault import generate, public_key_of
from app.setting_names import SETTINGS

DEFAULT_PORTS = {"web": 8000, "gate": 8001, "practice": 8899}
TITLES = {"web": "web", "gate": "gate", "practice": "practice market"}
_SOCKET_LIMIT = 103  # macOS; Linux takes 107
_TRIES = 200


class CannotStart(Exception):
    """Why nothing can be started, and what to do about it."""


def choose_ports(var_dir: Path, wanted: int | None) -> dict[str, int]:
    """A free port for each server: that of last time, else the usual one, else the next free.

    ``wanted``: the port the operator asked for the web.
    """
    book = var_dir / "ports.json"
    try:
        known = json.loads(book.read_text())
    except (FileNotFoundError, ValueError):
        known = {}
    if wanted is not None:
        known["web"] = wanted
    chosen: dict[str, int] = {}
    for name, usual in DEFAULT_PORTS.items():
        first = known.get(name, usual)
        chosen[name] = _next_free(int(first), set(chosen.values()))
    book.write_text(json.dumps(chosen))
    return chosen


def moved(ports: Mapping[str, int], wanted: int | None) -> tuple[str, ...]:
    """A line for each server that is not at its usual port, or at the one asked for."""
    usual = DEFAULT_PORTS | ({} if wanted is None else {"web": wanted})
    return tuple(
        f"The {TITLES[name]} is at port {port}: {usual[name]} was taken, now or earlier."
        for name, port in ports.items()
        if port != usual[name]
    )


def _next_free(first: int, taken: set[int]) -> int:
    for port in range(first, min(first + _TRIES, 65536)):
        if port not in taken and _is_free(port):
            return port
    raise CannotStart(f"No port from {first} on is free; set PORT to one that is.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def keep_secrets(var_dir: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Make what is missing on the first start; the settings that point at it afterwards.

    Values stay in files that only their owner reads, out of the environment that ``ps`` shows.
    """
    home = var_dir / "secrets"
    home.mkdir(mode=0o700, exist_ok=True)
    given = {name for name in environ if environ[name].strip()}
    settings: dict[str, str] = {}
    if not given & {"SECRET_KEY", "SECRET_KEY_FILE"}:
        settings["SECRET_KEY_FILE"] = str(_secret(home / "SECRET_KEY", secrets.token_hex(32)))
    if not given & {"MASTER_KEYS", "MASTER_KEYS_FILE"}:
        master = _secret(home / "MASTER_KEYS", generate()[0])
        settings["MASTER_KEYS_FILE"] = str(master)
        public = public_key_of(master.read_text().split(",")[0].strip())
        settings["SEAL_PUBLIC_KEY"] = _secret(home / "SEAL_PUBLIC_KEY", public).read_text()
    if not given & {"INBOUND_MAIL_KEY", "INBOUND_MAIL_KEY_FILE"}:
        inbound = _secret(home / "INBOUND_MAIL_KEY", secrets.token_hex(32))
        settings["INBOUND_MAIL_KEY_FILE"] = str(inbound)
    if not given & {"SIGNING_KEY", "SIGNING_KEY_FILE"}:
        signing_key = _secret(home / "SIGNING_KEY", signing.generate()[0])
        settings["SIGNING_KEY_FILE"] = str(signing_key)
        public = signing.public_key_of(signing_key.read_text().strip())
        settings["SIGNING_PUBLIC_KEY"] = _secret(home / "SIGNING_PUBLIC_KEY", public).read_text()
    return settings


def _secret(path: Path, value: str) -> Path:
    """Written whole and once, readable by its owner alone."""
    if not path.exists():
        descriptor, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    return path


def socket_path(var_dir: Path) -> Path:
    """Where the embedded server listens; a deep checkout's path would be too long for a socket."""
    path = var_dir / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_LIMIT:
        return path
    return Path(tempfile.mkdtemp(prefix="plutarc-")) / "redis.sock"


def environment_for(role: str | None, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of one process: the system's, and of the settings those its role reads.

    ``None`` is a program that reads no settings at all.
    """
    names = {name for setting in SETTINGS for name in (setting.name, f"{setting.name}_FILE")}
    readable = {
        name
        for setting in SETTINGS
        if role in setting.roles
        for name in (setting.name, f"{setting.name}_FILE")
    }
    return {key: value for key, value in settings.items() if key not in names or key in readable}
