"""Decodes single values of a mail: kinds, encodings, character sets. Nothing here raises."""

import binascii
import codecs
import re
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header
from email.message import Message

LONGEST_TEXT = 1_000_000
"""Bytes of a text that are read; the rest is behind "show original"."""

_LONGEST_VALUE = 2_000
_FAULTS = (ValueError, LookupError, TypeError, AttributeError, MessageError, RecursionError)
_NO_TEXT = frozenset(
    [
        "idna",
        "punycode",
        "undefined",
        "unicode_escape",
        "raw_unicode_escape",
        "mbcs",
        "oem",
        "palmos",
    ]
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Kind:
    """What a part says it is."""

    type: str = "text/plain"
    charset: str = ""
    boundary: bytes = b""
    name: str = ""
    attached: bool = False
    report: bool = False


def kind_of(headers: list[tuple[str, str]]) -> Kind:
    """The kind of a part by its headers; what they say in vain is plain text."""
    known = Message()
    for name in ("content-type", "content-disposition"):
        value = next((value for key, value in headers if key == name), "")
        if value:
            known[name] = value[:_LONGEST_VALUE]
    try:
        return _kind(known)
    except _FAULTS:
        return Kind("application/octet-stream", name="unreadable", attached=True)


def _kind(known: Message) -> Kind:
    type_ = known.get_content_type()
    multipart = known.get_content_maintype() == "multipart"
    name = words(known.get_filename() or "")
    boundary = known.get_boundary("") if multipart else ""
    broken = (multipart and not boundary) or type_.endswith("/")
    return Kind(
        "text/plain" if broken else type_,
        str(known.get_content_charset("") or ""),
        boundary.encode("ascii", "replace")[:200],
        name,
        known.get_content_disposition() == "attachment",
        multipart and str(known.get_param("report-type", "")).lower() == "delivery-status",
    )


def unwrapped(content: bytes, headers: list[tuple[str, str]]) -> bytes:
    """A part's content without its transfer encoding; a broken one is read as far as it goes."""
    how = next((value for name, value in headers if name == "content-transfer-encoding"), "")
    how = how.strip().lower()
    if how == "quoted-printable":
        return binascii.a2b_qp(content)
    if how == "base64":
        for padding in (b"", b"=", b"==", b"A=="):
            try:
                return binascii.a2b_base64(content + padding)
            except binascii.Error:
                continue
    return content


def text(content: bytes, kind: Kind) -> str:
    """A text as people read it, whatever its character set claims to be."""
    read = readable(content[:LONGEST_TEXT], kind.charset)
    return _CONTROL.sub("", read.replace("\r\n", "\n").replace("\r", "\n"))


def readable(content: bytes, charset: str = "") -> str:
    """Bytes as text; a character set that is unknown, unfit or a lie is replaced by a guess."""
    codec = _codec(charset)
    for name in filter(None, (codec if codec != "ascii" else "", "utf-8")):
        try:
            return content.decode(name).encode("utf-8", "replace").decode()
        except _FAULTS:
            continue
    try:
        guessed = content.decode(
            codec if codec not in ("", "ascii", "utf-8") else "cp1252", "replace"
        )
    except _FAULTS:
        guessed = content.decode("latin-1")
    return guessed.encode("utf-8", "replace").decode()


def _codec(charset: str) -> str:
    """The codec of a character set that is one of texts; else nothing."""
    try:
        found = codecs.lookup(charset)
    except _FAULTS:
        return ""
    # The codecs that turn bytes into bytes say so in this flag alone.
    is_text = found._is_text_encoding  # noqa: SLF001 -- no public name tells it
    return found.name if is_text and found.name.replace("-", "_") not in _NO_TEXT else ""


def words(value: str) -> str:
    """A header's words, decoded, on one line without control characters."""
    value = value[:_LONGEST_VALUE]
    try:
        pieces = decode_header(value)
        value = "".join(
            it if isinstance(it, str) else readable(it, charset or "") for it, charset in pieces
        )
    except _FAULTS:
        pass  # it is shown as it came
    cleaned = _CONTROL.sub("", " ".join(value.split()))
    return cleaned.encode("utf-8", "replace").decode()
