"""A signed report as it travels: how it is written, signed, read and checked.

Ed25519 (RFC 8032), in the package ccxt itself needs. Pure: whoever imports a report runs the very
code that its tester's bundle verifies with.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from runner.certify.verdict import GOOD, Line
from runner.errors import Operational
from runner.protocol import ProtocolError, from_plain

FORMAT = 1
MOST_BYTES = 1_000_000
_PURPOSE = b"plutarc certification 1\n"
"""Set before what is signed, so that a signature of this key means nothing anywhere else."""
_MAYBE_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{2,}")
_PARTS = {"report", "public_key", "signature"}


class NotAReport(Operational):
    """The bytes are no report of a certification; the message says why."""


@dataclass(frozen=True)
class Report:
    """What was seen. ``left``: what could not be cleaned up, in sentences."""

    format: int
    exchange: str
    environment: str
    symbol: str
    runner_version: str
    bundle: str
    python: str
    began_at: datetime
    ended_at: datetime
    passed: bool
    stopped: bool
    left: tuple[str, ...]
    steps: tuple[Line, ...]

    @property
    def holds(self) -> bool:
        """Whether what its lines say amounts to having passed."""
        whole = bool(self.steps) and all(line.verdict in GOOD for line in self.steps)
        return whole and not self.left and not self.stopped


def canonical(report: dict[str, Any]) -> bytes:
    """The one way in which a report is written for signing."""
    text = json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


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
    except (InvalidSignature, LookupError, TypeError, ValueError, RecursionError):
        return False
    return True


def opened(content: bytes) -> dict[str, Any]:
    """The envelope in these bytes, unchecked. Raises ``NotAReport``."""
    if len(content) > MOST_BYTES:
        raise NotAReport("it is too large for a report")
    try:
        found = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise NotAReport(f"it is no report: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("report"), dict):
        raise NotAReport("it is no report of a certification")
    return found


def report_of(envelope: dict[str, Any]) -> Report:
    """The report of an envelope, all of it and nothing else. Raises ``NotAReport``."""
    plain = envelope["report"]
    if plain.get("format") != FORMAT:
        raise NotAReport(
            f"the report has format {plain.get('format')!r:.20}; here {FORMAT} is read"
        )
    _nothing_else(envelope, _PARTS)
    _nothing_else(plain, {field.name for field in fields(Report)})
    try:
        report = from_plain(Report, plain)
    except ProtocolError as error:
        raise NotAReport(f"it is no report: {error}") from error
    for line in plain["steps"]:
        _nothing_else(line, {field.name for field in fields(Line)})
    said = (report.symbol, *report.left, *(line.detail for line in report.steps))
    if any(without_addresses(text) != text for text in said):
        raise NotAReport("it names a network address, which no report does")
    return report


def without_addresses(text: str) -> str:
    """The same with ``[address]`` where a network address stood, with its port or without."""
    return _MAYBE_ADDRESS.sub(_without_address, text)


def _nothing_else(found: dict[str, Any], names: set[str]) -> None:
    more = sorted(found.keys() - names)
    if more:
        raise NotAReport(f"it is no report: {more[0]!r:.40} does not belong into one")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers must not see two reports: a name that stands twice is refused."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands in it twice")
    return found


def _without_address(found: re.Match[str]) -> str:
    text = found[0].rstrip(".:")
    try:
        ipaddress.ip_address(text)
    except ValueError:
        address, _, port = text.rpartition(":")
        return found[0] if not port.isdigit() or not _is_address(address) else "[address]"
    return "[address]" + found[0][len(text) :]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
