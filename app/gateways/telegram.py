"""The door to Telegram: one call of its Bot API, and what became of it.

The API has no key that makes a call happen once: where the answer was lost after the question was
sent, nobody knows whether a message arrived, and the caller decides what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

MOST_BYTES = 20 * 1024 * 1024
"""What the API lets a bot download."""


class Fate(StrEnum):
    """What became of a call; unknown where the answer was lost."""

    DONE = "done"
    LATER = "later"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    OFF = "off"


class Cause(StrEnum):
    """Why a call was refused for good, as far as it makes a difference."""

    OTHER = "other"
    BLOCKED = "blocked"
    NO_TOPIC = "no_topic"
    NO_TOPICS_HERE = "no_topics_here"
    UNCHANGED = "unchanged"
    MOVED = "moved"
    TOKEN = "token"  # noqa: S105 -- the name of a cause
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Answer:
    """What Telegram said.

    ``wait`` are the seconds it asks to leave it be, ``moved_to`` the chat's new number after a
    group became a supergroup, ``detail`` is for the operator and holds no secret.
    """

    fate: Fate
    result: Any = None
    detail: str = ""
    cause: Cause = Cause.OTHER
    wait: int = 0
    moved_to: int | None = None


@dataclass(frozen=True)
class Download:
    """A file, or why there is none."""

    content: bytes | None = field(default=None, repr=False)
    detail: str = ""


class Telegram(Protocol):
    """Takes calls of the Bot API. Never raises."""

    def call(self, method: str, parameters: Mapping[str, Any], *, patience: float = 0) -> Answer:
        """Make one call; ``patience`` are seconds to wait longer for the answer (long polling)."""
        ...

    def download(self, file_id: str) -> Download:
        """Fetch a file that somebody sent to the bot, up to 20 MB."""
        ...


class NoTelegram:
    """Where no bot is set."""

    def call(self, _method: str, _parameters: Mapping[str, Any], *, patience: float = 0) -> Answer:
        """Say that there is none."""
        del patience
        return Answer(Fate.OFF, detail="Telegram is not set up (TELEGRAM_BOT_TOKEN).")

    def download(self, _file_id: str) -> Download:
        """Say that there is none."""
        return Download(detail="Telegram is not set up (TELEGRAM_BOT_TOKEN).")
