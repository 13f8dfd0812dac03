"""The proof that an update comes from Telegram, and the update.

Whoever fails it leaves nothing but a count in this process and a line in its log.
"""

import hmac
import json
import logging
import time
from collections import Counter
from typing import Any

from flask import abort, request

from app.web import bodies

HEADER = "X-Telegram-Bot-Api-Secret-Token"
LARGEST = 1024 * 1024
_LOG_EVERY = 60.0
_log = logging.getLogger(__name__)
turned_away: Counter[str] = Counter()
_logged: dict[str, float] = {}


def update(secret: str) -> dict[str, Any]:
    """What came, or an empty update where it is none: asking again would not make it one.

    Where no secret is set nobody may come in.
    """
    brought = request.headers.get(HEADER, "")
    if not secret or not hmac.compare_digest(brought.encode(), secret.encode()):
        _turn_away("no secret is set" if not secret else "it brought another secret")
    try:
        found = json.loads(bodies.of_at_most(LARGEST))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _turn_away(why: str) -> None:
    """Refuse, count, and say so in the log at most once a minute."""
    turned_away[why] += 1
    now = time.monotonic()
    if now - _logged.get(why, -_LOG_EVERY) >= _LOG_EVERY:
        _logged[why] = now
        _log.warning("an update was turned away: %s (%d so far)", why, turned_away[why])
    abort(403)
