"""The settings as data, and a reader that collects every fault with its cure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from app.setting_names import BY_NAME

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


class SettingsError(ValueError):
    """One line for each setting that is wrong, with its cure."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def duration(text: str) -> timedelta:
    """Read ``20s``, ``5min`` or ``2h``. Raises ``ValueError``."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(text)
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


class Reader:
    """Reads settings one by one; ``faults`` grows instead of the first one raising.

    A secret comes from ``NAME``, else from the file that ``NAME_FILE`` names, else, if it is one
    that ``make run`` keeps, from ``secrets/NAME`` in the installation's own directory.
    """

    def __init__(self, environ: Mapping[str, str], role: str) -> None:
        self.environ = environ
        self.role = role
        self.faults: list[str] = []
        self.var_dir = Path(environ.get("VAR_DIR", "").strip() or "var").absolute()

    def fault(self, name: str, problem: str) -> None:
        """Note what is wrong with ``name`` and how to put it right. Never quote a secret."""
        self.faults.append(f"{name} {problem}")

    def text(self, name: str, default: str = "") -> str:
        """The value, stripped; empty counts as not set."""
        value = self.environ.get(name, "").strip()
        if BY_NAME[name].secret or BY_NAME[name].kept:
            value = self._from_file(name, value)
        return value or default

    def _from_file(self, name: str, value: str) -> str:
        pointer = self.environ.get(f"{name}_FILE", "").strip()
        if value and pointer:
            self.fault(name, f"is set and {name}_FILE too; set one of them.")
        if value or self.role not in BY_NAME[name].roles:
            return value
        if not pointer and not BY_NAME[name].kept:
            return ""
        path = Path(pointer) if pointer else self.var_dir / "secrets" / name
        try:
            return path.read_text().strip()
        except (OSError, ValueError) as error:
            if pointer:
                self.fault(
                    f"{name}_FILE", f"cannot be read ({type(error).__name__}); check the path."
                )
            return ""

    def required(self, name: str, cure: str) -> str:
        """The value; a fault where this role needs it and it is missing."""
        value = self.text(name)
        unreadable = any(line.startswith(f"{name}_FILE ") for line in self.faults)
        if not value and not unreadable and self.role in BY_NAME[name].roles:
            self.fault(name, f"is not set; {cure}")
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """One of ``choices``."""
        value = self.text(name, default).lower()
        if value in choices:
            return value
        self.fault(name, f"is {value!r}; set one of {', '.join(choices)}.")
        return default

    def flag(self, name: str, default: str = "0") -> bool:
        """A switch, off by default."""
        return self.choice(name, ("0", "1", "false", "true", "no", "yes"), default) in (
            "1",
            "true",
            "yes",
        )

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        value = self.text(name, str(default))
        if value.isascii() and value.isdigit() and low <= int(value) <= high:
            return int(value)
        self.fault(name, f"is {value!r}; set a whole number from {low} to {high}.")
        return default

    def period(self, name: str, default: str) -> timedelta:
        """A duration with its unit."""
        value = self.text(name, default)
        try:
            return duration(value)
        except ValueError:
            self.fault(name, f"is {value!r}; set a duration with its unit, such as {default}.")
            return duration(default)

    def url(self, name: str, default: str) -> str:
        """An http or https address without a trailing slash."""
        value = self.text(name, default).rstrip("/")
        if not is_web_address(value):
            self.fault(name, f"is {value!r}; set an address such as {default}.")
            return default
        return value

    def endpoints(self, name: str) -> dict[str, str]:
        """A JSON object from exchange id to web address."""
        example = 'set JSON such as {"practice": "http://127.0.0.1:8899"}.'
        try:
            found = json.loads(self.text(name, "{}"))
        except ValueError:
            self.fault(name, f"is not JSON; {example}")
            return {}
        if not isinstance(found, dict):
            self.fault(name, f"is no JSON object; {example}")
            return {}
        for exchange, address in found.items():
            if not isinstance(address, str) or not is_web_address(address):
                self.fault(name, f"has no web address for {exchange!r}; {example}")
        return {key: value.rstrip("/") for key, value in found.items() if isinstance(value, str)}


def is_web_address(text: str) -> bool:
    """Whether ``text`` is an absolute http(s) URL without credentials, query or fragment."""
    try:
        parts = urlsplit(text)
        usable = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        return False
    clean = not (parts.query or parts.fragment or parts.username or parts.password)
    return usable and clean and parts.scheme in ("http", "https") and bool(parts.hostname)


def is_loopback(host: str) -> bool:
    """Whether a host name reaches only this machine."""
    return host in ("localhost", "::1") or host.startswith("127.")
