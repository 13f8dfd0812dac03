"""The storage: files by name, written whole or appended to, never half."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


class Files(Protocol):
    """Names are relative, parts apart by ``/``. Raises ``OSError`` where the storage does not."""

    def read(self, name: str) -> bytes | None:
        """What a file holds; ``None`` if there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, whole, in place of an older one."""

    def append(self, name: str, content: bytes) -> None:
        """Add to the end of a file, which need not exist; what is there is not touched."""

    def delete(self, name: str) -> None:
        """Take a file away; one that is not there is no fault."""

    def listed(self, folder: str) -> Iterator[tuple[str, datetime]]:
        """The names of the files right under a folder, and when each was written last, UTC."""


class DirectoryFiles:
    """Files in a directory of this machine, readable by its owner alone."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, name: str) -> bytes | None:
        """What a file holds; ``None`` if there is none."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, whole: written beside its name, synced, then renamed."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)

    def append(self, name: str, content: bytes) -> None:
        """Add to the end of a file by one write, synced."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(descriptor, content) != len(content):
                raise OSError(f"{name} was written in part")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def delete(self, name: str) -> None:
        """Take a file away; one that is not there is no fault."""
        self._path(name).unlink(missing_ok=True)

    def listed(self, folder: str) -> Iterator[tuple[str, datetime]]:
        """The files right under a folder and when each was written; drafts are none of them."""
        path = self._path(folder)
        if not path.is_dir():
            return
        with os.scandir(path) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                    written = datetime.fromtimestamp(entry.stat().st_mtime, UTC)
                    yield f"{folder}/{entry.name}", written

    def _path(self, name: str) -> Path:
        """Where a file lies. Raises ``ValueError`` for a name that could lead elsewhere."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a file in the storage")
        return self.root / name


def at(url: str) -> Files:
    """The storage at an address, ``file:///…``. Raises ``ValueError``."""
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise ValueError(f"{url!r} is no storage known here; use file:///…")
    return DirectoryFiles(Path(unquote(parts.path)))
