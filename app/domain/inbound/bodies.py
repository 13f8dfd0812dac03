"""What of a mail becomes the text of a message."""

from app.domain import mail_text
from app.domain.inbound.parse import Letter
from app.domain.support.said import BODY

CUT = "\n\n[It goes on; the whole mail is kept as its original.]"


def full(letter: Letter) -> str:
    """All it says: its plain text, or its HTML as text."""
    return letter.text.strip() or mail_text.text_of_html(letter.html).strip()


def visible(letter: Letter) -> str:
    """What its author wrote, without quotes and signature."""
    return mail_text.visible_reply(full(letter)).strip()


def fitted(text: str, remarks: list[str]) -> str:
    """A text with remarks below it, within the room of a message."""
    below = "".join(f"\n\n[{it}]" for it in remarks)
    room = BODY - len(below)
    if len(text) > room:
        text = text[: room - len(CUT)].rstrip() + CUT
    return (text + below).strip()
