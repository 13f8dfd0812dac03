"""Signs statements with Ed25519 (RFC 8032), so that others can tell they were made here.

Keys are 32 bytes in base64. ``python -m app.gateways.signing`` prints a new pair.
"""

from __future__ import annotations

import hashlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.gateways.keys import decode, encode


def generate() -> tuple[str, str]:
    """A new pair, private and public."""
    private = Ed25519PrivateKey.generate()
    return encode(private.private_bytes_raw()), encode(private.public_key().public_bytes_raw())


def public_key_of(private_key: str) -> str:
    """The public half of a signing key."""
    return Signer(private_key).public_key


def key_id(public_key: str) -> str:
    """A short name of a public key: the first 8 bytes of its SHA-256, in hexadecimal."""
    return hashlib.sha256(decode(public_key)).hexdigest()[:16]


class Signer:
    """Holds the private key."""

    def __init__(self, private_key: str) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(decode(private_key))
        self.public_key = encode(self._private.public_key().public_bytes_raw())
        self.key_id = key_id(self.public_key)

    def __repr__(self) -> str:
        return f"Signer({self.key_id})"

    def sign(self, statement: bytes) -> str:
        """The signature, 64 bytes in base64."""
        return encode(self._private.sign(statement))


def signed(statement: bytes, signature: str, public_key: str) -> bool:
    """Whether the holder of the other half of ``public_key`` signed exactly this."""
    try:
        public = Ed25519PublicKey.from_public_bytes(decode(public_key))
        public.verify(decode(signature), statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_key(text: str) -> bool:
    """Whether a text is a key of the right length."""
    try:
        return len(decode(text)) == 32
    except ValueError:
        return False


def main() -> int:
    """Print a new pair for ``SIGNING_KEY`` and ``SIGNING_PUBLIC_KEY``."""
    private, public = generate()
    sys.stdout.write(f"SIGNING_KEY={private}\nSIGNING_PUBLIC_KEY={public}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
