"""A form that came without a session, locked and handed back to its sender until they sign in.

Nothing is stored here: it survives a restart of the server, and opens for thirty minutes, for the
person whose session it was.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import request

from app import current
from app.gateways.locker import Locked
from app.models import User
from app.web import carried

KEEPS = timedelta(minutes=30)
LARGEST = 64 * 1024
_PURPOSE = "held form"
_ANYONE = "anyone"


@dataclass(frozen=True)
class HeldForm:
    """Where it was going, what was typed, and the page it stood on."""

    target: str
    fields: list[tuple[str, str]]
    back: str
    left_out: bool


def hold(owner: str | None, back: str) -> str | None:
    """Lock the form of this request for ``owner``; ``None`` if it is too long to keep."""
    content = {
        "target": request.full_path.rstrip("?"),
        "fields": carried.typed(),
        "back": back,
        "left_out": carried.left_out(),
        "at": current.now().isoformat(),
    }
    text = json.dumps(content).encode()
    if len(text) > LARGEST:
        return None
    closed = current.locker().close(_PURPOSE, owner or _ANYONE, text)
    return urlsafe_b64encode(closed).decode()


def take(text: str, person: User) -> HeldForm | None:
    """What ``person`` was about to send; nothing of somebody else's, and nothing old."""
    for context in (person.id, _ANYONE):
        try:
            opened = current.locker().open(_PURPOSE, context, urlsafe_b64decode(text))
        except (Locked, ValueError):
            continue
        content = json.loads(opened)
        if current.now() - datetime.fromisoformat(content.pop("at")) > KEEPS:
            return None
        content["fields"] = [(name, value) for name, value in content["fields"]]
        return HeldForm(**content)
    return None
