"""What each template did on the practice market's history, worked out beforehand.

A library page is there at once and on a machine that just began; ``tests/behaviours.py`` writes
the files, and a test works all of them out again.
"""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from app.domain import previews
from app.domain.venues import PRACTICE
from app.web.preview_looks import Look, look
from runner.strategy import Template

FUNDING = {"funding_fade": "0.0005"}
"""Candles hold no funding rate; without one this template does nothing that could be looked at."""
_FOLDER = Path(__file__).parent / "behaviours"
_END = datetime(2026, 10, 1, tzinfo=UTC)


def request(template: Template) -> dict[str, Any]:
    """What the runner is asked for: the preview of these days."""
    asked = previews.plan(template.rules, PRACTICE.id, PRACTICE.symbols[0], _END)
    rate = FUNDING.get(template.key)
    return asked | ({"model": {"funding_rate": rate}} if rate else {})


def path_of(template: Template) -> Path:
    """Where its behaviour is kept."""
    return _FOLDER / f"{template.key}.json"


@cache
def of(template_key: str, direction: str) -> Look:
    """How it is shown; drawn once in a process."""
    told = json.loads((_FOLDER / f"{template_key}.json").read_text())
    return look(told, direction)


def assumed_funding(template: Template) -> str:
    """The funding rate that was taken for granted, in percent; empty where none was."""
    rate = FUNDING.get(template.key)
    return f"{100 * float(rate):g}" if rate else ""
