"""Seals secrets with a public key, so that who takes them in cannot read them again.

A sealed value, version 1::

    "PLV1"          4 bytes   format and version
    key id          8 bytes   SHA-256 of the recipient's public key, truncated
    context digest 16 bytes   SHA-256 of the context, truncated: names a mix-up for what it is
    ephemeral key  32 bytes   X25519 public key, fresh for each sealing (RFC 7748)
    ciphertext      n bytes   AES-256-GCM with its 16-byte tag (NIST SP 800-38D)

The 32-byte key and the 12-byte nonce come from HKDF-SHA256 (RFC 5869) over the X25519 shared
secret, salted with both public keys. As in HPKE (RFC 9180) the ephemeral key makes each pair of
key and nonce unique. Everything before the ciphertext and the whole context are authenticated.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.gateways.keys import decode, encode

_MAGIC = b"PLV1"
_KEY_ID = slice(4, 12)
_CONTEXT = slice(12, 28)
_EPHEMERAL = slice(28, 60)
_HEADER = 60
_TAG = 16
_INFO = b"plutarc vault 1"


class VaultError(Exception):
    """A sealed value was not opened; nothing of its content is in the message."""


class UnknownKey(VaultError):
    """None of the master keys belongs to the key it was sealed with."""


class WrongContext(VaultError):
    """It was sealed for another place: somebody moved it."""


class Tampered(VaultError):
    """It is not what was sealed."""


def generate() -> tuple[str, str]:
    """A new pair, private and public, each 32 bytes in base64."""
    private = X25519PrivateKey.generate()
    return encode(private.private_bytes_raw()), encode(private.public_key().public_bytes_raw())


def public_key_of(private_key: str) -> str:
    """The public half of a master key."""
    private = X25519PrivateKey.from_private_bytes(decode(private_key))
    return encode(private.public_key().public_bytes_raw())


class Sealer:
    """Holds the public key alone: can seal, cannot open."""

    def __init__(self, public_key: str) -> None:
        self._public = X25519PublicKey.from_public_bytes(decode(public_key))

    def seal(self, fields: dict[str, str], context: str) -> bytes:
        """Seal ``fields`` for one place, named by ``context``; they open nowhere else."""
        recipient = self._public.public_bytes_raw()
        ephemeral = X25519PrivateKey.generate()
        header = _header(recipient, context, ephemeral.public_key().public_bytes_raw())
        key, nonce = _derive(ephemeral.exchange(self._public), header, recipient)
        content = json.dumps(fields, separators=(",", ":")).encode()
        return header + AESGCM(key).encrypt(nonce, content, header + context.encode())

    def made(self, sealed: bytes) -> bool:
        """Whether a sealed value says that it was sealed for this key; only opening proves it."""
        return sealed[_KEY_ID] == _key_id(self._public.public_bytes_raw())


class Opener:
    """Holds the master keys: the current one and those that older values were sealed with."""

    def __init__(self, master_keys: Sequence[str]) -> None:
        self._by_id: dict[bytes, X25519PrivateKey] = {}
        for text in master_keys:
            private = X25519PrivateKey.from_private_bytes(decode(text))
            self._by_id[_key_id(private.public_key().public_bytes_raw())] = private

    def __repr__(self) -> str:
        return f"Opener({len(self._by_id)} keys)"

    def open(self, sealed: bytes, context: str) -> dict[str, str]:
        """The fields as they were sealed. Raises one of the family of ``VaultError``."""
        header, content = sealed[:_HEADER], sealed[_HEADER:]
        if not header.startswith(_MAGIC) or len(content) < _TAG:
            raise Tampered("not a sealed value of a version known here")
        private = self._by_id.get(header[_KEY_ID])
        if private is None:
            raise UnknownKey("sealed with a key that is not among the master keys")
        if header[_CONTEXT] != _context_digest(context):
            raise WrongContext("sealed for another place")
        recipient = private.public_key().public_bytes_raw()
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(header[_EPHEMERAL]))
            key, nonce = _derive(shared, header, recipient)
            plain = AESGCM(key).decrypt(nonce, content, header + context.encode())
        except (InvalidTag, ValueError):
            raise Tampered("changed since it was sealed") from None
        fields: dict[str, str] = json.loads(plain)
        return fields


def _header(recipient: bytes, context: str, ephemeral: bytes) -> bytes:
    return _MAGIC + _key_id(recipient) + _context_digest(context) + ephemeral


def _derive(shared: bytes, header: bytes, recipient: bytes) -> tuple[bytes, bytes]:
    salt = header[_EPHEMERAL] + recipient
    material = HKDF(algorithm=SHA256(), length=44, salt=salt, info=_INFO).derive(shared)
    return material[:32], material[32:]


def _key_id(public: bytes) -> bytes:
    return hashlib.sha256(public).digest()[:8]


def _context_digest(context: str) -> bytes:
    return hashlib.sha256(context.encode()).digest()[:16]


def main() -> int:
    """Print a new pair for ``MASTER_KEYS`` and ``SEAL_PUBLIC_KEY``."""
    private, public = generate()
    sys.stdout.write(f"MASTER_KEYS={private}\nSEAL_PUBLIC_KEY={public}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
