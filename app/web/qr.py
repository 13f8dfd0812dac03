"""QR codes as drawings inside the page: the content policy lets no style and no script in."""

from dataclasses import dataclass

import segno
from markupsafe import Markup

from app.domain import totp


@dataclass(frozen=True)
class Code:
    """A drawing, and the same as text for who cannot scan it."""

    drawing: Markup
    text: str


def seed(content: bytes, *, issuer: str, account: str) -> Code:
    """The seed of an authenticator app."""
    address = totp.address(content, issuer=issuer, account=account)
    return Code(_drawn(address), totp.as_text(content))


def address(text: str) -> Code:
    """An address to be opened on a phone."""
    return Code(_drawn(text), text)


def _drawn(text: str) -> Markup:
    made = segno.make(text, error="m", micro=False)
    drawing = made.svg_inline(omitsize=True, border=2, svgclass="qr", lineclass=None, dark="#000")
    return Markup(drawing)  # noqa: S704 -- drawn here, holds no text
