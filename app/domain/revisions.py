"""What exactly goes live: its digest is kept with the bot, and whatever differs needs new approval.

Limits are no part of it: lower ones are always allowed, higher ones have a request of their own.
"""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from app.domain.audit import Change
from app.domain.errors import Invalid, Refused
from app.models import Bot, Connection
from runner.protocol import Mode, OnEnd, to_plain

NOT_APPROVED = (
    "What this live bot is has changed since it was approved, so it makes no entries. "
    "Ask for a new approval under Going live; exits and stops are managed meanwhile."
)
LEAST_STOP, LARGEST_STOP = Decimal("0.1"), Decimal(50)
LONGEST_GRACE = 24 * 60
USUAL_GRACE = {Mode.PAPER: 60, Mode.TESTNET: 60, Mode.LIVE: 0}
"""Minutes that a bot goes on entering while the platform cannot be reached, where it has none."""


@dataclass(frozen=True)
class Safety:
    """What looks after a bot when its strategy, its machine or its platform does not."""

    disaster_stop_percent: Decimal | None = None
    on_end: OnEnd = OnEnd.PROTECTED
    grace_minutes: int | None = None


TITLES = {
    "disaster_stop_percent": "Disaster stop",
    "on_end": "When it is stopped",
    "grace_minutes": "Entries without the platform",
    "connection": "Live connection",
    "approved": "Approved as it is",
    "acknowledged": "Acknowledged",
}


def safety_of(bot: Bot) -> Safety:
    """As it is now."""
    return Safety(bot.disaster_stop_percent, bot.on_end, bot.grace_minutes)


def differences(bot: Bot, wanted: Safety) -> list[Change]:
    """What of its safety would change."""
    before, after = safety_of(bot), wanted
    return [
        Change(name, getattr(before, name), getattr(after, name))
        for name in vars(after)
        if getattr(before, name) != getattr(after, name)
    ]


def take(bot: Bot, wanted: Safety) -> None:
    """Set it; who may is decided by who calls."""
    bot.disaster_stop_percent = wanted.disaster_stop_percent
    bot.on_end = wanted.on_end
    bot.grace_minutes = wanted.grace_minutes


def grace_seconds(bot: Bot, mode: Mode) -> int:
    """How long the runner goes on entering without the platform."""
    own = bot.grace_minutes
    return 60 * (USUAL_GRACE[mode] if own is None else own)


def digest(bot: Bot, connection: Connection | None) -> str:
    """SHA-256 over what a live bot is: strategy, symbols, the very key, and its safety."""
    key = (connection.id, connection.account_digest) if connection is not None else None
    bound = {
        "exchange": bot.exchange,
        "version": bot.strategy_version_id,
        "symbols": bot.symbols,
        "key": key,
        "safety": _plain(safety_of(bot)),
    }
    text = json.dumps(to_plain(bound), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def stands(bot: Bot) -> bool:
    """Whether a live bot is what was approved; one that is not live needs no approval."""
    return bot.mode is not Mode.LIVE or bot.approved_revision == digest(bot, bot.live_connection)


def check(bot: Bot) -> None:
    """Raises ``Refused`` where a live bot is not what was approved."""
    if not stands(bot):
        raise Refused(NOT_APPROVED)


def parse(raw: dict[str, str]) -> Safety:
    """From what was typed; empty means none, or the usual. Raises ``Invalid`` naming the field."""
    return Safety(
        disaster_stop_percent=_percent(raw.get("disaster_stop_percent", "").strip()),
        on_end=_on_end(raw.get("on_end", "")),
        grace_minutes=_minutes(raw.get("grace_minutes", "").strip()),
    )


def _percent(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not LEAST_STOP <= value <= LARGEST_STOP:
        raise Invalid(
            f"Write a distance from {LEAST_STOP} to {LARGEST_STOP} percent, or leave it empty.",
            "disaster_stop_percent",
        )
    return value.normalize()


def _on_end(text: str) -> OnEnd:
    try:
        return OnEnd(text)
    except ValueError as error:
        raise Invalid("Choose what an end leaves behind.", "on_end") from error


def _minutes(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) <= LONGEST_GRACE):
        raise Invalid(
            f"Write whole minutes from 0 to {LONGEST_GRACE}, or leave it empty.", "grace_minutes"
        )
    return int(text)


def _plain(safety: Safety) -> dict[str, Any]:
    """Equal amounts as equal texts, however many zeros they are kept with."""
    percent = safety.disaster_stop_percent
    return vars(safety) | {
        "disaster_stop_percent": None if percent is None else format(percent.normalize(), "f")
    }
