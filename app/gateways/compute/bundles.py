"""The program of a machine: built once from the runner's sources, then found by its digest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from app.gateways.compute.driver import Outcome, Result

ROOT = Path(__file__).resolve().parents[3]
_SECONDS = 60


def build(exchange: str, out: Path, root: Path = ROOT) -> Path | Result:
    """Build the bundle for an exchange into ``out``; its name is its SHA-256 digest."""
    command = [sys.executable, "-m", "runner", "bundle", "--exchange", exchange]
    try:
        answer = subprocess.run(  # noqa: S603 -- our own program; the name is an argument
            [*command, "--out", str(out)],
            cwd=root,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Result(Outcome.RETRY, f"building the runner took over {_SECONDS} s")
    if answer.returncode == 2:
        return Result(Outcome.FAILED, f"the runner was not built: {_last_line(answer.stderr)}")
    if answer.returncode != 0:
        return Result(Outcome.RETRY, f"the runner was not built: {_last_line(answer.stderr)}")
    return Path(json.loads(answer.stdout.splitlines()[-1])["path"])


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no word why"])[-1][:300]
