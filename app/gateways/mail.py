"""The door to people's mailboxes: a letter as it goes out, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Fate(StrEnum):
    """What became of a letter; unknown where the answer to the whole letter was lost."""

    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    UNKNOWN = "unknown"
    UNSENT = "unsent"


@dataclass(frozen=True)
class Letter:
    """One letter to one address, ready to go. Its text may hold a secret link.

    ``headers`` are those beside the usual ones. What does not arrive comes back to ``return_path``,
    else to the sender. ``automatic``: no person wrote it.
    """

    message_id: str
    to_email: str
    to_name: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    return_path: str = ""
    automatic: bool = True


@dataclass(frozen=True)
class Delivery:
    """What came of handing a letter over; ``detail`` is for the operator and holds no secret."""

    fate: Fate
    detail: str = ""


class Postman(Protocol):
    """Takes letters. Never raises; the same letter twice carries the same Message-ID."""

    def send(self, letter: Letter) -> Delivery:
        """Hand over one letter."""
        ...


class NoPostman:
    """Where no mail server is set: nothing is sent, and the letter is told so."""

    def send(self, _letter: Letter) -> Delivery:
        """Leave it to the operator's console."""
        return Delivery(Fate.UNSENT, "No mail server is set (SMTP_URL).")
