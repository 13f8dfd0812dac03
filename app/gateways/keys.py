"""Keys as people carry them: bytes in base64. Arithmetic alone."""

import base64


def encode(raw: bytes) -> str:
    """Bytes as text."""
    return base64.b64encode(raw).decode()


def decode(text: str) -> bytes:
    """The bytes of such a text. Raises ``ValueError``, which never quotes it."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("a key or signature is bytes in base64") from None
