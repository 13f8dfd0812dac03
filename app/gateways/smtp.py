"""Letters over SMTP (RFC 5321) with the standard library: TLS checked, every call with a timeout.

What a server refuses before it heard of the recipient is about our settings, so the letter is
tried again; from the recipient on, 5xx is for good. Once the text was on its way and no answer
came, nobody knows: the same Message-ID goes out again, by which receivers tell a repeat.
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage, Message
from email.policy import SMTP, Policy
from email.utils import format_datetime

from app.gateways.mail import Delivery, Fate, Letter
from app.mail_settings import MailServer

SECONDS = 10.0
_ANSWER_CHARS = 200
_UNKNOWN_ANSWER = "It took the letter and then said nothing; it may have been sent."


class _Whole(UnstructuredHeader, BaseHeader):
    """A header of ids and addresses: broken between them, and never encoded as text would be."""

    def fold(self, *, policy: Policy[Message[str, str]]) -> str:
        """One id a line; a single one may be longer than lines usually are."""
        return f"{self.name}: " + f"{policy.linesep} ".join(str(self).split()) + policy.linesep


_HEADERS = HeaderRegistry()
for _name in ("message-id", "references", "in-reply-to", "reply-to", "list-unsubscribe"):
    _HEADERS.map_to_type(_name, _Whole)
POLICY = SMTP.clone(header_factory=_HEADERS)


class _Refusal(Exception):
    """The server answered, and not with what was hoped for."""

    def __init__(self, fate: Fate, detail: str) -> None:
        super().__init__(detail)
        self.delivery = Delivery(fate, detail)


@dataclass(frozen=True)
class SmtpPostman:
    """Hands letters to one server. ``context`` is for a certificate authority of one's own."""

    server: MailServer
    sender: str
    sender_name: str
    context: ssl.SSLContext | None = None
    seconds: float = SECONDS

    def send(self, letter: Letter) -> Delivery:
        """One connection, one letter. Never raises for what a server or a letter can do."""
        try:
            message, recipient = compose(letter, self.sender, self.sender_name)
        except (MessageError, UnicodeError, ValueError):
            return Delivery(Fate.FAILED, "The address is not one that mail can be sent to.")
        progress = _Progress()
        try:
            smtp = self.connect()
            try:
                route = (letter.return_path or self.sender, recipient)
                _hand_over(smtp, message, route, progress)
            finally:
                _leave(smtp)
        except _Refusal as refusal:
            return refusal.delivery
        except (OSError, smtplib.SMTPException) as error:
            return progress.delivery(f"{self._place()}: {describe(error)}")
        return Delivery(Fate.SENT)

    def probe(self) -> str:
        """What keeps letters from being handed over; empty if nothing does."""
        try:
            _leave(self.connect())
        except (OSError, smtplib.SMTPException) as error:
            return f"{self._place()}: {describe(error)}"
        return ""

    def connect(self) -> smtplib.SMTP:
        """A session in which letters can be handed over: encrypted and signed in as set.

        Raises:
            OSError: the network, or a certificate that does not hold.
            smtplib.SMTPException: the server's refusal.
        """
        context = self.context or ssl.create_default_context()
        own_name = self.sender.rpartition("@")[2]
        place, wait = (self.server.host, self.server.port), self.seconds
        if self.server.implicit_tls:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(*place, own_name, timeout=wait, context=context)
        else:
            smtp = smtplib.SMTP(*place, own_name, timeout=wait)
        try:
            smtp.ehlo_or_helo_if_needed()
            if self.server.starttls:
                smtp.starttls(context=context)
                smtp.ehlo_or_helo_if_needed()
            if self.server.user:
                smtp.login(self.server.user, self.server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _place(self) -> str:
        return f"{self.server.host}:{self.server.port}"


@dataclass
class _Progress:
    """How far a letter came: it decides what an error means."""

    text_on_its_way: bool = False

    def delivery(self, detail: str) -> Delivery:
        if self.text_on_its_way:
            return Delivery(Fate.UNKNOWN, f"{detail} {_UNKNOWN_ANSWER}")
        return Delivery(Fate.RETRY, detail)


def _hand_over(
    smtp: smtplib.SMTP, message: EmailMessage, route: tuple[str, str], progress: _Progress
) -> None:
    sender, recipient = route
    options, policy = [], POLICY
    if not recipient.isascii():
        if not smtp.has_extn("smtputf8"):
            raise _Refusal(
                Fate.FAILED,
                "The mail server cannot send to an address with letters "
                "beyond ASCII (no SMTPUTF8).",
            )
        options, policy = ["SMTPUTF8", "BODY=8BITMIME"], POLICY.clone(utf8=True)
    _expect(smtp.mail(sender, options), "sender", for_good=False)
    _expect(smtp.rcpt(recipient), "recipient", for_good=True)
    progress.text_on_its_way = True
    _expect(_data(smtp, message.as_bytes(policy=policy)), "letter", for_good=True)


def _leave(smtp: smtplib.SMTP) -> None:
    """Say goodbye; what happens to that changes nothing about the letter."""
    with suppress(OSError, smtplib.SMTPException):
        smtp.quit()
    smtp.close()


def _data(smtp: smtplib.SMTP, text: bytes) -> tuple[int, bytes]:
    try:
        return smtp.data(text)
    except smtplib.SMTPDataError as error:
        return error.smtp_code, _bytes(error.smtp_error)


def _expect(answer: tuple[int, bytes], what: str, *, for_good: bool) -> None:
    code, words = answer
    if 200 <= code < 300:
        return
    if code == -1:
        raise smtplib.SMTPServerDisconnected("connection lost")
    fate = Fate.FAILED if for_good and 500 <= code < 600 else Fate.RETRY
    raise _Refusal(fate, f"The server refused the {what}: {code} {_readable(words)}")


def compose(letter: Letter, sender: str, sender_name: str) -> tuple[EmailMessage, str]:
    """The message of a letter, and the address for the envelope.

    Raises:
        ValueError: the address is none, or a header would hold a line break.
    """
    name, _, domain = letter.to_email.strip().rpartition("@")
    if not name or not domain:
        raise ValueError("no address")
    to = Address(letter.to_name, name, domain.encode("idna").decode("ascii"))
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(sender_name, addr_spec=sender)
    message["To"] = to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = letter.message_id
    if letter.automatic:
        message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    for header, value in letter.headers:
        message[header] = _ascii(value)
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message, to.addr_spec


def _ascii(value: str) -> str:
    """A header of ours as it is. Raises ``ValueError`` for what would have to be encoded."""
    if not value.isascii() or not value.isprintable():
        raise ValueError("a header holds what none may")
    return value


def describe(error: Exception) -> str:
    """What went wrong in a line, without anything that was sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code} {_readable(_bytes(error.smtp_error))}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "it does not offer what SMTP_URL asks for (STARTTLS or a sign-in)"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not hold ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return "no encrypted connection could be agreed on"
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "no answer in time"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the connection was lost"
    return f"not reached ({type(error).__name__})"


def _bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode(errors="replace")


def _readable(words: bytes) -> str:
    text = words.decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_ANSWER_CHARS]
