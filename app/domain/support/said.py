"""What somebody sends to the desk: a request, a message, its files."""

from dataclasses import dataclass

from app.domain.errors import Invalid
from app.models import Subject, Ticket, TicketCategory, TicketPriority, Verification

SUBJECT, BODY = 160, 20_000
"""The most characters of a subject and of a message."""

EMPTY = "Write something first."


@dataclass(frozen=True)
class NewFile:
    """A file that is in the storage already, to be tied to a message or a note."""

    name: str
    declared_type: str
    sniffed_type: str
    size: int
    sha256: str
    storage_key: str


@dataclass(frozen=True)
class Said:
    """One message as it came. ``key`` is the same for each delivery of the same message.

    ``automatic``: a machine wrote it in the author's name, so it moves nothing.
    """

    body: str
    key: str = ""
    verification: Verification = Verification.SESSION
    automatic: bool = False
    rfc_message_id: str = ""
    inbound_id: str | None = None
    files: tuple[NewFile, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What somebody asks of the desk."""

    subject: str
    category: TicketCategory = TicketCategory.OTHER
    priority: TicketPriority = TicketPriority.NORMAL
    about: Subject | None = None
    about_id: str | None = None
    follows: Ticket | None = None
    raised: TicketPriority | None = None
    """What facts make of the priority, e.g. an open position of a dead bot."""
    raised_because: str = ""
    """Those facts, in words for its owner."""


def clean_subject(text: str) -> str:
    """One line. Raises ``Invalid`` if it is empty or too long."""
    cleaned = " ".join(text.split())
    if not cleaned:
        raise Invalid("Say in a few words what it is about.", "subject")
    if len(cleaned) > SUBJECT:
        raise Invalid(f"Keep the subject within {SUBJECT} characters.", "subject")
    return cleaned


def clean_body(said: Said) -> str:
    """Text to be kept. Raises ``Invalid`` if there is none, and no file either, or too much."""
    cleaned = said.body.replace("\r\n", "\n").replace("\x00", "").strip()
    if not cleaned and not said.files:
        raise Invalid(EMPTY, "body")
    if len(cleaned) > BODY:
        raise Invalid(f"Keep it within {BODY:,} characters; attach longer texts.", "body")
    return cleaned
