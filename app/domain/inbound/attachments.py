"""Files of a mail, kept beside its message within the limits of every message."""

from collections.abc import Sequence

from app.domain.inbound.parse import Letter, Part
from app.domain.support import files
from app.domain.support.files import LARGEST, MEGABYTE, MOST, TOGETHER
from app.domain.support.said import NewFile
from app.gateways.files import Files

_NAMES = {"message/rfc822": "mail.eml", "text/html": "page.htm", "text/calendar": "event.ics"}


def keep(letter: Letter, storage: Files) -> tuple[tuple[NewFile, ...], list[str]]:
    """Put the files of a mail into the storage; what is too much of them is named in words."""
    wanted, left = chosen(letter.files)
    kept = tuple(files.store(storage, name_of(it), it.kind.type, it.content) for it in wanted)
    return kept, [f"{name_of(it)} ({_size(len(it.content))}) was not kept" for it in left]


def chosen(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """Which of them fit, first come, first kept, and which do not."""
    fit: list[Part] = []
    left: list[Part] = []
    total = 0
    for part in parts:
        size = len(part.content)
        if len(fit) < MOST and 0 < size <= LARGEST and total + size <= TOGETHER:
            fit.append(part)
            total += size
        elif size:
            left.append(part)
    return fit, left


def name_of(part: Part) -> str:
    """What to call a file, also one whose sender gave it no name."""
    return files.safe_name(part.kind.name or _NAMES.get(part.kind.type, "file"))


def _size(number: int) -> str:
    return f"{number / MEGABYTE:.0f} MB" if number >= MEGABYTE else f"{number // 1024 + 1} kB"
