"""Whether a report is what its tester signed, and from this very runner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner import __version__
from runner.certify.envelope import (
    MOST_BYTES,
    NotAReport,
    fingerprint,
    is_signed,
    opened,
    report_of,
)
from runner.certify.report import digest_of, own_digest
from runner.errors import Operational


def verify(path: Path, *, public_key: str | None, bundle: Path | None) -> tuple[bool, list[str]]:
    """Whether all holds, and a sentence on each; the signature goes first.

    ``public_key``: the tester's, known from elsewhere; without it the report's own says only that
    nothing was changed since. ``bundle``: the file to compare with, else this very process's.
    """
    envelope = _read(path)
    if not is_signed(envelope):
        return False, ["the signature does not belong to this report: it was changed, or cut"]
    report, signer = envelope["report"], envelope["public_key"]
    told = [f"signed by the key {fingerprint(signer)}, and not changed since"]
    good = True
    if public_key is not None and signer != public_key:
        good, told = False, [*told, "but that is not the key it should be signed with"]
    report_of(envelope)  # raises where a signed thing is no report
    wanted = own_digest() if bundle is None else digest_of(bundle)
    for name, found, expected in (
        ("runner version", report["runner_version"], __version__),
        ("bundle", report["bundle"], wanted),
    ):
        same = found == expected
        good = good and same
        told.append(
            f"{name} {found}: " + ("the same as here" if same else f"here it is {expected}")
        )
    outcome = "certified" if report["passed"] else "not certified"
    told.append(f"{report['exchange']} ({report['environment']}): {outcome}, {report['ended_at']}")
    return good, told


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Operational(f"{path} is too large for a report")
        return opened(path.read_bytes())
    except OSError as error:
        raise Operational(f"the report cannot be read: {error}") from error
    except NotAReport as error:
        raise Operational(f"{path}: {error}") from error
