"""A mail as it came, for whoever may see what became of it."""

import re
from dataclasses import dataclass, field

from app import tenancy
from app.domain.inbound import bodies, decoding, parse, store
from app.extensions import db
from app.gateways.locker import Locker
from app.models import AuthorKind, InboundMail, TicketMessage

LONGEST_SOURCE = 200_000
"""Bytes of a mail's source that are shown."""

_SECRET = re.compile(r"\b(reply|bounce)\+[a-z2-7.]{20,60}(?=(?:@|=40|%40))", re.IGNORECASE)


@dataclass(frozen=True)
class Original:
    """What a mail said, whole. The secrets of our addresses are left out of everything shown."""

    sender: str
    subject: str
    date: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    source: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


LOOKED_AT = (
    "from",
    "to",
    "authentication-results",
    "auto-submitted",
    "precedence",
    "list-id",
    "return-path",
    "message-id",
    "in-reply-to",
    "x-mailgun-dkim-check-result",
    "date",
)
"""The headers that a decision was made by, and the date, which decides nothing."""


def of_message(message: TicketMessage) -> InboundMail | None:
    """The mail that a message of a ticket's owner was made of.

    What an operator sent is for operators: it may quote what was never meant for others. So is
    what stood in a message that was taken out.
    """
    theirs = message.author in (AuthorKind.USER, AuthorKind.CONTACT)
    if message.inbound_id is None or not theirs or message.redacted_at is not None:
        return None
    with tenancy.everywhere("the mail of a message one may see is kept with the desk"):
        found = db.session.get(InboundMail, message.inbound_id)
    return found if found is not None and found.message_id == message.id else None


def read(mail: InboundMail, locker: Locker) -> Original | None:
    """A mail for people to read; ``None`` once it is gone, thirty days after it came."""
    raw = store.raw(mail, locker)
    if raw is None:
        return None
    letter = parse.take_apart(raw)
    shown = [(name, value[:500]) for name, value in letter.headers if name in LOOKED_AT]
    return Original(
        letter.sender or decoding.words(letter.first("from")),
        letter.subject,
        letter.first("date")[:100],
        hidden(bodies.full(letter)),
        hidden(letter.html),
        hidden(decoding.text(raw[:LONGEST_SOURCE], decoding.Kind())),
        tuple((name, hidden(value)) for name, value in shown[:40]),
    )


def hidden(text: str) -> str:
    """A text without the tokens of our addresses: with one, half of a sender's proof is made."""
    return _SECRET.sub(r"\1+…", text)
