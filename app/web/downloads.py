"""Answering a file that somebody sent: saved by the browser, and never run or shown in our name."""

import re
import unicodedata
from urllib.parse import quote

from flask import Response, abort, make_response

from app import current
from app.domain.support import files
from app.models import MessageFile, NoteFile

HARMLESS = frozenset(
    (
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "application/pdf",
        "application/zip",
        "application/gzip",
        files.TEXT,
    )
)
"""Types that are named; all else goes out as bytes."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_PLAIN = re.compile(r"[^A-Za-z0-9._ -]")


def answer(file: MessageFile | NoteFile) -> Response:
    """The file as an attachment, once the caller has checked who asks. 404 if it is lost."""
    content = files.read(current.storage(), file)
    if content is None:
        abort(404, f"{file.name} is no longer in the storage. Ask for it to be sent again.")
    response = make_response(content)
    kind = file.sniffed_type if file.sniffed_type in HARMLESS else files.UNKNOWN
    response.headers["Content-Type"] = f"{kind}; charset=utf-8" if kind == files.TEXT else kind
    response.headers["Content-Disposition"] = disposition(file.name)
    response.headers.update(HEADERS)
    return response


def disposition(name: str) -> str:
    """The header that saves a file under ``name``, whatever letters it has (RFC 6266, 5987)."""
    safe = files.safe_name(name)
    ascii_only = unicodedata.normalize("NFKD", safe).encode("ascii", "ignore").decode()
    plain = _PLAIN.sub("_", ascii_only).strip(". ") or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"
