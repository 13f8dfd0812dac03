"""What a check of ``doctor`` is given, and what it says."""

import json
import os
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.config import Config


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """What was seen, and what to do about it where anything is to be done."""

    level: Level
    what: str
    cure: str = ""


@dataclass(frozen=True)
class Look:
    """The installation as this process knows it."""

    config: Config
    now: datetime

    @property
    def gate(self) -> str:
        """Where the gate should answer; `make run` notes the port that it took."""
        if os.environ.get("RUNNER_BASE_URL", "").strip():
            return self.config.runner_base_url
        return self._by_port("gate") or self.config.runner_base_url

    @property
    def practice(self) -> str | None:
        """Where the practice market should answer, if this process can know."""
        return self.config.exchange_endpoints.get("practice") or self._by_port("practice")

    def _by_port(self, name: str) -> str | None:
        try:
            port = json.loads((self.config.var_dir / "ports.json").read_text())[name]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return f"http://127.0.0.1:{port}"


def ok(what: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, what)


def warn(what: str, cure: str = "") -> Finding:
    """It works, but somebody should look."""
    return Finding(Level.WARN, what, cure)


def fail(what: str, cure: str) -> Finding:
    """It does not work."""
    return Finding(Level.FAIL, what, cure)
