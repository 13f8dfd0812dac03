"""Time-based one-time codes: RFC 6238 with SHA-1, six digits, thirty seconds; RFC 4226 §5.3."""

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from urllib.parse import quote, urlencode

PERIOD = 30
DIGITS = 6
WINDOW = 1
"""How many steps early or late a code may be: clocks of phones differ."""


def new_seed() -> bytes:
    """A fresh secret of 160 bits, as long as the hash (RFC 4226 §4, R6)."""
    return secrets.token_bytes(20)


def step_at(now: datetime) -> int:
    """The number of the time step, counted from 1970."""
    return int(now.timestamp()) // PERIOD


def code(seed: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of one time step."""
    digest = hmac.new(seed, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def matching_step(seed: bytes, typed: str, now: datetime) -> int | None:
    """The newest step in the window whose code was typed; takes as long whichever it is."""
    here, found = step_at(now), None
    for step in range(here - WINDOW, here + WINDOW + 1):
        if hmac.compare_digest(code(seed, step).encode(), typed.encode()):
            found = step
    return found


def as_text(seed: bytes) -> str:
    """The seed as authenticator apps take it, in groups of four."""
    plain = base64.b32encode(seed).decode()
    return " ".join(plain[place : place + 4] for place in range(0, len(plain), 4))


def address(seed: bytes, *, issuer: str, account: str) -> str:
    """The ``otpauth:`` address that a QR code carries."""
    label = quote(f"{issuer}:{account}")
    secret = base64.b32encode(seed).decode()
    return f"otpauth://totp/{label}?" + urlencode(
        {"secret": secret, "issuer": issuer, "algorithm": "SHA1", "digits": 6, "period": 30}
    )
