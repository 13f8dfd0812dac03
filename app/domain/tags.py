"""Words that people put on things to find them again: how one looks, and how many there may be."""

import re

from app.domain.errors import Invalid

LONGEST = 30
MOST = 10
_TAG = re.compile(r"[\w][\w .+#-]*")


def read(text: str) -> list[str]:
    """Tags as typed, with commas between them. Raises ``Invalid``."""
    names = sorted({name.strip().lower() for name in text.split(",")} - {""})
    for name in names:
        if not is_tag(name):
            raise Invalid(
                f"“{name[:LONGEST]}” is no tag: use letters, digits and blanks, at most {LONGEST}.",
                "tags",
            )
    if len(names) > MOST:
        raise Invalid(f"Use at most {MOST} tags.", "tags")
    return names


def is_tag(name: object) -> bool:
    """Whether it is one as it is kept: small letters, none around it, not too long."""
    if not isinstance(name, str) or name != name.strip().lower():
        return False
    return len(name) <= LONGEST and bool(_TAG.fullmatch(name))
