"""The tester's key, and what it signs: Ed25519 (RFC 8032), in the package ccxt itself needs."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from runner.errors import Operational

_PURPOSE = b"plutarc certification 1\n"
"""Set before what is signed, so that a signature of this key means nothing anywhere else."""


def default_path() -> Path:
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "plutarc" / "certification.key"


def canonical(report: dict[str, Any]) -> bytes:
    """The one way in which a report is written for signing."""
    text = json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


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


def public_of(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def fingerprint(public_key: str) -> str:
    """A short name of a public key: the first 8 bytes of its SHA-256."""
    return hashlib.sha256(base64.b64decode(public_key)).hexdigest()[:16]


def signed(report: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The report with its signature and the key to check it by."""
    signature = base64.b64encode(key.sign(_PURPOSE + canonical(report))).decode()
    return {"report": report, "public_key": public_of(key), "signature": signature}


def is_signed(envelope: dict[str, Any]) -> bool:
    """Whether the holder of the other half of its public key signed exactly this report."""
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(envelope["public_key"]))
        signature = base64.b64decode(envelope["signature"])
        public.verify(signature, _PURPOSE + canonical(envelope["report"]))
    except (InvalidSignature, LookupError, TypeError, ValueError, binascii.Error):
        return False
    return True
