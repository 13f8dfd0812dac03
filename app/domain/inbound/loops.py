"""Tells mail that machines wrote from mail of people, and our own from both."""

import re

from sqlalchemy import select

from app.domain.inbound.parse import Letter
from app.extensions import db
from app.models import Mail

_MARKS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponse",
    "x-autoreply-from",
    "x-mail-autoreply",
    "list-id",
    "list-unsubscribe",
    "x-loop",
    "x-ms-exchange-inbox-rules-loop",
)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_AWAY = re.compile(
    r"out of (?:the )?office|automatic reply|auto(?:matic)?[- ]?re(?:ply|sponse)|on vacation|"
    r"abwesenheit|automatische antwort|réponse automatique|absence du bureau|respuesta automática|"
    r"fuera de la oficina|risposta automatica|resposta automática|automatisch antwoord|"
    r"autosvar|automaattinen vastaus|automatyczna odpowiedź|автоответ|自動応答|自动回复",
    re.IGNORECASE,
)
_OURS = re.compile(r"reply\+|bounce\+", re.IGNORECASE)


def automatic(letter: Letter, envelope_from: str) -> str:
    """Why a letter counts as written by a machine; empty if a person seems to have written it."""
    submitted = letter.first("auto-submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return f"Auto-Submitted: {submitted[:40]}"
    for name in ("precedence", "x-precedence"):
        if letter.first(name).strip().lower() in _BULK:
            return f"{name.title()}: {letter.first(name)[:40]}"
    for name in _MARKS:
        if letter.all(name):
            return f"It has the header {name.title()}."
    if envelope_from == "" or letter.first("return-path").replace(" ", "") == "<>":
        return "It has an empty return path."
    suppressed = letter.all("x-auto-response-suppress")
    if suppressed and _AWAY.search(letter.subject):
        return "Its subject says that somebody is away."
    return ""


def ours(letter: Letter, *, domain: str, sender: str) -> str:
    """Why a letter counts as one of our own that came back; empty if it does not.

    Args:
        letter: the mail.
        domain: where our own reply addresses are.
        sender: the address our letters come from.
    """
    local, _, host = letter.sender.rpartition("@")
    if letter.sender and letter.sender == sender.casefold():
        return "It comes from the address our own letters come from."
    if host == domain and (_OURS.match(local) or local == "support"):
        return "It comes from an address of this desk."
    if letter.message_id and _sent(letter.message_id):
        return "It has the Message-ID of a letter of ours."
    return ""


def _sent(message_id: str) -> bool:
    return db.session.scalar(select(Mail.id).where(Mail.message_id == message_id)) is not None
