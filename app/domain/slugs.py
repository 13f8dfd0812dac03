"""Slugs: the short unique names of workspaces, in letters, digits and hyphens."""

import re
import secrets
import unicodedata

from sqlalchemy import select

from app import tenancy
from app.domain.errors import Invalid
from app.extensions import db
from app.models import Workspace

LEAST, MOST = 3, 40
_SHAPE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
RULE = (
    f"Use {LEAST} to {MOST} lower-case letters, digits and single hyphens, none at either end: "
    "for example {}."
)


def checked(slug: str, *, of: Workspace | None = None) -> str:
    """The slug as typed, if it does and no other workspace has it. Raises ``Invalid``."""
    typed = slug.strip()
    if not (LEAST <= len(typed) <= MOST and _SHAPE.fullmatch(typed)):
        raise Invalid(RULE.format(free(typed)), "slug")
    if (of is None or of.slug != typed) and _exists(typed):
        raise taken(typed)
    return typed


def taken(slug: str) -> Invalid:
    """The refusal of a slug that another workspace has, with one that is free."""
    return Invalid(f"{slug} is taken. {free(slug)} is free.", "slug")


def free(name: str) -> str:
    """A slug made from a name, which no workspace has."""
    stem = _stem(name)
    if not _exists(stem):
        return stem
    numbered = (_with(stem, str(number)) for number in range(2, 10))
    return next((slug for slug in numbered if not _exists(slug)), None) or own(name)


def own(name: str) -> str:
    """A slug made from a name that nobody else will think of at the same moment."""
    return _with(_stem(name), secrets.token_hex(4))


def _with(stem: str, tail: str) -> str:
    return f"{stem[: MOST - len(tail) - 1].rstrip('-')}-{tail}"


def _stem(name: str) -> str:
    spelt = re.sub("['\u2019]", "", unicodedata.normalize("NFKD", name))
    plain = spelt.encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain)[:MOST].strip("-")
    if not stem:
        return "workspace"
    return stem if len(stem) >= LEAST else f"{stem}-workspace"


def _exists(slug: str) -> bool:
    query = select(Workspace.id).where(Workspace.slug == slug)
    with tenancy.everywhere("a slug is unique in the whole installation"):
        return db.session.scalar(query) is not None
