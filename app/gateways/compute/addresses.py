"""Addresses of local machines: one of 127.64.0.0/10 for each name, kept until it is released."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
from ipaddress import IPv4Address
from pathlib import Path

from app.gateways.compute import locks
from app.gateways.compute.driver import AddressState, Outcome, Result

_FIRST = int(IPv4Address("127.64.0.0"))
_SIZE = 2**22
_ONLY = "127.0.0.1"
_ONE_FOR_ALL = "this system has no 127.0.0.0/8; every machine shares 127.0.0.1"
_BUSY = Result(Outcome.RETRY, "the address book is in use; trying again")


class AddressBook:
    """The addresses of one installation, one file each: written once, gone when released."""

    def __init__(self, var_dir: Path) -> None:
        self._dir = var_dir / "addresses"

    def reserve(self, name: str) -> Result:
        """Give ``name`` an address nobody else has, or the one it has."""
        self._dir.mkdir(parents=True, exist_ok=True)
        with locks.held(self._dir / ".lock", patience=2) as descriptor:
            if descriptor is None:
                return _BUSY
            ip = self.ip_of(name)
            if ip is None:
                ip = self._choose(name)
                write_once(self._record(name), json.dumps({"ip": ip}))
        detail = _ONE_FOR_ALL if ip == _ONLY else ""
        return Result(Outcome.DONE, detail, ip=ip, address=AddressState.RESERVED)

    def observe(self, name: str) -> Result:
        """What there is under ``name``, and whether a machine has it."""
        ip = self.ip_of(name)
        if ip is None:
            return Result(Outcome.DONE, address=AddressState.ABSENT)
        state = AddressState.IN_USE if locks.is_held(self.lock(name)) else AddressState.RESERVED
        return Result(Outcome.DONE, ip=ip, address=state)

    def release(self, name: str) -> Result:
        """Give the address up; refused for now while a machine has it."""
        if not self._dir.exists():
            return Result(Outcome.DONE, address=AddressState.ABSENT)
        with (
            locks.held(self._dir / ".lock", patience=2) as book,
            locks.held(self.lock(name)) as descriptor,
        ):
            if book is None:
                return _BUSY
            if descriptor is None:
                detail = "a machine still has the address; delete the machine first"
                return Result(Outcome.RETRY, detail, address=AddressState.IN_USE)
            for path in (self._record(name), self._fence(name), self.lock(name)):
                path.unlink(missing_ok=True)
        return Result(Outcome.DONE, address=AddressState.ABSENT)

    def ip_of(self, name: str) -> str | None:
        """The address recorded for ``name``."""
        try:
            ip: str = json.loads(self._record(name).read_text())["ip"]
        except FileNotFoundError:
            return None
        return ip

    def all(self) -> list[tuple[str, str, AddressState]]:
        """Every name with its address and whether a machine has it."""
        found = [(path.stem, self.observe(path.stem)) for path in sorted(self._dir.glob("*.json"))]
        return [(name, it.ip, it.address) for name, it in found if it.ip and it.address]

    def lock(self, name: str) -> Path:
        """Held by the one machine that has the address."""
        return self._dir / f"{name}.lock"

    def retired(self, name: str) -> int:
        """The newest generation of machine that was deleted; none up to it may start again."""
        try:
            return int(self._fence(name).read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def retire(self, name: str, generation: int) -> None:
        """Never let this generation start (again); a call that comes late finds the door shut."""
        if self.ip_of(name) is not None and generation > self.retired(name):
            write(self._fence(name), str(generation))

    def _record(self, name: str) -> Path:
        return self._dir / f"{name}.json"

    def _fence(self, name: str) -> Path:
        return self._dir / f"{name}.retired"

    def _choose(self, name: str) -> str:
        """The address that the name hashes to, or the next free one; .0 and .255 look odd."""
        taken = {self.ip_of(path.stem) for path in self._dir.glob("*.json")}
        seed = hashlib.sha256(f"{self._installation()}/{name}".encode()).digest()
        start = int.from_bytes(seed[:8], "big")
        for step in range(_SIZE):
            ip = str(IPv4Address(_FIRST + (start + step) % _SIZE))
            if ip in taken or ip.rsplit(".", 1)[1] in ("0", "255"):
                continue
            return ip if _usable(ip) else _ONLY
        raise OSError("all addresses of 127.64.0.0/10 are taken; release some")

    def _installation(self) -> str:
        """Tells apart the installations of one computer; made at the first reservation."""
        path = self._dir.parent / "installation"
        if not path.exists():
            write_once(path, secrets.token_hex(16))
        return path.read_text()


def _usable(ip: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((ip, 0))
        except OSError:
            return False
    return True


def write(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut."""
    draft = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def write_once(path: Path, text: str) -> None:
    """``write``, but what is there stays."""
    if not path.exists():
        write(path, text)
