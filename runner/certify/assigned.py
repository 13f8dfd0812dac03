"""``certify --from-gate``: certifies for a platform that hands the key to this process alone.

Stdin: the gate, and what to claim there. Stderr: progress, one JSON object a line, and words for a
log. Stdout: the report as data, unsigned, or why there is none. A signal ends it and cleans up.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from runner.certify import needs, outline, report
from runner.certify.run import certify
from runner.certify.stand import Place
from runner.certify.verdict import Line
from runner.client import GateClient
from runner.errors import RunnerError
from runner.exchange.transport import session
from runner.protocol import Certify, CertifyClaim, ProtocolError, loads, to_plain

FROM_GATE = "--from-gate"
DONE, FAILED = 0, 2
_GATE_SECONDS = 20.0
_MOST_INPUT = 100_000


def command(source: TextIO, answer: TextIO, errors: TextIO) -> int:
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(message)s")
    try:
        asked = json.loads(source.read(_MOST_INPUT))
        claim = loads(CertifyClaim, json.dumps(asked["claim"]).encode())
        order = asyncio.run(_fetched(str(asked["gate"]), claim))
        told: dict[str, Any] = {"ok": True, "report": _certified(order, errors)}
    except (ValueError, KeyError, TypeError, ProtocolError) as error:
        told = _failure(f"what was asked cannot be read: {type(error).__name__}")
    except RunnerError as error:
        told = _failure(f"{error}; nothing was asked of the venue")
    json.dump(told, answer, sort_keys=True, separators=(",", ":"))
    return DONE if told["ok"] else FAILED


async def _fetched(gate: str, claim: CertifyClaim) -> Certify:
    """What to do, with the key. It is not asked for twice: its token is good once."""
    http = session([gate], None, _GATE_SECONDS)
    try:
        return await GateClient(http, gate).certify(claim)
    finally:
        await http.close()


def _certified(order: Certify, errors: TextIO) -> dict[str, Any]:
    environment = outline.ENVIRONMENTS[0]
    endpoint = needs.endpoint_of(order.exchange, environment, order.endpoint)
    began, keys = datetime.now(UTC), order.credentials

    def say(text: str) -> None:
        errors.write(report.redacted(text, keys) + "\n")
        errors.flush()

    def follow(lines: Sequence[Line]) -> None:
        said = {"lines": to_plain(tuple(lines)), "of": len(outline.STEPS)}
        errors.write(json.dumps(report.redacted(said, keys)) + "\n")
        errors.flush()

    with tempfile.TemporaryDirectory(prefix="certification-") as folder:
        place = Place(order.exchange, order.symbol, Path(folder), keys, endpoint)
        outcome = asyncio.run(certify(place, say, follow=follow))
    return report.of(outcome, place, environment, began, datetime.now(UTC))


def _failure(why: str) -> dict[str, Any]:
    return {"ok": False, "error": {"component": "certification", "field": "", "message": why}}
