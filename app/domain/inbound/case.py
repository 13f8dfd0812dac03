"""One mail on its way to a decision, and what a decision is."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.inbound.parse import Letter
from app.domain.inbound.verdict import Proof, Verdict
from app.gateways.files import Files
from app.models import InboundMail, MailDecision, Ticket

KEPT = (
    MailDecision.APPENDED,
    MailDecision.NOTE,
    MailDecision.OPENED,
    MailDecision.AUTOMATIC,
)
"""What of a mail can be found in a ticket."""


@dataclass(frozen=True)
class Desk:
    """Where mail for the desk arrives and how ours is told, as the settings say it."""

    domain: str
    key: str = field(repr=False)
    authserv_id: str = ""
    sender: str = ""


@dataclass(frozen=True)
class Case:
    """A mail, what is known of its sender, and the moment."""

    mail: InboundMail
    letter: Letter = field(repr=False)
    verdict: Verdict
    desk: Desk
    storage: Files
    now: datetime

    @property
    def key(self) -> str:
        """The same for each delivery of this mail, whatever way it took."""
        named = self.letter.message_id or self.mail.sha256
        return "mail " + hashlib.sha256(named.encode()).hexdigest()

    @property
    def proven(self) -> bool:
        """Whether the sender's domain vouches for it."""
        return self.verdict.proof is Proof.PASS


@dataclass(frozen=True)
class Outcome:
    """What becomes of a mail, and why, in words for operators."""

    decision: MailDecision
    reason: str = ""
    ticket: Ticket | None = None
    message_id: str | None = None
    urgent: bool = False
    """Whether somebody tried to speak for the desk."""


def held(reason: str, ticket: Ticket | None = None, *, urgent: bool = False) -> Outcome:
    """Kept back until an operator has looked at it."""
    return Outcome(MailDecision.QUARANTINED, reason, ticket, urgent=urgent)


def refused(reason: str) -> Outcome:
    """Recorded and no more. Nobody is written to."""
    return Outcome(MailDecision.REFUSED, reason)


def digest(letter: Letter) -> str:
    """The same for the same sender, subject, text and files, whatever a relay added on the way."""
    made = hashlib.sha256()
    for text in (letter.sender, letter.subject, letter.text, letter.html):
        made.update(hashlib.sha256(text.encode()).digest())
    for file in letter.files:
        made.update(hashlib.sha256(file.content).digest())
    return made.hexdigest()
