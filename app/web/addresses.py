"""Addresses that a browser names: where it may be sent on, and where it says it comes from."""

from urllib.parse import SplitResult, urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException

from app.web.files import FILES


def safe_next(target: str | None) -> str | None:
    """``target`` if it is a path that a page of ours answers, else ``None``."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    if "\\" in target or any(ord(letter) < 33 or ord(letter) == 127 for letter in target):
        return None
    path = target.partition("?")[0].partition("#")[0]
    try:
        endpoint, _ = current_app.url_map.bind("").match(path, method="GET")
    except HTTPException:
        return None
    return None if endpoint in FILES else target


def taken_apart(address: str | None) -> SplitResult:
    """The parts of an address out of a header; all empty if it is none."""
    try:
        return urlsplit(address or "")
    except ValueError:
        return urlsplit("")
