"""The fields of a key: whether they look as their exchange issues them, and when a key lapses."""

import re
from datetime import datetime, timedelta
from typing import Any

from app.domain.errors import Invalid
from app.domain.venues import Venue
from app.models import Connection

WARN_AHEAD = timedelta(days=7)


def checked(venue: Venue, fields: dict[str, str]) -> dict[str, str]:
    """The fields of a whole key, trimmed. Raises ``Invalid`` naming one, never with its value."""
    found = {}
    for field in venue.key_fields:
        text = fields.get(field.name, "").strip()
        if not text:
            raise Invalid("Paste it as the exchange shows it.", field.name)
        if re.fullmatch(field.pattern, text) is None:
            raise Invalid(
                f"This is no {field.title} of {venue.title}: one looks like {field.example}.",
                field.name,
            )
        found[field.name] = text
    return found


def lapses_at(connection: Connection, venue: Venue) -> datetime | None:
    """When the exchange takes the key away, as far as is known, for it is bound to no address."""
    if venue.unbound_key_days is None or bound(connection):
        return None
    since = connection.rotated_at or connection.created_at
    return since + timedelta(days=venue.unbound_key_days)


def bound(connection: Connection) -> bool:
    """Whether a preflight saw that the key is bound to an address."""
    return any(item["name"] == "key binding" and item["ok"] for item in seen(connection))


CURES = {
    "key": "Change it at the exchange, or replace the key here; it is looked at again at once.",
    "trading right": "Let the key trade contracts at the exchange; nothing else is needed.",
    "withdrawal right": "Take that right away at the exchange, or make a key without it.",
    "key binding": "Bind the key at the exchange to the bot's address, and to that alone.",
    "key expiry": "Make a new key at the exchange, bound to the bot's address; replace it here.",
    "balance": "Move some of the quote currency to this account at the exchange.",
    "position mode": "Switch the account to one-way mode at the exchange.",
    "instrument": "Give the bot another symbol, under Edit on its page.",
    "address": "Look for a proxy or a translated address on the way to the exchange.",
    "clock": "Set the clock of the server or the machine by NTP.",
    "venue": "It is tried again by itself; look at the exchange's status page.",
}
"""What to do where a check of this name is bad, beside what its finding says."""


def cure(check: dict[str, Any]) -> str:
    """What to do about one line of a preflight; empty where nothing is bad."""
    return CURES.get(check["name"], "") if check["ok"] is False else ""


def faults(connection: Connection) -> list[dict[str, Any]]:
    """What the last look at the key found bad."""
    return [check for check in seen(connection) if check["ok"] is False]


def seen(connection: Connection) -> list[dict[str, Any]]:
    """What the last preflight found, line by line; empty before the first one."""
    found: list[dict[str, Any]] = connection.findings.get("checks", [])
    return found
