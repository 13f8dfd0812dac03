"""What a letter says: its templates filled, as text and as HTML.

``templates/mail/<letter>.txt`` begins with ``Subject: …`` and an empty line; beside it lies
``<letter>.html``, which extends ``mail/layout.html``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, select_autoescape

_TEMPLATES = Path(__file__).parents[2] / "templates"
_SUBJECT = "Subject:"


class Unreadable(Exception):
    """A letter without templates, or with a value missing."""


@dataclass(frozen=True)
class Replies:
    """The domain whose mail is handed to us, and the key that signs its addresses."""

    domain: str = ""
    key: str = field(default="", repr=False)

    @property
    def open(self) -> bool:
        """Whether letters can be answered."""
        return bool(self.domain and self.key)


@dataclass(frozen=True)
class House:
    """What every letter says of the installation it comes from."""

    app_name: str
    base_url: str
    replies: Replies = Replies()


@dataclass(frozen=True)
class Rendered:
    """A letter as a person will read it."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


def render(letter: str, values: Mapping[str, Any], *, name: str, house: House) -> Rendered:
    """Fill both templates of a letter; they also know ``name``, ``app_name`` and ``base_url``.

    Raises:
        Unreadable: a template or a value is missing, or the text does not begin with its subject.
    """
    frame = {"name": name, "app_name": house.app_name, "base_url": house.base_url}
    try:
        text = _templates().get_template(f"mail/{letter}.txt").render({**values, **frame})
        head, _, body = text.partition("\n")
        subject = _one_line(head.removeprefix(_SUBJECT))
        html = _templates().get_template(f"mail/{letter}.html")
        page = html.render({**values, **frame, "subject": subject})
    except (TemplateError, TypeError) as error:
        raise Unreadable(f"{letter}: {error}") from error
    if not head.startswith(_SUBJECT) or not subject:
        raise Unreadable(f"{letter}: its text does not begin with a subject")
    return Rendered(subject, body.strip() + "\n", page)


def _one_line(text: str) -> str:
    """No header can be smuggled in: line breaks and other controls become spaces."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
