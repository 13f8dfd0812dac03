"""Envelope senders that say which letter came back: ``bounce+<letter>.<proof>@<domain>``.

Signed, so that nobody can report somebody else's letter as undeliverable. Nothing expires: the
letter's own row, kept for 90 days, is the limit.
"""

import base64
import hashlib
import hmac
import re

_PREFIX = "mail_"
_LOCAL = re.compile(r"bounce\+([a-z2-7]{26})\.([a-z2-7]{26})", re.ASCII)


def make(mail_id: str, key: str, domain: str) -> str:
    """The return address of one letter; its local part has 60 characters (RFC 5321 allows 64)."""
    letter = mail_id.removeprefix(_PREFIX)
    return f"bounce+{letter}.{_proof(letter, key)}@{domain}"


def read(address: str, key: str, domain: str) -> str | None:
    """The id of the letter that a return address stands for; ``None`` if it is not ours."""
    local, _, host = address.strip().lower().rpartition("@")
    found = _LOCAL.fullmatch(local)
    if found is None or not (domain and key) or host != domain.lower():
        return None
    if not hmac.compare_digest(found[2], _proof(found[1], key)):
        return None
    return _PREFIX + found[1]


def _proof(letter: str, key: str) -> str:
    made = hmac.new(key.encode(), f"bounce {letter}".encode(), hashlib.sha256).digest()[:16]
    return base64.b32encode(made).decode().rstrip("=").lower()
