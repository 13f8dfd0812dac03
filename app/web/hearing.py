"""How a bot hears of its venue, in words for its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.protocol import Hearing


def told(health: Mapping[str, Any]) -> str:
    """What its runner said of itself last; a dash where it is one that says nothing of it."""
    why = str(health.get("hears_why") or "")[:200]
    match health.get("hears_by"):
        case Hearing.STREAMS:
            return "streams, each one checked by requests"
        case Hearing.REQUESTS:
            return f"requests alone: {why}" if why else "requests alone"
    return "–"
