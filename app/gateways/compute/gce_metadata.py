"""Prepares what a machine of Compute Engine starts with: its program and its metadata."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.gateways.compute import boot, bundles
from app.gateways.compute.driver import Result, Step
from runner.protocol import CODE_ALLOWED

_built: dict[tuple[str, Path, Path], Path] = {}
"""Of this process and those it forks; sources change with the release, and so do processes."""


@dataclass(frozen=True)
class Preparation:
    """Builds the program into ``bundle_dir``; machines fetch it from the gate by its digest.

    ``code``: whether bots may trade by a class; each has a machine of its own.
    """

    bundle_dir: Path
    root: Path = bundles.ROOT
    code: bool = False

    def __call__(self, step: Step) -> dict[str, str] | Result:
        """The metadata of the machine that the step inserts."""
        built = self.build(step.exchange or "")
        if isinstance(built, Result):
            return built
        gate = step.environment.get("PLUTARC_GATE", "").rstrip("/")
        url = f"{gate}/runner/v1/bundle/{built.name}"
        allowed = {CODE_ALLOWED: "1"} if self.code else {}
        return boot.metadata(allowed | step.environment, built.stem, url)

    def build(self, exchange: str) -> Path | Result:
        """The program for an exchange, built or found; found without a look once it was built."""
        key = (exchange, self.bundle_dir, self.root)
        known = _built.get(key)
        if known is not None and known.exists():
            return known
        built = bundles.build(exchange, self.bundle_dir, self.root)
        if isinstance(built, Path):
            _built[key] = built
        return built
