"""Locks small things for ourselves, under keys made from ``SECRET_KEY``.

AES-256-GCM with a random 96-bit nonce; the key of each purpose comes from HKDF-SHA256 (RFC 5869).
Purpose and context are authenticated: what was locked for one person opens for nobody else.
"""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE = 12


class Locked(Exception):
    """It does not open: another key, another purpose or context, or it was changed."""


class Locker:
    """Closes with the first key and opens with any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)

    def close(self, purpose: str, context: str, content: bytes) -> bytes:
        """Lock ``content``; it opens for the same purpose and context alone."""
        nonce = os.urandom(_NONCE)
        closed = _cipher(self._keys[0], purpose).encrypt(nonce, content, context.encode())
        return _VERSION + nonce + closed

    def open(self, purpose: str, context: str, closed: bytes) -> bytes:
        """What was locked. Raises ``Locked``."""
        if closed[:1] == _VERSION and len(closed) > 1 + _NONCE:
            nonce, rest = closed[1 : 1 + _NONCE], closed[1 + _NONCE :]
            for key in self._keys:
                try:
                    return _cipher(key, purpose).decrypt(nonce, rest, context.encode())
                except InvalidTag:
                    continue
        raise Locked


def _cipher(key: str, purpose: str) -> AESGCM:
    info = f"plutarc locker 1 {purpose}".encode()
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=info).derive(key.encode()))
