"""Files that come with messages and notes: what is taken, under which name, and what is swept.

A file is stored before the row that names it is committed. One that no row ever named is swept
after a day.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from sqlalchemy import select

from app import tenancy
from app.domain.errors import Invalid
from app.domain.support.said import NewFile
from app.extensions import db
from app.gateways.files import Files
from app.models import MessageFile, NoteFile
from app.models.base import new_id

MEGABYTE = 1024 * 1024
LARGEST, MOST, TOGETHER = 25 * MEGABYTE, 10, 30 * MEGABYTE
"""Bytes of one file, files of one message, bytes of all files of one message."""

NAME, TYPE = 120, 120
"""The room of a name and of a type in their rows."""

FOLDER = "attachments"
ORPHANED_AFTER = timedelta(days=1)
AT_ONCE, SWEPT_AT_ONCE = 500, 1000
HEAD = 4096

UNKNOWN, TEXT = "application/octet-stream", "text/plain"
MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (4, b"ftyp", "video/mp4"),
    (0, b"MZ", "application/x-msdownload"),
    (0, b"\x7fELF", "application/x-executable"),
)
"""Where in a file which bytes stand, and what it then is."""

_MARKUP = re.compile(rb"\s*<(!doctype html|html|head|body|script|iframe|svg|\?xml)", re.IGNORECASE)
_TYPE = re.compile(r"[A-Za-z0-9][\w.+-]*/[A-Za-z0-9][\w.+-]*")


class Kept(Protocol):
    """What a row says of the file it names."""

    @property
    def storage_key(self) -> str:
        """Its random name in the storage."""


def check(sizes: Sequence[int]) -> None:
    """Raises ``Invalid`` where files of these bytes are too many or too large for one message."""
    if len(sizes) > MOST:
        raise Invalid(f"Attach at most {MOST} files to one message.", "files")
    if any(size > LARGEST for size in sizes):
        raise Invalid(f"A file may have {LARGEST // MEGABYTE} MB; attach smaller ones.", "files")
    if sum(sizes) > TOGETHER:
        most = TOGETHER // MEGABYTE
        raise Invalid(f"The files of one message may have {most} MB together.", "files")


def store(storage: Files, name: str, declared_type: str, content: bytes) -> NewFile:
    """Put a file into the storage under a random name; nothing of what its sender says leads there.

    Raises:
        Invalid: it has more than 25 MB.
        OSError: the storage does not take it.
    """
    check([len(content)])
    key = f"{FOLDER}/{new_id('att')}"
    storage.write(key, content)
    declared = declared_type.partition(";")[0].strip()
    return NewFile(
        name=safe_name(name),
        declared_type=declared[:TYPE] if _TYPE.fullmatch(declared) else UNKNOWN,
        sniffed_type=sniffed(content),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        storage_key=key,
    )


def read(storage: Files, file: Kept) -> bytes | None:
    """What a file holds; ``None`` if the storage has lost it."""
    return storage.read(file.storage_key)


def sniffed(content: bytes) -> str:
    """What a file is by its own first bytes, whatever it is called."""
    for start, mark, kind in MAGIC:
        if content[start : start + len(mark)] == mark:
            return kind
    head = content[:HEAD]
    if b"\x00" in head or not _is_text(head):
        return UNKNOWN
    return "text/html" if _MARKUP.match(head) else TEXT


def safe_name(name: str) -> str:
    """A name to show: its last part, without control or direction marks, its ending kept."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = "".join(" " if unicodedata.category(it)[0] in "CZ" else it for it in last)
    plain = " ".join(plain.split()).strip(". ") or "file"
    stem, dot, ending = plain.rpartition(".")
    if len(plain) <= NAME or not stem or len(ending) > 12:
        return plain[:NAME]
    return stem[: NAME - len(ending) - 1].rstrip() + dot + ending


def sweep(storage: Files, now: datetime) -> int:
    """Take away files older than a day that neither a message nor a note names; how many.

    No more than a thousand at once: the next round goes on.
    """
    before = now - ORPHANED_AFTER
    old = (name for name, written in storage.listed(FOLDER) if written < before)
    gone = 0
    while gone < SWEPT_AT_ONCE and (names := list(islice(old, AT_ONCE))):
        for name in sorted(set(names) - _named(names)):
            storage.delete(name)
            gone += 1
    return gone


def _named(names: list[str]) -> set[str]:
    found: set[str] = set()
    with tenancy.everywhere("the storage keeps files of all workspaces and of notes"):
        for key in (MessageFile.storage_key, NoteFile.storage_key):
            found |= set(db.session.scalars(select(key).where(key.in_(names))))
    return found


def _is_text(head: bytes) -> bool:
    """Whether it is UTF-8; what was cut off within a letter still is."""
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and len(head) == HEAD
    return True
