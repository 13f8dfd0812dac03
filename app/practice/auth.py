"""Signed requests: who calls, and is it really them, now."""

from __future__ import annotations

import hashlib
import hmac

from app.practice import errors, keys
from app.practice.params import Params

RECV_WINDOW = 5000
MAX_RECV_WINDOW = 60_000
_AHEAD_MS = 1000


def verify(key: str, query: str, body: str, params: Params, ms: int) -> None:
    """Raise the exchange's refusal unless ``key`` signed exactly these parameters just now.

    The signed text is the query string followed by the body, without the signature itself
    (General Info, "SIGNED Endpoint Security", of the USD-M futures documentation).
    """
    known(key)
    signature = params.text("signature")
    text = "".join("&".join(_unsigned(part)) for part in (query, body))
    expected = hmac.new(keys.secret_for(key).encode(), text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature.lower()):
        raise errors.bad_signature()
    _check_time(params, ms)


def known(key: str) -> None:
    """Raise the exchange's refusal unless ``key`` is one of its keys."""
    if not key:
        raise errors.no_key()
    if not keys.is_key(key):
        raise errors.unknown_key()


def _unsigned(part: str) -> list[str]:
    return [item for item in part.split("&") if item and not item.startswith("signature=")]


def _check_time(params: Params, ms: int) -> None:
    sent = params.whole("timestamp")
    window = params.optional_whole("recvWindow")
    if window is not None and window > MAX_RECV_WINDOW:
        raise errors.Refusal(-1131, "recvWindow must be less than 60000.")
    if sent >= ms + _AHEAD_MS:
        raise errors.early()
    if ms - sent > (RECV_WINDOW if window is None else window):
        raise errors.late()
