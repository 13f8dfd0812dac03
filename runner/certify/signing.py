"""The tester's key, kept in a file that its owner alone can read."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runner.errors import Operational


def default_path() -> Path:
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "plutarc" / "certification.key"


def key_of_tester(path: Path) -> Ed25519PrivateKey:
    """The key in the file, which is made at its first use. Raises ``Operational``."""
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise Operational(f"others can read {path}; take that right away (chmod 600)")
        raw = base64.b64decode(path.read_text().strip(), validate=True)
        return Ed25519PrivateKey.from_private_bytes(raw)
    except OSError as error:
        raise Operational(f"the key of the tester cannot be used: {error}") from error
    except ValueError as error:
        raise Operational(f"{path} holds no Ed25519 key; move it away for a new one") from error


def _make(path: Path) -> None:
    """Readable by its owner alone from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    raw = Ed25519PrivateKey.generate().private_bytes_raw()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(raw).decode() + "\n")
