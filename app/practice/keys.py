"""API keys of the practice market: any well-formed key is an account, its secret is derived."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

_FORM = re.compile(r"practice-[0-9a-f]{16,64}")
_SALT = b"plutarc practice market"


def new_key() -> tuple[str, str]:
    """A fresh key with its secret; the account opens at the key's first signed request."""
    key = f"practice-{secrets.token_hex(16)}"
    return key, secret_for(key)


def secret_for(key: str) -> str:
    """The secret of ``key``: play money needs no register of keys, only a rule both sides know."""
    return hmac.new(_SALT, key.encode(), hashlib.sha256).hexdigest()


def is_key(text: str) -> bool:
    return _FORM.fullmatch(text) is not None


def masked(key: str) -> str:
    """Enough of the key to recognise it, too little to use it."""
    return f"{key[:13]}…{key[-4:]}"


def account_of(key: str) -> str:
    """The account's identifier: stored instead of the key, from which the key cannot be had."""
    return hashlib.sha256(key.encode()).hexdigest()[:20]
