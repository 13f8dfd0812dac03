"""The report as data: what was seen, by which runner, and nothing that is secret or personal."""

from __future__ import annotations

import hashlib
import platform
import zipimport
from datetime import datetime
from pathlib import Path
from typing import Any

import runner
from runner import __version__
from runner.certify.envelope import FORMAT, without_addresses
from runner.certify.run import Outcome
from runner.certify.stand import Place
from runner.errors import Operational
from runner.protocol import Credentials, to_plain


def of(
    outcome: Outcome, place: Place, environment: str, began: datetime, ended: datetime
) -> dict[str, Any]:
    """Ready to be signed."""
    told: dict[str, Any] = to_plain(
        {
            "format": FORMAT,
            "exchange": place.exchange,
            "environment": environment,
            "symbol": place.symbol,
            "runner_version": __version__,
            "bundle": own_digest(),
            "python": platform.python_version(),
            "began_at": began,
            "ended_at": ended,
            "passed": outcome.passed,
            "stopped": outcome.stopped,
            "left": outcome.left,
            "steps": outcome.lines,
        }
    )
    cleaned: dict[str, Any] = redacted(told, place.credentials)
    return cleaned


def redacted(value: Any, credentials: Credentials) -> Any:
    """The same without key, secret, passphrase and any address in the texts."""
    if isinstance(value, dict):
        return {name: redacted(item, credentials) for name, item in value.items()}
    if isinstance(value, list):
        return [redacted(item, credentials) for item in value]
    if not isinstance(value, str):
        return value
    for secret in (credentials.api_key, credentials.secret, credentials.passphrase):
        if secret:
            value = value.replace(secret, "[secret]")
    return without_addresses(value)


def own_digest() -> str:
    """SHA-256 of the bundle this process runs from, or of the sources, marked as such."""
    loader = runner.__loader__
    if isinstance(loader, zipimport.zipimporter):
        return digest_of(Path(loader.archive))
    folder, digest = Path(runner.__file__).parent, hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return f"sources:{digest.hexdigest()}"


def digest_of(bundle: Path) -> str:
    try:
        return hashlib.sha256(bundle.read_bytes()).hexdigest()
    except OSError as error:
        raise Operational(f"the bundle cannot be read: {error}") from error
